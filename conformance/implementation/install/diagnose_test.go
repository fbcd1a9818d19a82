package install

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

func TestPrintable(t *testing.T) {
	for name, c := range map[string]struct{ give, want string }{
		"plain":     {"a\tb é", "a\tb é"},
		"colours":   {"\x1b[90m12:00\x1b[0m \x1b[33;1mWRN\x1b[0m x", "12:00 WRN x"},
		"title":     {"\x1b]0;owned\x07x", "x"},
		"link":      {"\x1b]8;;http://a\x1b\\x", "x"},
		"moves":     {"x\x1b[2J\x1b[1;1Hy\rz\x08", "xyz"},
		"unended":   {"x\x1b[", "x["},
		"bare bell": {"x\x07\x7f", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := printable(c.give); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

func TestLogs(t *testing.T) {
	pod := func(namespace, name string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{implementation.NameLabel: "traefik"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "traefik"}, {Name: "sidecar"}}},
		}
	}
	i := world{}.installer(t, Options{Provider: implementation.Embedded})
	for _, p := range []*corev1.Pod{pod("traefik", "one"), pod("traefik", "two"), pod("other", "three")} {
		if err := i.client.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	i.pods = fake.NewClientset()
	d := traefik(t)
	d.Install[0].Logs = append(d.Install[0].Logs, implementation.Logs{Namespace: "traefik", Container: "traefik"}) // finds them again
	written := map[string]*buffer{}
	err := i.Logs(t.Context(), d, time.Now(), func(namespace, pod, container string) (io.WriteCloser, error) {
		if pod == "two" {
			return nil, errors.New("disk full")
		}
		b := &buffer{}
		written[namespace+"/"+pod+"/"+container] = b
		return b, nil
	})
	if err == nil || strings.Count(err.Error(), "disk full") != 2 {
		t.Errorf("both containers of the pod fail, and the others go on: %v", err)
	}
	if len(written) != 2 || written["traefik/one/traefik"] == nil || written["traefik/one/sidecar"] == nil {
		t.Errorf("written: %v", written)
	}
	for name, b := range written {
		if b.String() != "fake logs" {
			t.Errorf("%s holds %q", name, b)
		}
	}
}
