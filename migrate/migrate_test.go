package migrate_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/fixtures/generate"
	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/output"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// tContext is the context of tests that have no testing.T at hand.
var tContext = context.Background()

var update = flag.Bool("update", false, "write the golden files")

func read(t testing.TB, files ...string) *source.Set {
	t.Helper()
	set, problems, err := source.Read(t.Context(), source.Options{Files: files, Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !p.Warning {
			t.Error(p)
		}
	}
	return set
}

func run(t testing.TB, set *source.Set, o migrate.Options) *migrate.Result {
	t.Helper()
	if o.Emit.Version == "" {
		o.Emit.Version, o.Emit.Channel = gatewayapi.Default, gatewayapi.Standard
	}
	for _, cm := range set.ConfigMaps {
		if cm.Namespace == "ingress-nginx" && cm.Name == "ingress-nginx-controller" {
			o.Nginx.Config, o.Nginx.ConfigMap = cm.Data, "ingress-nginx/ingress-nginx-controller"
		}
		switch id := cm.Namespace + "/" + cm.Name; id {
		case "ingress-nginx/tcp-services":
			o.Nginx.TCPServices = id
		case "ingress-nginx/udp-services":
			o.Nginx.UDPServices = id
		}
	}
	res, err := migrate.Run(t.Context(), set, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range res.Issues {
		t.Errorf("invalid output: %v", i)
	}
	return res
}

// golden is the output and the ledger's lines that are not plainly converted
// or ignored, as a reviewer reads them.
func golden(t *testing.T, res *migrate.Result) string {
	var b strings.Builder
	for _, e := range res.Ledger.Entries {
		if e.Status != ledger.Converted && e.Status != ledger.Ignored {
			fmt.Fprintf(&b, "# [%s] %s %s: %s\n", e.Status, e.Object, e.Path, strings.ReplaceAll(e.Message, "\n", " "))
		}
	}
	if err := output.WriteStream(&b, res.Objects, output.Options{Format: "yaml"}, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestTraps holds the output for each known trap to its golden file.
func TestTraps(t *testing.T) {
	dirs, _ := filepath.Glob("../fixtures/traps/*/input.yaml")
	if len(dirs) == 0 {
		t.Fatal("no traps found")
	}
	for _, in := range dirs {
		t.Run(filepath.Base(filepath.Dir(in)), func(t *testing.T) {
			got := golden(t, run(t, read(t, in), migrate.Options{Validate: validate.Full}))
			path := filepath.Join(filepath.Dir(in), "golden.yaml")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v: run go test ./migrate -run TestTraps -update", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the output changed; if that is right, run with -update (-want +got):\n%s", diff)
			}
		})
	}
}

// accounted fails for every leaf of an Ingress that no entry covers.
func accounted(t testing.TB, set *source.Set, l *ledger.Ledger) {
	t.Helper()
	byObject := map[string][]ledger.Entry{}
	for _, e := range l.Entries {
		byObject[e.Object.String()] = append(byObject[e.Object.String()], e)
	}
	for _, ing := range set.Ingresses {
		a := &ledger.Account{Tree: ing.Object.Tree()}
		for _, e := range byObject[ing.Object.Ref.String()] {
			a.Add(e)
		}
		for _, leaf := range a.Uncovered() {
			t.Errorf("%s: leaf %s has no entry", ing.Object.Ref, leaf)
		}
	}
}

// TestDocumentationManifests converts every manifest of the controller's
// documentation: nothing crashes, nothing invalid, no leaf unaccounted.
func TestDocumentationManifests(t *testing.T) {
	files, _ := filepath.Glob("../fixtures/ingress-nginx-docs/*.y*ml")
	if len(files) == 0 {
		t.Fatal("no manifests found")
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			set, _, err := source.Read(t.Context(), source.Options{Files: []string{f}})
			if err != nil {
				t.Fatal(err)
			}
			accounted(t, set, run(t, set, migrate.Options{Validate: validate.Full}).Ledger)
		})
	}
}

// TestEveryReleaseAndChannel writes valid objects for each.
func TestEveryReleaseAndChannel(t *testing.T) {
	for _, v := range gatewayapi.Versions {
		for _, c := range []gatewayapi.Channel{gatewayapi.Standard, gatewayapi.Experimental} {
			t.Run(string(v)+"-"+string(c), func(t *testing.T) {
				s := read(t, "../fixtures/shop")
				o := migrate.Options{Validate: validate.Full, Emit: emit.Options{Version: v, Channel: c, DefaultCertificate: "gateway/default-tls"}}
				accounted(t, s, run(t, s, o).Ledger)
			})
		}
	}
}

// TestOutputIsDeterministic converts the same input several times.
func TestOutputIsDeterministic(t *testing.T) {
	first := golden(t, run(t, read(t, "../fixtures/shop"), migrate.Options{}))
	for i := 0; i < 5; i++ {
		if diff := cmp.Diff(first, golden(t, run(t, read(t, "../fixtures/shop"), migrate.Options{}))); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestGuardedRoutesAreClosedByDefault: no route with access control gets a
// backend unless --allow-unguarded.
func TestGuardedRoutesAreClosedByDefault(t *testing.T) {
	for _, trap := range []string{"auth-basic", "allow-list", "deny-list", "auth-url"} {
		t.Run(trap, func(t *testing.T) {
			in := "../fixtures/traps/" + trap + "/input.yaml"
			closed := run(t, read(t, in), migrate.Options{})
			n := 0
			for _, e := range closed.Ledger.Entries {
				if e.Urgency == ledger.Closed {
					n++
				}
			}
			if n == 0 {
				t.Error("the ledger does not say that a route is closed")
			}
			open := run(t, read(t, in), migrate.Options{Emit: emit.Options{Version: gatewayapi.Default, Channel: gatewayapi.Standard, AllowUnguarded: true}})
			if strings.Count(golden(t, open), "backendRefs") <= strings.Count(golden(t, closed), "backendRefs") {
				t.Error("allow-unguarded should open what was closed")
			}
		})
	}
}

// BenchmarkMigrate converts what was read: n Ingresses with two Services each,
// to Gateway API objects with their ledger. live-MB is the heap in use at the
// end, input and output together.
func BenchmarkMigrate(b *testing.B) {
	for _, n := range []int{1000, 5000, 20000} {
		set, _, err := source.Read(b.Context(), source.Options{Files: []string{"-"}, Stdin: bytes.NewReader(generate.YAML(n, 1))})
		if err != nil {
			b.Fatal(err)
		}
		for _, level := range levels {
			b.Run(fmt.Sprintf("%d/validate=%s", n, level.name), func(b *testing.B) {
				b.ReportAllocs()
				var res *migrate.Result
				for b.Loop() {
					res = run(b, set, migrate.Options{Validate: level.level})
				}
				reportLive(b)
				runtime.KeepAlive(res)
			})
		}
		runtime.KeepAlive(set)
	}
}

// BenchmarkPipeline also reads the Ingresses as YAML and writes the output as
// YAML.
func BenchmarkPipeline(b *testing.B) {
	for _, n := range []int{1000, 5000, 20000} {
		text := generate.YAML(n, 1)
		for _, level := range levels {
			b.Run(fmt.Sprintf("%d/validate=%s", n, level.name), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					set, _, err := source.Read(b.Context(), source.Options{Files: []string{"-"}, Stdin: bytes.NewReader(text)})
					if err != nil {
						b.Fatal(err)
					}
					res := run(b, set, migrate.Options{Validate: level.level})
					if err := output.WriteStream(io.Discard, res.Objects, output.Options{Format: "yaml"}, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

var levels = []struct {
	name  string
	level validate.Level
}{{"off", validate.Off}, {"schema", validate.Schema}, {"full", validate.Full}}

func reportLive(b *testing.B) {
	b.StopTimer()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "live-MB")
}

// fixtureNames lists the traps whose folders begin with a prefix, without it.
func fixtureNames(t *testing.T, prefix string) []string {
	t.Helper()
	dirs, err := filepath.Glob("../fixtures/traps/" + prefix + "*/input.yaml")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no traps begin with %s: %v", prefix, err)
	}
	names := make([]string, len(dirs))
	for i, d := range dirs {
		names[i] = strings.TrimPrefix(filepath.Base(filepath.Dir(d)), prefix)
	}
	return names
}
