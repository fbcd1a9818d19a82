package implementation

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestRendered holds everything that is applied for every entry of the
// catalogue, as a reviewer would want to read it.
func TestRendered(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			d, err := ByName(name)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			for i := range d.Install {
				render(t, &b, d, &d.Install[i])
			}
			golden := filepath.Join("testdata", "rendered", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
			}
		})
	}
}

func render(t *testing.T, b *bytes.Buffer, d *Descriptor, m *Method) {
	t.Helper()
	write := func(o any) {
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n" + string(text))
	}
	on := make([]string, len(m.On))
	for i, p := range m.On {
		on[i] = string(p)
	}
	b.WriteString("# on " + strings.Join(on, ", ") + ", waiting " + m.WaitTimeout().String() + "\n")
	for i := range m.Steps {
		switch s := &m.Steps[i]; {
		case s.Local != nil:
			objects, err := s.Local.Objects(m.Namespace)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				write(o)
			}
		case s.Helm != nil:
			write(map[string]any{"helm": s.Helm})
		case s.Manifests != nil:
			if len(s.Manifests.URLs)+len(s.Manifests.Files) > 0 {
				write(map[string]any{"urls": s.Manifests.URLs, "files": s.Manifests.Files})
			}
			for _, o := range s.Manifests.Objects {
				write(&unstructured.Unstructured{Object: o})
			}
		}
	}
	class, err := d.GatewayClass.Object()
	if err != nil {
		t.Fatal(err)
	}
	if class != nil {
		write(class)
	}
}

func TestMethodFor(t *testing.T) {
	d, err := ByName("linkerd")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.MethodFor(Existing); err != nil {
		t.Error(err)
	}
	_, err = d.MethodFor(Embedded)
	if want := "linkerd has no way of installation on embedded, only on kind, existing (catalogue/linkerd.yaml)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRightsAreNoMoreThanDocumented(t *testing.T) {
	all, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		for _, m := range d.Install {
			for _, s := range m.Steps {
				if s.Local == nil {
					continue
				}
				for _, r := range append(s.Local.Rules, s.Local.NamespaceRules...) {
					if strings.Contains(strings.Join(append(r.Verbs, r.Resources...), " "), "*") {
						t.Errorf("%s: a wildcard in %v", d.Name, r)
					}
				}
			}
		}
	}
}

func TestLocalOnTheNode(t *testing.T) {
	l := &Local{Component: "proxy", Image: "proxy", HostNetwork: true, Capabilities: []string{"NET_ADMIN"}, Ports: []Port{{Name: "a", Port: 80}, {Name: "b", Port: 81}}}
	want := corev1.PodSpec{
		ServiceAccountName: "proxy", HostNetwork: true, DNSPolicy: corev1.DNSClusterFirstWithHostNet,
		Containers: []corev1.Container{{
			Name: "proxy", Image: "proxy", ImagePullPolicy: corev1.PullIfNotPresent,
			Ports: []corev1.ContainerPort{{Name: "a", ContainerPort: 80, Protocol: "TCP"}, {Name: "b", ContainerPort: 81, Protocol: "TCP"}},
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false),
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"NET_BIND_SERVICE", "NET_ADMIN"}}},
		}},
	}
	if diff := cmp.Diff(want, l.pod()); diff != "" {
		t.Error(diff)
	}
}
