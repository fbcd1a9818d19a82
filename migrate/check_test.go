package migrate_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/migrate/verify"
)

// TestFixturesVerify: what is written for every fixture routes like its input,
// but for what the ledger announces, in every layout and channel.
func TestFixturesVerify(t *testing.T) {
	var inputs []string
	for _, pattern := range []string{"../fixtures/traps/*/input.yaml", "../fixtures/ingress-nginx-docs/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		inputs = append(inputs, files...)
	}
	if len(inputs) < 60 {
		t.Fatalf("%d fixtures found", len(inputs))
	}
	inputs = append(inputs, "../fixtures/shop")
	for _, in := range inputs {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(in, "../fixtures/"), "/input.yaml"), func(t *testing.T) {
			set := readLoosely(t, in)
			for _, channel := range []gatewayapi.Channel{gatewayapi.Standard, gatewayapi.Experimental} {
				for _, layout := range []emit.LayoutKind{emit.Shared, emit.PerNamespace, emit.Existing, emit.TeamListeners} {
					for _, open := range []bool{false, true} {
						var o migrate.Options
						o.Emit = emit.Options{Version: gatewayapi.Default, Channel: channel, Gateway: emit.Layout{Kind: layout}, AllowUnguarded: open, DefaultCertificate: map[bool]string{true: "certs/default"}[open]}
						if layout == emit.Existing && strings.Contains(in, "istio-beside-ingress") {
							if _, err := migrate.Run(t.Context(), set, o); err == nil {
								t.Error("two entrances were merged on one Gateway")
							}
							continue
						}
						holdCheck(t, run(t, set, o))
					}
				}
			}
		})
	}
}

func readLoosely(t testing.TB, file string) *source.Set {
	t.Helper()
	set, _, err := source.Read(t.Context(), source.Options{Files: []string{file}, Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func holdCheck(t testing.TB, res *migrate.Result) *verify.Result {
	t.Helper()
	v, problems, err := migrate.Check(t.Context(), res)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("the output does not hold together: %s %s: %s: %s", p.Object, p.Path, p.Reason, p.Message)
	}
	for _, d := range v.Surprises() {
		t.Errorf("%s %s://%s%s %v: %s: before %s, after %s", d.Request.Method, d.Request.Scheme, d.Request.Host, d.Request.Path, d.Request.Headers, d.Aspects, why(d.Before), why(d.After))
	}
	return v
}
