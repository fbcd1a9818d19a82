package migrate_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/causeway-gateway/causeway/fixtures/observed"
	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// TestObservedAnswersOfTheOutput holds the converted objects to what real
// controllers answered: they agree, or the ledger says of an object involved
// what is not kept. What the controller refused is never let through.
func TestObservedAnswersOfTheOutput(t *testing.T) {
	cluster, err := os.ReadFile("../fixtures/observed/ingress-nginx-cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := observed.Load("../fixtures/observed/ingress-nginx-1.*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"standard", "experimental"} {
		agreed, announced := 0, 0
		for name, c := range cases {
			t.Run(channel+"/"+name, func(t *testing.T) {
				res, out := convertCase(t, c, cluster, channel)
				holdCheck(t, res)
				lossy := lossyObjects(res.Ledger)
				for i := range c.Probes {
					p := &c.Probes[i]
					if p.Stateful || c.Artefact(p) != "" {
						continue
					}
					before, after := res.Parts[0].Table.Route(&p.Request), out.Route(&p.Request)
					what := fmt.Sprintf("%s %s://%s%s %v", p.Request.Method, p.Request.Scheme, p.Request.Host, p.Request.Path, p.Request.Headers)
					if len(after.Backends) > 0 && len(after.Guards) == 0 && (p.Observed.Denied() || guarded(before)) {
						t.Errorf("%s: the controller guards or refuses this, the output forwards it to %v", what, after.Backends)
					}
					diff := p.Difference(after)
					if before.Status == 404 && after.Why == nil {
						diff = "" // served by neither
					}
					switch {
					case diff == "":
						agreed++
					case p.Request.Headers["X-Forwarded-Host"] != "" && lossy[gateway]:
						announced++
					case involved(res, before, after, lossy):
						announced++
						if testing.Verbose() {
							t.Logf("announced: %s: %s (after: %s)", what, diff, why(after))
						}
					default:
						t.Errorf("%s: %s (before: %s; after: %s), and the ledger is silent", what, diff, why(before), why(after))
					}
				}
			})
		}
		t.Logf("%s channel: %d probes agree with the real controller, %d differ as the ledger says", channel, agreed, announced)
	}
}

// gateway stands in the ledger for what concerns every request.
var gateway = routing.ObjectRef{Kind: "Gateway", Namespace: "default", Name: "gateway"}

func convertCase(t *testing.T, c *observed.Case, cluster []byte, channel string) (*migrate.Result, *routing.Table) {
	t.Helper()
	in := bytes.NewReader([]byte(c.Manifests + "\n---\n" + string(cluster)))
	set, _, err := source.Read(t.Context(), source.Options{Files: []string{"-"}, Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	o := migrate.Options{Nginx: nginx.Options{Release: fmt.Sprint(c.Release), Config: c.ConfigMap}}
	o.Emit.DefaultCertificate = "ingress-nginx/default-certificate"
	o.Emit.Channel = gatewayapi.Channel(channel)
	res, err := migrate.Run(t.Context(), set, o)
	if err != nil {
		t.Fatal(err)
	}
	compiled := compile.Compile(res.Objects, compile.Options{Reading: routing.Reading{NormalizePath: true}})
	for _, p := range compiled.Problems {
		t.Errorf("the output does not hold together: %s %s: %s %s: %s", p.Object, p.Path, p.Condition, p.Reason, p.Message)
	}
	return res, compiled.Table
}

func guarded(d routing.Decision) bool {
	for _, g := range d.Guards {
		if g.Access() {
			return true
		}
	}
	return false
}

func lossyObjects(l *ledger.Ledger) map[routing.ObjectRef]bool {
	out := map[routing.ObjectRef]bool{}
	for _, e := range l.Entries {
		if e.Status != ledger.Converted && e.Status != ledger.Ignored || e.Urgency != ledger.Routine {
			out[e.Object] = true
		}
	}
	return out
}

// involved reports whether the ledger has something to say of an object whose
// rule decided, before or after.
func involved(res *migrate.Result, before, after routing.Decision, lossy map[routing.ObjectRef]bool) bool {
	if before.Why != nil && lossy[before.Why.Origin.Object] {
		return true
	}
	if after.Why != nil {
		for _, o := range res.From[after.Why.Origin.Object] {
			if lossy[o] {
				return true
			}
		}
	}
	return false
}

func why(d routing.Decision) string {
	if d.Why == nil {
		return fmt.Sprintf("%d no rule", d.Status)
	}
	return fmt.Sprintf("%d %v by %s %s", d.Status, d.Backends, d.Why.Origin.Object, d.Why.Origin.Path)
}
