package nginx_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/causeway-gateway/causeway/fixtures/observed"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// TestObservedAnswers holds the front end to what real controllers answered.
func TestObservedAnswers(t *testing.T) {
	cluster, err := os.ReadFile("../../../fixtures/observed/ingress-nginx-cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := observed.Load("../../../fixtures/observed/ingress-nginx-1.*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	probes, agreed := 0, 0
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			tab := compileCase(t, c, cluster)
			for i := range c.Probes {
				p := &c.Probes[i]
				if p.Stateful {
					continue
				}
				probes++
				if diff := p.Difference(tab.Route(&p.Request)); diff == "" {
					agreed++
				} else if c.Artefact(p) == "" {
					t.Errorf("%s %s%s %v: %s", p.Request.Method, p.Request.Host, p.Request.Path, p.Request.Headers, diff)
				}
			}
		})
	}
	t.Logf("%d of %d probes agree with the real controller", agreed, probes)
}

func compileCase(t *testing.T, c *observed.Case, cluster []byte) *routing.Table {
	t.Helper()
	in := bytes.NewReader([]byte(c.Manifests + "\n---\n" + string(cluster)))
	set, problems, err := source.Read(t.Context(), source.Options{Files: []string{"-"}, Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
	res, err := nginx.Compile(set, nginx.Options{Release: fmt.Sprint(c.Release), Config: c.ConfigMap})
	if err != nil {
		t.Fatal(err)
	}
	return res.Table
}
