package cmd

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
)

// withoutDocker is a machine without an engine and without clusters.
func withoutDocker(t *testing.T) {
	t.Helper()
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "nothing"))
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func TestClusterProviderUsage(t *testing.T) {
	withoutDocker(t)
	for name, tc := range map[string]struct {
		reason string
		args   []string
		code   int
		want   string
	}{
		"provider":   {"the providers are named", []string{"up", "--provider", "minikube"}, ExitUsage, "use embedded or kind"},
		"elsewhere":  {"an embedded cluster has one node", []string{"up", "--nodes", "3"}, ExitUsage, "--nodes is for kind clusters: add --provider kind"},
		"family":     {"the families are named", []string{"up", "--provider", "kind", "--ip-family", "ipx"}, ExitUsage, "there are ipv4, ipv6, dual"},
		"all":        {"all means all", []string{"down", "--all", "--provider", "kind"}, ExitUsage, "--all excludes"},
		"no engine":  {"what to do is said", []string{"up", "--provider", "kind"}, 1, "install and start it"},
		"not there":  {"how to start it is said", []string{"kubeconfig", "--provider", "kind", "--name", "x"}, 1, "causeway cluster up --provider kind --name x"},
		"bad name":   {"a name is no path", []string{"kubeconfig", "--provider", "kind", "--name", "../x"}, ExitUsage, "no name for a cluster"},
		"hold":       {"embedded clusters hold themselves", []string{"hold"}, ExitUsage, "only kind clusters"},
		"kind list":  {"who asks for kind hears of Docker", []string{"status", "--provider", "kind"}, 1, "kind needs Docker"},
		"any list":   {"who asks for all gets what there can be", []string{"status"}, 0, "NAME"},
		"end of all": {"without an engine there is no kind cluster to end", []string{"down", "--all"}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := run(t, "causeway", append([]string{"cluster"}, tc.args...)...)
			if code != tc.code || !strings.Contains(out+errOut, tc.want) {
				t.Errorf("%s: exit %d, want %d saying %q:\n%s%s", tc.reason, code, tc.code, tc.want, out, errOut)
			}
		})
	}
}

func TestPrintClusters(t *testing.T) {
	var out bytes.Buffer
	err := printClusters(&out, []clusterStatus{
		{Name: "a", Provider: "embedded", State: "running", PID: 7, Nodes: 1, Since: time.Now().Add(-90 * time.Second), Logs: "/l"},
		{Name: "b", Provider: "kind", State: "Unattended", Nodes: 3, Logs: "/m"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "NAME   PROVIDER   STATE        NODES   PID   AGE   LOGS\n" +
		"a      embedded   running      1       7     90s   /l\n" +
		"b      kind       Unattended   3                   /m\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestComponentOf(t *testing.T) {
	for ref, want := range map[string][2]string{
		"registry.k8s.io/gateway-api/echo-basic:v1.5.1":              {components.EchoBasic, ""},
		"registry.k8s.io/gateway-api/conformance/echo-basic:v0.2.0":  {components.EchoBasic, ""},
		"registry.k8s.io/coredns/coredns:v1.12.2":                    {components.ControlPlane, "coredns"},
		"example.com/nobody:v1":                                      {"", ""},
		"localhost:5000/echo-basic":                                  {components.EchoBasic, ""},
		"registry.k8s.io/gateway-api/unheard-of@sha256:0123456789ab": {"", ""},
	} {
		if component, name := componentOf(ref); component != want[0] || name != want[1] {
			t.Errorf("%s: %q, %q", ref, component, name)
		}
	}
}
