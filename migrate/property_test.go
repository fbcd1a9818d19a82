package migrate_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/output"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// fataler is what rapid.T, testing.T and testing.F's T share.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func readText(t fataler, text []byte) *source.Set {
	t.Helper()
	set, _, err := source.Read(tContext, source.Options{Files: []string{"-"}, Stdin: bytes.NewReader(text)})
	if err != nil {
		t.Fatalf("reading: %v\n%s", err, text)
	}
	return set
}

func genOptions(t *rapid.T) migrate.Options {
	return migrate.Options{
		Nginx: nginx.Options{Release: rapid.SampledFrom([]string{"1.9", "1.11", "1.12", "1.15"}).Draw(t, "release"), SSLPassthrough: rapid.Bool().Draw(t, "passthrough")},
		Emit: emit.Options{
			Version:            rapid.SampledFrom(gatewayapi.Versions).Draw(t, "version"),
			Channel:            rapid.SampledFrom([]gatewayapi.Channel{gatewayapi.Standard, gatewayapi.Experimental}).Draw(t, "channel"),
			DefaultCertificate: rapid.SampledFrom([]string{"", "ingress-nginx/cert"}).Draw(t, "certificate"),
			Gateway:            emit.Layout{Kind: emit.LayoutKind(rapid.IntRange(0, 3).Draw(t, "layout"))},
		},
	}
}

// TestAnyInputIsAccountedForAndValid: whatever the Ingresses, every leaf has an
// entry, every entry's target exists, the CRDs accept the output, and a second
// run gives the same bytes.
func TestAnyInputIsAccountedForAndValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, o := genSet(t), genOptions(t)
		o.Validate = validate.Full
		set := readText(t, text)
		res := convert(t, set, o)
		holdLedger(t, set, res)
		again := convert(t, readText(t, text), o)
		if a, b := written(t, res), written(t, again); a != b {
			t.Fatalf("two runs differ:\n%s\n---\n%s", a, b)
		}
		if !reflect.DeepEqual(res.Ledger, again.Ledger) {
			t.Fatalf("the ledgers of two runs differ")
		}
	})
}

func convert(t fataler, set *source.Set, o migrate.Options) *migrate.Result {
	t.Helper()
	res, err := migrate.Run(tContext, set, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, i := range res.Issues {
		t.Fatalf("invalid output: %v", i)
	}
	return res
}

func written(t fataler, res *migrate.Result) string {
	t.Helper()
	var b strings.Builder
	if err := output.WriteStream(&b, res.Objects, output.Options{Format: "yaml"}, nil); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// holdLedger fails for a leaf without entry, a loss without a message and a
// target that is not in the output.
func holdLedger(t fataler, set *source.Set, res *migrate.Result) {
	t.Helper()
	byObject := map[routing.ObjectRef][]ledger.Entry{}
	for _, e := range res.Ledger.Entries {
		byObject[e.Object] = append(byObject[e.Object], e)
		if e.Message == "" && e.Status != ledger.Converted {
			t.Fatalf("%s %s is %s without a message", e.Object, e.Path, e.Status)
		}
	}
	for _, o := range allObjects(set) {
		a := &ledger.Account{Tree: o.Tree()}
		for _, e := range byObject[o.Ref] {
			a.Add(e)
		}
		if left := a.Uncovered(); len(left) > 0 {
			t.Fatalf("%s: no entry for %q", o.Ref, left)
		}
	}
	objects := map[routing.ObjectRef]bool{}
	for _, o := range res.Objects {
		objects[routing.ObjectRef{Kind: o.GetObjectKind().GroupVersionKind().Kind, Namespace: o.GetNamespace(), Name: o.GetName()}] = true
	}
	for _, e := range res.Ledger.Entries {
		for _, x := range e.Targets {
			if !objects[x.Ref()] {
				t.Fatalf("%s %s went to %s %s/%s, which is not in the output", e.Object, e.Path, x.Kind, x.Namespace, x.Name)
			}
		}
	}
}

func allObjects(set *source.Set) []*source.Object {
	out := append(append([]*source.Object(nil), set.Namespaces...), set.Others...)
	for _, x := range set.Ingresses {
		out = append(out, x.Object)
	}
	for _, x := range set.Services {
		out = append(out, x.Object)
	}
	for _, x := range set.IngressClasses {
		out = append(out, x.Object)
	}
	for _, x := range set.ConfigMaps {
		out = append(out, x.Object)
	}
	for _, x := range set.Secrets {
		out = append(out, x.Object)
	}
	return out
}

// TestOutputRoutesLikeTheInput: for requests at the edges of what was written,
// the Gateway API objects send them where the Ingresses do, or the ledger has
// something to say of an object involved; and what the Ingresses guard is never
// let through.
func TestOutputRoutesLikeTheInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, o := genSet(t), genOptions(t)
		o.Emit.Gateway.Kind = emit.Shared // other layouts serve a host at several addresses
		set := readText(t, text)
		res := convert(t, set, o)
		compiled := compile.Compile(res.Objects, compile.Options{Reading: routing.Reading{NormalizePath: true}})
		for _, p := range compiled.Problems {
			t.Fatalf("the output does not hold together: %s %s: %s: %s", p.Object, p.Path, p.Reason, p.Message)
		}
		lossy := lossyObjects(res.Ledger)
		for _, r := range probes(set) {
			before, after := res.Parts[0].Table.Route(&r), compiled.Table.Route(&r)
			// A name below a wildcard's one label belonged to a broader host; the
			// wildcard takes it in Gateway API, which the ledger says of the host.
			deeper := after.Why != nil && strings.Count(r.Host, ".") > 2
			if len(after.Backends) > 0 && len(after.Guards) == 0 && guarded(before) && !deeper {
				t.Fatalf("%s: guarded before, forwarded to %v after (%s)", probe(&r), after.Backends, why(after))
			}
			if diff := unlike(before, after); diff != "" && !involved(res, before, after, lossy) {
				t.Fatalf("%s: %s (before: %s; after: %s), and the ledger is silent", probe(&r), diff, why(before), why(after))
			}
		}
	})
}

// TestOutputVerifies: verification finds nothing that the ledger does not
// announce, whatever the Ingresses and options.
func TestOutputVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, o := genSet(t), genOptions(t)
		o.Validate = validate.Off
		res := convert(t, readText(t, text), o)
		v, problems, err := migrate.Check(t.Context(), res)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Fatalf("the output does not hold together: %s %s: %s: %s", p.Object, p.Path, p.Reason, p.Message)
		}
		for _, d := range v.Surprises() {
			t.Fatalf("%s: %s (before: %s; after: %s), and the ledger is silent", probe(&d.Request), d.Aspects, why(d.Before), why(d.After))
		}
	})
}

func probe(r *routing.Request) string {
	return fmt.Sprintf("%s %s://%s%s %v", r.Method, r.Scheme, r.Host, r.Path, r.Headers)
}

// probes are requests for each host and path of the input and their
// neighbours.
func probes(set *source.Set) []routing.Request {
	hosts := []string{"a.example.com", "b.example.com", "alias.example.com", "www.b.example.com", "other.test", "x.y.example.com"}
	paths := []string{"/", "/a", "/a/", "/ab", "/a/b", "/a/b/c", "/A", "/v1/x", "/b", "/a.b", "/axb", "/start", "/nowhere", "/a//b", "/a/../b"}
	var out []routing.Request
	for _, h := range hosts {
		for _, p := range paths {
			for _, s := range []string{"http", "https"} {
				r := routing.Request{Method: "GET", Scheme: s, Host: h, Path: p, SourceIP: "192.0.2.1"}
				out = append(out, r)
				r.Headers = map[string]string{"X-Canary": "yes"}
				out = append(out, r)
			}
		}
	}
	return out
}

// unlike says how two decisions differ for a client and a backend; "" when
// they do not.
func unlike(a, b routing.Decision) string {
	// Refused before and not served after is the same for who gets in: nobody.
	if b.Why == nil && (a.Why == nil || len(a.Backends) == 0 && a.Location == "") {
		return ""
	}
	switch {
	case !sameShares(a.Backends, b.Backends):
		return fmt.Sprintf("backends %v, then %v", a.Backends, b.Backends)
	case a.Status != b.Status:
		return fmt.Sprintf("status %d, then %d", a.Status, b.Status)
	case a.Location != b.Location:
		return fmt.Sprintf("redirected to %s, then %s", a.Location, b.Location)
	case len(a.Backends) > 0 && (a.URI != b.URI || !strings.EqualFold(a.UpstreamHost, b.UpstreamHost)):
		return fmt.Sprintf("the backend gets %s%s, then %s%s", a.UpstreamHost, a.URI, b.UpstreamHost, b.URI)
	}
	return ""
}

func sameShares(a, b map[string]float64) bool {
	for k, x := range a {
		if math.Abs(x-b[k]) > 1e-6 {
			return false
		}
	}
	return len(a) == len(b)
}

// FuzzMigrate: any bytes are read, converted and written without a panic, with
// every leaf accounted for and valid output.
func FuzzMigrate(f *testing.F) {
	for _, pattern := range []string{"../fixtures/traps/*/input.yaml", "../fixtures/ingress-nginx-docs/*.yaml", "../fixtures/shop/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(text) < 4<<10 {
				f.Add(text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		set := readText(t, text)
		res := convert(t, set, migrate.Options{Emit: emit.Options{Version: gatewayapi.Default, Channel: gatewayapi.Standard}, Validate: validate.Schema})
		holdLedger(t, set, res)
		if err := output.WriteStream(io.Discard, res.Objects, output.Options{Format: "yaml"}, nil); err != nil {
			t.Fatal(err)
		}
	})
}
