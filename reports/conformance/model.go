package conformance

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Report is one conformance report, of any published form.
type Report struct {
	// File it was read from.
	File string `json:"file"`
	// Form is its API version: "v1", "v1alpha1", or empty where it names none.
	Form           string         `json:"form,omitempty"`
	Implementation Implementation `json:"implementation"`
	// Date is the moment of the report as it was written, RFC 3339 or not; "-" has been published.
	Date string `json:"date,omitempty"`
	// GatewayAPI is the release it was tested with, "v1.6.3", or a commit.
	GatewayAPI string `json:"gatewayAPIVersion"`
	// Channel is "standard" or "experimental"; empty before v1.1.
	Channel string `json:"gatewayAPIChannel,omitempty"`
	// Mode of the implementation; empty before v1.1.
	Mode     string    `json:"mode,omitempty"`
	Profiles []Profile `json:"profiles"`
	// Provisional are the provisional tests that passed. They decide nothing.
	Provisional []string `json:"succeededProvisionalTests,omitempty"`
	// Oddities are what the form does not have and was tolerated.
	Oddities []Oddity `json:"oddities,omitempty"`
	// Run is what Causeway knows beyond the report, or nil.
	Run *Run `json:"run,omitempty"`

	lines map[string]int
}

// Implementation is who was tested.
type Implementation struct {
	Organization string   `json:"organization"`
	Project      string   `json:"project"`
	URL          string   `json:"url"`
	Version      string   `json:"version"`
	Contact      []string `json:"contact,omitempty"`
}

// Name is "organization/project", or the project alone where both are the same.
func (i Implementation) Name() string {
	if i.Organization == "" || strings.EqualFold(i.Organization, i.Project) {
		return i.Project
	}
	return i.Organization + "/" + i.Project
}

// Result of a level.
type Result string

// Results that the suite writes.
const (
	Success Result = "success"
	Partial Result = "partial" // nothing failed, something was skipped
	Failure Result = "failure"
)

// Profile is the part of a report about one profile.
type Profile struct {
	// Name as it was written: "HTTP" in old reports, "GATEWAY-HTTP" since v1.0.
	Name    string `json:"name"`
	Summary string `json:"summary,omitempty"`
	Core    Level  `json:"core"`
	// Extended is nil where the profile has no extended tests.
	Extended *Level `json:"extended,omitempty"`
}

// Level is one support level of a profile.
type Level struct {
	Result       Result   `json:"result"`
	Passed       int      `json:"passed"`
	Skipped      int      `json:"skipped"`
	Failed       int      `json:"failed"`
	SkippedTests []string `json:"skippedTests,omitempty"`
	FailedTests  []string `json:"failedTests,omitempty"`
	// Supported and Unsupported are features; only the extended level has them.
	Supported   []string `json:"supportedFeatures,omitempty"`
	Unsupported []string `json:"unsupportedFeatures,omitempty"`
}

// Oddity is something that the form does not have, and that was tolerated.
type Oddity struct {
	Line    int    `json:"line"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// oldProfiles are the names before v1.0 gave gateways' profiles a prefix
// (GEP-1709; conformance/utils/suite/profiles.go of each release).
var oldProfiles = map[string]string{"HTTP": "GATEWAY-HTTP", "TLS": "GATEWAY-TLS", "GRPC": "GATEWAY-GRPC", "MESH": "MESH-HTTP"}

// Canonical is the name of the profile today.
func (p *Profile) Canonical() string {
	if now, ok := oldProfiles[strings.ToUpper(p.Name)]; ok {
		return now
	}
	return p.Name
}

// Levels are the core level and, where there is one, the extended level.
func (p *Profile) Levels() []NamedLevel {
	out := []NamedLevel{{"core", &p.Core}}
	if p.Extended != nil {
		out = append(out, NamedLevel{"extended", p.Extended})
	}
	return out
}

// NamedLevel is a level and its name.
type NamedLevel struct {
	Name string
	*Level
}

// Result is the worst of all levels, as the implementations page of the
// Gateway API sorts reports.
func (r *Report) Result() Result {
	worst := Success
	if len(r.Profiles) == 0 {
		return Failure
	}
	for i := range r.Profiles {
		for _, l := range r.Profiles[i].Levels() {
			switch l.Result {
			case Success:
			case Partial:
				if worst == Success {
					worst = Partial
				}
			default:
				return Failure
			}
		}
	}
	return worst
}

// Time is the moment of the report, and whether it could be understood.
func (r *Report) Time() (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, r.Date)
	return t, err == nil
}

// Feature is an extended feature and what the profiles say about it.
type Feature struct {
	Name string
	// In has a value for each profile that names it: true where it is supported.
	In map[string]bool
}

// Features are all extended features that a report names, sorted: those that
// are supported somewhere first.
func (r *Report) Features() []Feature {
	byName := map[string]*Feature{}
	note := func(name, profile string, supported bool) {
		f := byName[name]
		if f == nil {
			f = &Feature{Name: name, In: map[string]bool{}}
			byName[name] = f
		}
		f.In[profile] = f.In[profile] || supported // a report has named one as both
	}
	for i := range r.Profiles {
		p := &r.Profiles[i]
		if p.Extended == nil {
			continue
		}
		for _, name := range p.Extended.Supported {
			note(name, p.Name, true)
		}
		for _, name := range p.Extended.Unsupported {
			note(name, p.Name, false)
		}
	}
	out := make([]Feature, 0, len(byName))
	for _, f := range byName {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Feature) int {
		if a.Supported() != b.Supported() {
			if a.Supported() {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return out
}

// Supported reports whether any profile supports the feature.
func (f Feature) Supported() bool {
	for _, yes := range f.In {
		if yes {
			return true
		}
	}
	return false
}

// Finding is a test that did not pass.
type Finding struct {
	Profile, Level, Test string
	Failed               bool // else skipped
}

// Findings are all tests that did not pass, failures first, otherwise in the
// order of the report.
func (r *Report) Findings() []Finding {
	var failed, skipped []Finding
	for i := range r.Profiles {
		p := &r.Profiles[i]
		for _, l := range p.Levels() {
			for _, t := range l.FailedTests {
				failed = append(failed, Finding{p.Name, l.Name, t, true})
			}
			for _, t := range l.SkippedTests {
				skipped = append(skipped, Finding{p.Name, l.Name, t, false})
			}
		}
	}
	return append(failed, skipped...)
}
