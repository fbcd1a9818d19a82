// Package annotation is the table of everything that configures ingress-nginx:
// each annotation of releases v1.9 to v1.15.1 (Row), each ConfigMap key (Key)
// and the defaults that changed between releases (ReleaseInfo). A row says what
// the controller accepts, what it does with a value it does not accept, and
// what a migration makes of the annotation at best.
//
// The package owns facts, not behaviour: it neither reads objects nor builds
// routes. Source of the facts, unless a row says otherwise, is the controller's
// code at v1.11.0 below internal/ingress/annotations (Row.Why names the file),
// with its changelogs for later releases.
package annotation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

// Prefix is the default prefix of ingress-nginx annotations (parser/main.go,
// DefaultAnnotationsPrefix); the controller flag --annotations-prefix changes it.
const Prefix = "nginx.ingress.kubernetes.io"

// Scope is where the controller says an annotation acts. It is documentation in
// the controller too: some "location" rows act on the whole server.
type Scope string

// Scopes.
const (
	Ingress  Scope = "ingress"
	Location Scope = "location"
)

// Risk ranks an annotation by the harm its author can do. An ingress with an
// annotation above the controller's annotations-risk-level is skipped whole
// (annotations.go Extract, parser CheckAnnotationRisk).
type Risk uint8

// Risks.
const (
	Low Risk = iota
	Medium
	High
	Critical
)

var riskNames = [...]string{"Low", "Medium", "High", "Critical"}

func (r Risk) String() string {
	if int(r) < len(riskNames) {
		return riskNames[r]
	}
	return fmt.Sprintf("Risk(%d)", uint8(r))
}

// ParseRisk reads annotations-risk-level as the controller does: without regard
// to case, anything unknown is Low (parser/main.go StringRiskToRisk).
func ParseRisk(s string) Risk {
	for i, name := range riskNames {
		if strings.EqualFold(s, name) {
			return Risk(i)
		}
	}
	return Low
}

// Effect is what the controller does with an ingress because of one value.
type Effect uint8

// Effects, in order of reach.
const (
	// UseValue: the value is used as written.
	UseValue Effect = iota
	// IgnoreValue: this value alone is replaced by its default.
	IgnoreValue
	// IgnoreGroup: the parser gives up, so all annotations it reads (those with
	// the same Parser) are as if absent. For authentication this opens the route.
	IgnoreGroup
	// DenyLocation: every location of the ingress answers 503.
	DenyLocation
	// DropIngress: the ingress is skipped whole; it serves nothing.
	DropIngress
	// BreakConfiguration: nginx refuses the generated file, so the controller
	// keeps its old configuration and applies nothing for anybody.
	BreakConfiguration
)

var effectNames = [...]string{"use the value", "ignore the value", "ignore the group", "deny the location (503)",
	"drop the ingress", "break the configuration"}

func (e Effect) String() string {
	if int(e) < len(effectNames) {
		return effectNames[e]
	}
	return fmt.Sprintf("Effect(%d)", uint8(e))
}

// Row is one annotation.
type Row struct {
	// Name is the bare name, without the prefix.
	Name string
	// Aliases are read, in order, when Name is absent or empty.
	Aliases []string
	// Group is the heading the annotation is documented under.
	Group Group
	// Parser is the controller's parser that reads it: its folder below
	// internal/ingress/annotations.
	Parser string
	Scope  Scope
	Risk   Risk
	// Rule is the controller's validator in its newest form.
	Rule Rule
	// Earlier holds older forms of the validator, oldest first.
	Earlier []EarlierRule

	// Needs names the annotation without which the parser returns early: then
	// this one has no effect and a bad value goes unseen.
	Needs string
	// Unless names the annotation with which the parser returns before it reads
	// this one.
	Unless string
	// Invalid is the effect of a value that fails the validator while
	// annotation validation is on (default from v1.12).
	Invalid Effect
	// Unvalidated is the effect of such a value while validation is off.
	Unvalidated Effect
	// Empty is the effect of an annotation that is present without a value; the
	// validators never see it (parser/validators.go checkAnnotation).
	Empty Effect
	// Content is what the parser checks beyond the validator, nil for nothing;
	// Malformed is the effect of failing it, with validation on or off.
	Content   func(string) error
	Malformed Effect
	// Raw: without validation the value lands unquoted in the nginx file.
	Raw bool
	// Why points at the code the effects were read from, and says what is odd.
	Why string

	// Since and Removed are release strings: the first release that has the
	// annotation, "" for before v1.9, and the first without, "" for none.
	Since, Removed string
	// Becomes is the best a migration can make of the annotation, Target what it
	// becomes in a few words, Remedy what to do where that is not possible.
	Becomes ledger.Status
	Target  string
	Remedy  string

	// Snippet: the value is raw nginx configuration.
	Snippet bool
	// Access: the annotation decides who may enter.
	Access bool
}

// EarlierRule is a validator that held before a release.
type EarlierRule struct {
	Before string // the first release without it
	Rule   Rule
}

// Validate applies the newest form of the controller's validator. Empty values
// are never validated (parser/validators.go checkAnnotation).
func (r *Row) Validate(value string) error {
	return r.validate(r.Rule, value)
}

// ValidateIn applies the validator as it was in the release.
func (r *Row) ValidateIn(release *ReleaseInfo, value string) error {
	rule := r.Rule
	if release != nil {
		for _, e := range r.Earlier {
			if release.Before(e.Before) {
				rule = e.Rule
				break
			}
		}
	}
	return r.validate(rule, value)
}

func (r *Row) validate(rule Rule, value string) error {
	if value == "" {
		return nil
	}
	if err := rule.check(value); err != nil {
		return fmt.Errorf("annotation %s: %w (rule: %s)", r.Name, err, rule.Name)
	}
	return nil
}

// In reports whether the release knows the annotation.
func (r *Row) In(release *ReleaseInfo) bool {
	if release == nil {
		return r.Removed == ""
	}
	return (r.Since == "" || !release.Before(r.Since)) && (r.Removed == "" || release.Before(r.Removed))
}

// Judge says what the controller does because of the value, with annotation
// validation on or off, and why. It looks at the value alone: the caller heeds
// Needs, Unless and In, and takes an empty alias for an absent one. A nil
// release is the newest.
func (r *Row) Judge(release *ReleaseInfo, validation bool, value string) (Effect, error) {
	if value == "" {
		return r.Empty, fmt.Errorf("annotation %s is empty", r.Name)
	}
	invalid := r.ValidateIn(release, value)
	switch {
	case invalid != nil && validation:
		return r.Invalid, invalid
	case strings.TrimSpace(value) == "":
		return r.Empty, fmt.Errorf("annotation %s is blank", r.Name)
	case invalid != nil && r.Unvalidated != UseValue:
		return r.Unvalidated, invalid
	}
	if r.Content != nil {
		if err := r.Content(value); err != nil {
			return r.Malformed, fmt.Errorf("annotation %s: %w", r.Name, err)
		}
	}
	if invalid != nil && r.Raw && unsafeUnquoted(value) {
		return BreakConfiguration, invalid
	}
	return UseValue, nil
}

// unsafeUnquoted reports whether an unquoted value would end or split an nginx
// directive. Measured on v1.11: `/a b` and `/a;b` as rewrite-target, and
// `not a url` as permanent-redirect, stop the controller from applying anything.
func unsafeUnquoted(value string) bool {
	return strings.ContainsAny(value, " \t\r\n;{}\"'")
}

// Group is a heading of the documentation.
type Group string

// table holds all rows sorted by name, and the index of names and aliases. It
// is built once from the row files and never changes.
var table, index = build()

func build() ([]Row, map[string]int) {
	rows := slices.Concat(rewriteRows, redirectRows, canaryRows, affinityRows, basicAuthRows, externalAuthRows,
		clientCertificateRows, accessRows, rateLimitRows, corsRows, upstreamTLSRows, backendRows, proxyRows,
		observabilityRows, modSecurityRows, snippetRows, serverRows)
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	byName := make(map[string]int, len(rows)+8)
	for i := range rows {
		byName[rows[i].Name] = i
		for _, alias := range rows[i].Aliases {
			byName[alias] = i
		}
	}
	return rows, byName
}

// Lookup finds a row by bare name or alias; for an alias it is the canonical
// row. The row is a copy.
func Lookup(name string) (*Row, bool) {
	i, ok := index[name]
	if !ok {
		return nil, false
	}
	row := table[i]
	return &row, true
}

// All returns a copy of every row, sorted by name. Aliases have no row of their
// own.
func All() []Row { return slices.Clone(table) }

// Names returns every name an ingress may carry, aliases included, sorted.
func Names() []string {
	names := make([]string, 0, len(index))
	for name := range index {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Risky returns those of the bare names whose risk is above the level, sorted.
// Names the table does not know are not risky: the controller does not read
// them. Aliases count by their canonical row, as from v1.15 (changelog
// controller-1.15.0, "Consider aliases in risk evaluation"); before, the
// controller did not look at them, see ReleaseInfo.AliasesRisked.
func Risky(names []string, level Risk) []string {
	var risky []string
	for _, name := range names {
		if i, ok := index[name]; ok && table[i].Risk > level {
			risky = append(risky, name)
		}
	}
	slices.Sort(risky)
	return slices.Compact(risky)
}
