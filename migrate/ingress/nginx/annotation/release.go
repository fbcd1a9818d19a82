package annotation

import (
	"fmt"
	"strconv"
	"strings"
)

// ReleaseInfo is what of the controller's behaviour depends on its release:
// defaults of flags and ConfigMap keys, and template changes that requests can
// see. The controller's own flags and ConfigMap go before the defaults.
type ReleaseInfo struct {
	// Name is the release as vMAJOR.MINOR.PATCH.
	Name         string
	Minor, Patch int

	// AnnotationValidation is the default of --enable-annotation-validation.
	AnnotationValidation bool
	// StrictValidatePathType is the default of strict-validate-path-type: Exact
	// and Prefix paths with characters of regular expressions drop the ingress.
	StrictValidatePathType bool
	// DotInStrictPaths: strict validation lets a dot pass.
	DotInStrictPaths bool
	// AllowCrossNamespaceResources is the default of the ConfigMap key.
	AllowCrossNamespaceResources bool
	// AnnotationsRiskLevel is the default of the ConfigMap key.
	AnnotationsRiskLevel Risk
	// AliasesRisked: risk evaluation also sees aliases of annotations.
	AliasesRisked bool
	// TemporalRedirectCode: temporal-redirect-code is honoured, else 302.
	TemporalRedirectCode bool
	// RelativeRedirects: the annotation and the ConfigMap key exist.
	RelativeRedirects bool
	// PermanentRedirectVariables: `$` in permanent-redirect and
	// temporal-redirect passes with default flags, so nginx variables work.
	PermanentRedirectVariables bool
	// WWWRedirectPort: from-to-www-redirect answers with the port in Location.
	WWWRedirectPort bool
	// QuotedLocations: paths and server names are quoted in the nginx file, so
	// spaces, semicolons and braces in paths do not break the configuration.
	QuotedLocations bool
	// CustomHeaders: the custom-headers annotation exists.
	CustomHeaders bool
	// GlobalRateLimit: the global-rate-limit annotations exist.
	GlobalRateLimit bool
}

// newestMinor and lastPatch bound the releases the table knows; lastPatch is
// what a release string without a patch means.
const oldestMinor, newestMinor = 9, 15

var lastPatch = map[int]int{9: 6, 10: 6, 11: 8, 12: 8, 13: 9, 14: 5, 15: 1}

// Change is one difference between releases.
type Change struct {
	// From are the first releases with the change, oldest first: one, or
	// several where it was also brought to older minors.
	From []string
	// What says it in words, Source where it is told or how it was measured.
	What, Source string
	apply        func(*ReleaseInfo)
}

// ReleaseDefaults returns the table of what changed between releases, oldest
// first; before its first row stands the state of v1.9.
func ReleaseDefaults() []Change {
	return []Change{
		{[]string{"v1.11"}, "the annotation custom-headers exists", "changelog controller-1.11.0 (9742)",
			func(r *ReleaseInfo) { r.CustomHeaders = true }},
		{[]string{"v1.12"}, "annotation values are validated, so variables in redirect targets are refused", "changelog controller-1.12.0-beta.0 (11819)",
			func(r *ReleaseInfo) { r.AnnotationValidation, r.PermanentRedirectVariables = true, false }},
		{[]string{"v1.12"}, "strict-validate-path-type is true", "changelog controller-1.12.0-beta.0 (11819)",
			func(r *ReleaseInfo) { r.StrictValidatePathType = true }},
		{[]string{"v1.12"}, "allow-cross-namespace-resources is false", "changelog controller-1.12.0-beta.0 (11819)",
			func(r *ReleaseInfo) { r.AllowCrossNamespaceResources = false }},
		{[]string{"v1.12"}, "annotations-risk-level is High", "changelog controller-1.12.0-beta.0 (11819)",
			func(r *ReleaseInfo) { r.AnnotationsRiskLevel = High }},
		{[]string{"v1.12"}, "the global-rate-limit annotations are gone", "changelog controller-1.12.0-beta.0 (11851)",
			func(r *ReleaseInfo) { r.GlobalRateLimit = false }},
		{[]string{"v1.12"}, "temporal-redirect-code is honoured", "changelog controller-1.12.0-beta.0 (10651)",
			func(r *ReleaseInfo) { r.TemporalRedirectCode = true }},
		// Measured without on v1.11 and with on v1.15.1; releases between are
		// taken to follow the move of inline Lua out of the template.
		{[]string{"v1.12"}, "from-to-www-redirect answers with the port", "measured on v1.11 and v1.15.1; changelog controller-1.12.0-beta.0 (11806)",
			func(r *ReleaseInfo) { r.WWWRedirectPort = true }},
		{[]string{"v1.13"}, "relative-redirects exists", "pull request 12161",
			func(r *ReleaseInfo) { r.RelativeRedirects = true }},
		{[]string{"v1.13.2", "v1.14"}, "strict path validation lets dots pass", "changelogs controller-1.13.2 and 1.14.0 (13798)",
			func(r *ReleaseInfo) { r.DotInStrictPaths = true }},
		{[]string{"v1.13.7", "v1.14.3"}, "paths and server names are quoted, so spaces, semicolons and braces do not break the configuration", "changelogs controller-1.14.3 and 1.15.0 (14501)",
			func(r *ReleaseInfo) { r.QuotedLocations = true }},
		{[]string{"v1.15"}, "aliases of annotations count in risk evaluation", "changelog controller-1.15.0 (14664)",
			func(r *ReleaseInfo) { r.AliasesRisked = true }},
	}
}

// Release describes a release given as v1.12, 1.12, v1.12.3 or 1.12.3. Without
// a patch it is the last of its minor.
func Release(s string) (*ReleaseInfo, error) {
	minor, patch, err := parseRelease(s)
	if err != nil {
		return nil, err
	}
	if minor < oldestMinor || minor > newestMinor {
		return nil, fmt.Errorf("ingress-nginx release %q: known are v1.%d to v1.%d; give the nearest", s, oldestMinor, newestMinor)
	}
	if patch < 0 {
		patch = lastPatch[minor]
	}
	r := &ReleaseInfo{
		Name: fmt.Sprintf("v1.%d.%d", minor, patch), Minor: minor, Patch: patch,
		AllowCrossNamespaceResources: true,
		AnnotationsRiskLevel:         Critical,
		PermanentRedirectVariables:   true,
		GlobalRateLimit:              true,
	}
	for _, c := range ReleaseDefaults() {
		if r.has(c.From) {
			c.apply(r)
		}
	}
	return r, nil
}

// Releases returns the last release of every minor, oldest first.
func Releases() []*ReleaseInfo {
	all := make([]*ReleaseInfo, 0, newestMinor-oldestMinor+1)
	for minor := oldestMinor; minor <= newestMinor; minor++ {
		if r, err := Release("1." + strconv.Itoa(minor)); err == nil {
			all = append(all, r)
		}
	}
	return all
}

// has reports whether a change is in the release: not before its newest point,
// or in the same minor as an older one and not before that.
func (r *ReleaseInfo) has(from []string) bool {
	for i, f := range from {
		if r.Before(f) {
			continue
		}
		minor, _, err := parseRelease(f)
		if i == len(from)-1 || err == nil && r.Minor == minor {
			return true
		}
	}
	return false
}

// Before reports whether the release is older than the other. A release string
// of this table without a patch means patch 0. An unreadable one is not newer.
func (r *ReleaseInfo) Before(other string) bool {
	minor, patch, err := parseRelease(other)
	if err != nil {
		return false
	}
	return r.Minor < minor || r.Minor == minor && r.Patch < max(patch, 0)
}

// parseRelease returns patch -1 when the string has none.
func parseRelease(s string) (minor, patch int, err error) {
	bad := func() (int, int, error) {
		return 0, 0, fmt.Errorf("ingress-nginx release %q: write it as v1.12 or v1.12.3", s)
	}
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(s, "controller-"), "v"), ".")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "1" {
		return bad()
	}
	patch = -1
	for i, p := range parts[1:] {
		n, convErr := strconv.ParseUint(p, 10, 8)
		if convErr != nil {
			return bad()
		}
		if i == 0 {
			minor = int(n)
		} else {
			patch = int(n)
		}
	}
	return minor, patch, nil
}
