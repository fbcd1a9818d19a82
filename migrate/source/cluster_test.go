package source

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// apiServer answers list calls of the Ingresses (in two pages) and Services of
// a cluster, forbids Secrets and knows no Gateway API; everything else is an
// empty list.
func apiServer(t *testing.T) (*rest.Config, func() []string) {
	var mu sync.Mutex
	var calls []string
	status := func(w http.ResponseWriter, code int, reason string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code})
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls = append(calls, r.Method+" "+r.URL.String())
		mu.Unlock()
		item := func(name string) map[string]any {
			return map[string]any{"metadata": map[string]any{"name": name, "namespace": "shop"}}
		}
		list := map[string]any{"kind": "AnyList", "apiVersion": "v1", "metadata": map[string]any{}, "items": []any{}}
		switch path := r.URL.Path; {
		case strings.Contains(path, gatewayGroup):
			status(w, http.StatusNotFound, "NotFound")
			return
		case strings.HasSuffix(path, "/secrets"):
			status(w, http.StatusForbidden, "Forbidden")
			return
		case strings.HasSuffix(path, "networking.k8s.io/v1/ingresses"):
			list["items"] = []any{item("one")}
			if r.URL.Query().Get("continue") == "" {
				list["metadata"] = map[string]any{"continue": "next"}
			} else {
				list["items"] = []any{item("two")}
			}
		case strings.HasSuffix(path, "/services"):
			list["items"] = []any{item("web")}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(srv.Close)
	return &rest.Config{Host: srv.URL}, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return calls
	}
}

func TestFromCluster(t *testing.T) {
	cfg, calls := apiServer(t)
	set, problems, err := FromCluster(t.Context(), cfg, ClusterOptions{AllNamespaces: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Ingresses) != 2 || set.Ingresses[1].Name != "two" || len(set.Services) != 1 {
		t.Errorf("both pages are read: %v", names(set))
	}
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), `resources: ["secrets"], verbs: ["list"]`) {
		t.Errorf("the missing rule is named, and a cluster without Gateway API is fine: %v", problems)
	}
	if set.Complete {
		t.Error("without Secrets the set is not complete")
	}
	for _, c := range calls() {
		if !strings.HasPrefix(c, "GET ") || strings.Contains(c, "watch") || !strings.Contains(c, "limit=500") {
			t.Errorf("only paged list calls are made: %s", c)
		}
	}
}

// TestManifestGrantsWhatIsListed holds deploy/rbac.yaml to the table of resources.
func TestManifestGrantsWhatIsListed(t *testing.T) {
	text, err := os.ReadFile("../../deploy/rbac.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal([]byte(strings.Split(string(text), "\n---\n")[0]), &role); err != nil {
		t.Fatal(err)
	}
	granted := map[string]bool{}
	for _, rule := range role.Rules {
		if len(rule.Verbs) != 1 || rule.Verbs[0] != "list" {
			t.Errorf("verbs %v", rule.Verbs)
		}
		for _, r := range rule.Resources {
			granted[rule.APIGroups[0]+"/"+r] = false
		}
	}
	for _, res := range resources {
		for _, gv := range res.versions {
			if _, ok := granted[gv.Group+"/"+res.name]; !ok {
				t.Errorf("%s of %q is listed but not granted", res.name, gv.Group)
			}
			granted[gv.Group+"/"+res.name] = true
		}
	}
	for r, used := range granted {
		if !used {
			t.Errorf("%s is granted but not listed", r)
		}
	}
}
