package run

import (
	"fmt"
	"slices"
	"strings"
)

// Plan says for each test of a suite whether it runs.
type Plan struct {
	Suite    string    `json:"suite"` // version of the Gateway API
	Profiles []string  `json:"profiles"`
	Features []string  `json:"features"` // supported; core features of the profiles included
	Inferred bool      `json:"inferred"` // extended features become known at run time only
	Tests    []Planned `json:"tests"`    // in the order they run
	// Prepare says what is done between the suite's set-up and its tests.
	Prepare  []string `json:"prepare,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Planned is a test of a plan.
type Planned struct {
	Name string `json:"name"`
	// Runs is false for a test that is left out, for the Reason given. It is true
	// for one that runs, and for one of which Reason says what it depends on.
	Runs   bool   `json:"runs"`
	Reason string `json:"reason,omitempty"`
	// Profiles are those that count the test, of the profiles asked for. A test
	// without any runs but never reaches the official report.
	Profiles []Membership `json:"profiles,omitempty"`
	Features []string     `json:"features"`

	excluded bool // by us, rather than by the suite for want of a feature
}

// Membership is a test's place in a profile.
type Membership struct {
	Profile string `json:"profile"`
	Level   string `json:"level"` // "core" or "extended"
}

// Levels of support (https://gateway-api.sigs.k8s.io/concepts/conformance/).
const (
	LevelCore     = "core"
	LevelExtended = "extended"
)

// NewPlan says which tests of a suite would run. known are the features that
// GatewayClass and mesh say they support, nil when they have not been asked.
func NewPlan(l *Listing, o *Options, known []string) (*Plan, error) {
	profiles, err := l.profiles(o.Profiles)
	if err != nil {
		return nil, err
	}
	focus, err := pattern("--focus", o.Focus)
	if err != nil {
		return nil, err
	}
	skip, err := pattern("--skip", o.Skip)
	if err != nil {
		return nil, err
	}
	p := &Plan{Suite: l.Version, Profiles: o.Profiles, Prepare: o.Implementation.Prepared}
	supported := p.supported(l, &o.Implementation, known)
	for _, profile := range profiles {
		for _, f := range profile.Core {
			supported[f] = true
		}
	}
	for _, e := range o.Implementation.Exempt {
		if supported[e] {
			p.warn("feature %s is core in a profile asked for, so it cannot be exempt", e)
		}
	}
	for _, t := range l.Tests {
		planned := Planned{Name: t.Name, Features: t.Features, Profiles: memberships(t, profiles)}
		why, listed := o.Implementation.SkipTests.reason(t.Name, l.Version)
		missing := slices.DeleteFunc(slices.Clone(t.Features), func(f string) bool { return supported[f] })
		switch {
		case focus != nil && !focus.MatchString(t.Name):
			planned.Reason, planned.excluded = "not in --focus", true
		case skip != nil && skip.MatchString(t.Name):
			planned.Reason, planned.excluded = "in --skip", true
		case listed:
			planned.Reason, planned.excluded = "the implementation skips it: "+why, true
		case len(missing) == 0:
			planned.Runs = true
		case p.Inferred && l.inferable(missing, &o.Implementation):
			planned.Runs = true
			planned.Reason = "if the " + o.Implementation.witness() + " says it supports " + strings.Join(missing, ", ")
		default:
			planned.Reason = "not supported: " + strings.Join(missing, ", ")
		}
		p.Tests = append(p.Tests, planned)
	}
	for _, e := range slices.Concat(o.Implementation.SkipTests, o.Implementation.KnownToFail).in(l.Version) {
		if !l.has(e.Name) {
			p.warn("test %s, which the implementation names, is not in this suite", e.Name)
		}
	}
	slices.Sort(p.Warnings)
	for f := range supported {
		p.Features = append(p.Features, f)
	}
	slices.Sort(p.Features)
	if !slices.ContainsFunc(p.Tests, func(t Planned) bool { return t.Runs }) {
		return p, fmt.Errorf("%w: no test would run: see which and why with --dry-run", ErrOptions)
	}
	return p, nil
}

// supported are the features that are listed or became known, as the suite
// counts them: those exempt left out.
func (p *Plan) supported(l *Listing, impl *Implementation, known []string) map[string]bool {
	features := impl.Features
	switch {
	case impl.AllFeatures:
		for _, f := range l.Features {
			features = append(slices.Clip(features), f.Name)
		}
	case impl.infers():
		features, p.Inferred = known, known == nil
	}
	in, unknown := subset(features, l.knowsFeature)
	for _, f := range unknown {
		p.warn("feature %s is not in this suite", f)
	}
	out := map[string]bool{}
	for _, f := range in {
		out[f] = !slices.Contains(impl.Exempt, f)
	}
	for f, yes := range out {
		if !yes {
			delete(out, f)
		}
	}
	return out
}

// witness is what says which features are supported.
func (i *Implementation) witness() string {
	switch {
	case i.Mesh == "":
		return "GatewayClass"
	case i.GatewayClass == "":
		return "XMesh"
	}
	return "GatewayClass or XMesh"
}

// inferable reports whether features may turn out to be supported. Of a mesh's
// own features a GatewayClass is not believed, nor an XMesh of Gateways'
// (fetchMeshSupportedFeatures in the suite's utils/suite/suite.go).
func (l *Listing) inferable(missing []string, impl *Implementation) bool {
	return !slices.ContainsFunc(missing, func(f string) bool {
		return slices.Contains(impl.Exempt, f) || impl.Mesh == "" && l.ofMesh(f) || impl.GatewayClass == "" && strings.HasPrefix(f, "Gateway")
	})
}

// ofMesh reports whether a feature is in profiles of meshes only.
func (l *Listing) ofMesh(feature string) bool {
	mesh, other := false, false
	for _, p := range l.Profiles {
		if slices.Contains(p.Core, feature) || slices.Contains(p.Extended, feature) {
			if strings.HasPrefix(p.Name, "MESH-") {
				mesh = true
			} else {
				other = true
			}
		}
	}
	return mesh && !other
}

func (p *Plan) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// names are the tests that may run.
func (p *Plan) names() []string {
	var out []string
	for _, t := range p.Tests {
		if t.Runs {
			out = append(out, t.Name)
		}
	}
	return out
}

// memberships are the profiles that count a test: those that know each of its
// features. It is extended if one of them is (isTestExtended in the suite's
// utils/suite/reports.go).
func memberships(t Test, profiles []Profile) []Membership {
	var out []Membership
	for _, p := range profiles {
		level := LevelCore
		for _, f := range t.Features {
			if slices.Contains(p.Core, f) {
				continue
			}
			if !slices.Contains(p.Extended, f) {
				level = ""
				break
			}
			level = LevelExtended
		}
		if level != "" {
			out = append(out, Membership{p.Name, level})
		}
	}
	return out
}

// Memberships are the profiles of the suite that count a test.
func (l *Listing) Memberships(t Test) []Membership { return memberships(t, l.Profiles) }

func (l *Listing) knowsFeature(name string) bool {
	return slices.ContainsFunc(l.Features, func(f Feature) bool { return f.Name == name })
}

func (l *Listing) has(test string) bool {
	return slices.ContainsFunc(l.Tests, func(t Test) bool { return t.Name == test })
}

// profiles are the profiles of the given names.
func (l *Listing) profiles(names []string) ([]Profile, error) {
	var out []Profile
	var known []string
	for _, p := range l.Profiles {
		known = append(known, p.Name)
	}
	for _, n := range names {
		i := slices.Index(known, n)
		if i < 0 {
			return nil, fmt.Errorf("%w: suite %s has no profile %q: it has %s", ErrOptions, l.Version, n, strings.Join(known, ", "))
		}
		out = append(out, l.Profiles[i])
	}
	return out, nil
}
