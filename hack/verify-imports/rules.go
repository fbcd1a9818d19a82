package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// rule says what packages may import. Folders are relative to the module and
// mean everything below them; "." is main.
type rule struct {
	in     []string // the packages it speaks of; empty for all
	except []string // packages that it does not bind
	// only, when not nil, are the folders of this module that may be imported.
	only []string
	// never are folders of this module, or import paths of others, that may
	// not be imported.
	never []string
	// deep looks at what comes along with an import, too.
	deep bool
	why  string
}

// internal is free to everyone: small helpers that know no domain.
const internal = "internal"

// foreign are the import paths of the ecosystems that the kernel knows nothing of.
var foreign = []string{"k8s.io", "sigs.k8s.io", "istio.io", "github.com/kubernetes", "google.golang.org/grpc"}

// rules are the arrows of docs/design.md: routing ← gatewayapi ← migrate,
// conformance ← scenarios, cmd; reports and backstage are leaves.
var rules = []rule{
	{in: []string{"routing"}, never: foreign, deep: true, why: "the kernel knows no Kubernetes"},
	{in: []string{"routing"}, only: []string{"routing"}, why: "the kernel stands on nothing of ours"},
	{in: []string{"gatewayapi"}, only: []string{"routing", "gatewayapi", internal}, why: "the API side knows no source dialect"},
	{in: []string{"migrate"}, never: []string{"conformance", "reports", "backstage", "scenarios"}, why: "the pipeline returns data; cmd renders it"},
	{in: []string{"migrate/ledger"}, only: []string{"routing", "migrate/ledger", internal}, why: "the ledger knows no dialect"},
	{in: []string{"migrate/source"}, only: []string{"routing", "migrate/source", "migrate/ledger", internal}, why: "reading knows no dialect"},
	{in: []string{"migrate/ingress", "migrate/istio"}, never: []string{"gatewayapi"}, why: "a front end knows no target; the table is all that passes"},
	{in: []string{"migrate/verify"}, only: []string{"routing", "migrate/verify", internal}, why: "the judge knows tables, not where they come from"},
	{in: []string{"conformance"}, never: []string{"migrate", "reports", "backstage", "scenarios"}, why: "certifying and migrating are independent"},
	{in: []string{"reports"}, only: []string{"reports", "routing", "migrate/ledger", "migrate/verify", internal}, why: "reports render data, they do not make it"},
	{except: []string{"reports", "cmd", "hack"}, never: []string{"reports"}, why: "reports are a leaf that cmd calls"},
	{except: []string{"backstage", "cmd", "hack"}, never: []string{"backstage"}, why: "backstage is a leaf that cmd calls"},
	{except: []string{".", "cmd", "scenarios"}, never: []string{"cmd"}, why: "nothing stands on the command line but main"},
	{in: []string{"."}, only: []string{"cmd"}, why: "main is nothing but the call into cmd"},
	{except: []string{"hack"}, never: []string{"hack"}, why: "programs of the build are no part of the product"},
	{never: []string{"istio.io/istio"}, why: "Istio's implementation is no library; use istio.io/api and istio.io/client-go"},
}

// pkg is one package of the module. Imports are full import paths and leave
// out those of tests: a test may use whatever helps it.
type pkg struct {
	Path    string
	Imports []string
	Deps    []string // everything that comes along
}

// checkImports returns one line for each import that a rule forbids, sorted.
func checkImports(module string, packages []pkg) []string {
	var out []string
	for _, p := range packages {
		at := relative(module, p.Path)
		for _, r := range rules {
			if len(r.in) > 0 && !under(at, r.in) || under(at, r.except) {
				continue
			}
			imports := p.Imports
			if r.deep {
				imports = p.Deps
			}
			for _, i := range imports {
				if r.forbids(module, i) {
					out = append(out, fmt.Sprintf("%s imports %s: %s", at, i, r.why))
				}
			}
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

func (r rule) forbids(module, path string) bool {
	if ours(module, path) {
		to := relative(module, path)
		return r.only != nil && !under(to, r.only) || under(to, r.never)
	}
	return under(path, r.never)
}

func ours(module, path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

func relative(module, path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// under reports whether path is one of the folders or below one.
func under(path string, folders []string) bool {
	for _, f := range folders {
		if path == f || strings.HasPrefix(path, f+"/") {
			return true
		}
	}
	return false
}
