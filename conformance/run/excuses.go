package run

import (
	"slices"

	"golang.org/x/mod/semver"
)

// Excuse is a test that does not pass, and why.
type Excuse struct {
	Name   string // of the test
	Reason string
	Suites []string // versions of the suite it is for, "v1.7"; all of them when empty
}

// Excuses are those of an implementation.
type Excuses []Excuse

// in are the excuses for a suite, by the release of the Gateway API that it is
// of ("v1.7.0").
func (e Excuses) in(release string) Excuses {
	return slices.DeleteFunc(slices.Clone(e), func(x Excuse) bool {
		return len(x.Suites) > 0 && !slices.Contains(x.Suites, semver.MajorMinor(release))
	})
}

// reason is why a test does not pass in a suite, if that is excused.
func (e Excuses) reason(test, release string) (string, bool) {
	for _, x := range e.in(release) {
		if x.Name == test {
			return x.Reason, true
		}
	}
	return "", false
}

// For are the tests that are excused in a suite with their reasons, by the
// release of the Gateway API that the suite is of ("v1.7.0" or "v1.7").
func (e Excuses) For(release string) map[string]string {
	out := map[string]string{}
	for _, x := range e.in(release) {
		out[x.Name] = x.Reason
	}
	return out
}
