package istio_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/causeway-gateway/causeway/fixtures/observed"
	"github.com/causeway-gateway/causeway/migrate/istio"
	"github.com/causeway-gateway/causeway/migrate/source"
)

func compile(t testing.TB, manifests string) *istio.Result {
	t.Helper()
	set, problems, err := source.Read(t.Context(), source.Options{Files: []string{"-"}, Stdin: bytes.NewReader([]byte(manifests))})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
	return istio.Compile(set, istio.Options{})
}

// TestObservedConfiguration holds the front end to what real pilot code
// configures for the pods of a gateway.
func TestObservedConfiguration(t *testing.T) {
	cluster, err := os.ReadFile("../../fixtures/observed/istio-cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := observed.Load("../../fixtures/observed/istio/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	probes := 0
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			edge := compile(t, c.Manifests+"\n---\n"+string(cluster)).Edges[0]
			for i := range c.Probes {
				p := &c.Probes[i]
				probes++
				if diff := p.Difference(edge.Table.Route(&p.Request)); diff != "" {
					t.Errorf("%s %s%s %v: %s", p.Request.Method, p.Request.Host, p.Request.Path, p.Request.Headers, diff)
				}
			}
		})
	}
	if probes < 80 {
		t.Errorf("%d probes", probes)
	}
}
