// Package submission lays out what a vendor sends to the Gateway API project: a
// folder with the official report of a run, exactly as the suite wrote it, and a
// README.md that says how to come by it again. It holds report, run and claim
// against each other and against the project's rules
// (https://github.com/kubernetes-sigs/gateway-api/blob/main/conformance/reports/README.md),
// and writes nothing that a maintainer would refuse. It runs no suite.
package submission

import (
	"fmt"
	"strings"

	"github.com/causeway-gateway/causeway/reports/conformance"
)

// Claim is what a vendor says of an implementation: its descriptor.
type Claim struct {
	// File the claim was read from, and Data is its text.
	File string
	Data []byte
	// Beside are the files that the descriptor names beside itself.
	Beside []string

	Implementation conformance.Implementation
	Channel, Mode  string
	Profiles       []string
	// Skipped are the tests that are left out, each with the reason.
	Skipped map[string]string
	// Steps are those between the suite's set-up and its tests, which the suite
	// does not expect, in words.
	Steps []string
}

// Problem is one reason to refuse a submission, or to think twice.
type Problem struct {
	// Rule names the rule, for scripts.
	Rule string `json:"rule"`
	// Message says what is wrong, where, and what to do.
	Message string `json:"message"`
	// Conformance tells tests that failed from everything else.
	Conformance bool `json:"conformance,omitempty"`
}

func (p Problem) String() string { return fmt.Sprintf("%s [%s]", p.Message, p.Rule) }

// RefusedError says why there is no folder.
type RefusedError struct{ Problems []Problem }

func (e *RefusedError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = "- " + p.String()
	}
	return "the Gateway API project would refuse this submission:\n" + strings.Join(lines, "\n")
}

// Nonconformant reports whether tests failed.
func (e *RefusedError) Nonconformant() bool {
	for _, p := range e.Problems {
		if p.Conformance {
			return true
		}
	}
	return false
}

// problems collects reasons.
type problems struct{ refusals, warnings []Problem }

func (p *problems) refuse(rule, format string, args ...any) {
	p.refusals = append(p.refusals, Problem{Rule: rule, Message: fmt.Sprintf(format, args...)})
}

func (p *problems) warn(rule, format string, args ...any) {
	p.warnings = append(p.warnings, Problem{Rule: rule, Message: fmt.Sprintf(format, args...)})
}

func (p *problems) fail(rule, format string, args ...any) {
	p.refusals = append(p.refusals, Problem{Rule: rule, Message: fmt.Sprintf(format, args...), Conformance: true})
}

func (p *problems) err() error {
	if len(p.refusals) == 0 {
		return nil
	}
	return &RefusedError{p.refusals}
}

// Check holds the claim alone against the rules, so that nobody waits for a run
// whose report cannot be sent. The error is a [*RefusedError].
func (c *Claim) Check() error {
	var p problems
	c.check(&p)
	return p.err()
}

func (c *Claim) check(p *problems) {
	for _, l := range conformance.LintClaim(c.File, c.Implementation, c.Channel, c.Mode) {
		p.refuse(l.Rule, "%s: %s", c.File, l.Message)
	}
	if len(c.Profiles) == 0 {
		p.refuse("profiles", "%s: no profile is claimed", c.File)
	}
	if _, err := c.folder(); err != nil {
		p.refuse("folder", "%s: %v", c.File, err)
	}
}

// folder is the name of the implementation's folder, "organization-project".
func (c *Claim) folder() (string, error) {
	name := slug(c.Implementation.Organization) + "-" + slug(c.Implementation.Project)
	if strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") {
		return "", fmt.Errorf("organization %q and project %q make no name of a folder: each needs a letter or digit of ASCII", c.Implementation.Organization, c.Implementation.Project)
	}
	return name, nil
}

// slug is text as part of a file's name: lower-case letters, digits, dots and
// hyphens, and nothing that leads out of a folder.
func slug(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			b.WriteRune(r)
		} else {
			b.WriteRune('-')
		}
	}
	return strings.Trim(b.String(), "-.")
}
