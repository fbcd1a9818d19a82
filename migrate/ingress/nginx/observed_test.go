package nginx_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// observedCase is one file of fixtures/observed: manifests and what a real
// controller answered.
type observedCase struct {
	Case      string            `json:"case"`
	Release   any               `json:"release"`
	ConfigMap map[string]string `json:"configMap"`
	Manifests string            `json:"manifests"`
	Probes    []struct {
		Request  routing.Request `json:"request"`
		Stateful bool            `json:"stateful"`
		Observed struct {
			Status       int                `json:"status"`
			Backend      string             `json:"backend"`
			Backends     map[string]float64 `json:"backends"`
			URI          *string            `json:"uri"`
			UpstreamHost *string            `json:"upstreamHost"`
			Location     string             `json:"location"`
		} `json:"observed"`
	} `json:"probes"`
}

// artefacts are probes whose answer the manifests do not tell; docs/observed.md
// gives the reason of each.
var artefacts = map[string]string{
	"canary-two /":                            "one request was asked of a 30:70 split",
	"custom-http-errors /in/x?q=1":            "the backend's own status decides",
	"default-backend-annotation /empty":       "which Services have endpoints is not in the manifests",
	"default-backend-annotation /empty/x?q=1": "which Services have endpoints is not in the manifests",
	"default-backend-annotation /b":           "which Services have endpoints is not in the manifests",
	"service-ports /number":                   "the answer names another Service that shares the endpoint",
	"service-ports /name":                     "the answer names another Service that shares the endpoint",
	"service-ports /target":                   "the answer names another Service that shares the endpoint",
}

// TestObservedAnswers holds the front end to what real controllers answered.
func TestObservedAnswers(t *testing.T) {
	cluster, err := os.ReadFile("../../../fixtures/observed/ingress-nginx-cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("../../../fixtures/observed/ingress-nginx-1.*/*.yaml")
	if len(files) == 0 {
		t.Fatal("no observed cases found")
	}
	probes, agreed := 0, 0
	for _, f := range files {
		t.Run(filepath.Base(filepath.Dir(f))+"/"+strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var c observedCase
			if err := yaml.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			tab := compileCase(t, &c, cluster)
			for i := range c.Probes {
				p := &c.Probes[i]
				if p.Stateful {
					continue
				}
				probes++
				d := tab.Route(&p.Request)
				if diff := difference(&c, i, d); diff != "" {
					if c.Case == "canary-two" && p.Request.Headers["X-Canary"] == "" {
						t.Errorf("the measured shares of canary-two must agree: %s", diff)
					}
					if why := artefacts[c.Case+" "+p.Request.Path]; why == "" {
						t.Errorf("%s %s%s %v: %s", p.Request.Method, p.Request.Host, p.Request.Path, p.Request.Headers, diff)
					}
					continue
				}
				agreed++
			}
		})
	}
	t.Logf("%d of %d probes agree with the real controller", agreed, probes)
}

func compileCase(t *testing.T, c *observedCase, cluster []byte) *routing.Table {
	t.Helper()
	in := bytes.NewReader([]byte(c.Manifests + "\n---\n" + string(cluster)))
	set, problems, err := source.Read(context.Background(), source.Options{Files: []string{"-"}, Stdin: in})
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

// difference is the first way in which a decision differs from the measured
// answer. A guard stands where the controller refused: credentials and
// addresses are not part of the probe's table.
func difference(c *observedCase, i int, d routing.Decision) string {
	want := &c.Probes[i].Observed
	status := want.Status
	if status == 0 {
		status = 200
	}
	if len(d.Guards) > 0 && status != 200 && status != 404 {
		return ""
	}
	shares := want.Backends
	if shares == nil && want.Backend != "" {
		shares = map[string]float64{want.Backend: 1}
	}
	if len(shares) > 0 {
		tolerance := 0.001
		if len(shares) > 1 {
			tolerance = 0.08 // three standard deviations of 400 requests
		}
		for k, v := range shares {
			if math.Abs(d.Backends[k]-v) > tolerance {
				return fmt.Sprintf("backends %v, measured %v", d.Backends, shares)
			}
		}
		if len(d.Backends) > len(shares) {
			return fmt.Sprintf("backends %v, measured %v", d.Backends, shares)
		}
		if want.URI != nil && *want.URI != d.URI {
			return fmt.Sprintf("uri %s, measured %s", d.URI, *want.URI)
		}
		if want.UpstreamHost != nil && *want.UpstreamHost != d.UpstreamHost {
			return fmt.Sprintf("upstream host %s, measured %s", d.UpstreamHost, *want.UpstreamHost)
		}
		return ""
	}
	if len(d.Backends) > 0 {
		return fmt.Sprintf("forwards to %v, measured status %d", d.Backends, status)
	}
	if want.Location != "" {
		if d.Status != status || rooted(d.Location) != rooted(want.Location) {
			return fmt.Sprintf("%d %s, measured %d %s", d.Status, d.Location, status, want.Location)
		}
		return ""
	}
	if d.Status/100 != status/100 {
		return fmt.Sprintf("status %d, measured %d", d.Status, status)
	}
	return ""
}

// rooted takes a URL without a path for one with the path /.
func rooted(u string) string {
	if _, rest, ok := strings.Cut(u, "://"); ok && !strings.Contains(rest, "/") {
		return u + "/"
	}
	return u
}
