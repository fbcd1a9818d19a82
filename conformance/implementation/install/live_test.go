//go:build envtest

// These tests hold the installer against a real API server and etcd: those of
// the embedded cluster's control plane, which are looked for and built as ever,
// or those in the folder that KUBEBUILDER_ASSETS names.
package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/implementation"
	"github.com/causeway-gateway/causeway/conformance/implementation/crds"
	"github.com/causeway-gateway/causeway/gatewayapi"
)

func TestOnARealAPIServer(t *testing.T) {
	env := environment(t)
	config, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	i, err := New(config, Options{Provider: implementation.Embedded, Cache: t.TempDir(), Progress: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}

	// Upwards only: an API server refuses to take a stored version away.
	t.Run("every release and channel", func(t *testing.T) {
		for _, r := range crds.Releases {
			for _, channel := range crds.Channels {
				begun := time.Now()
				i.options.GatewayAPI = r.Version
				if err := (&Installation{installer: i}).crds(t.Context(), gatewayapi.Channel(channel)); err != nil {
					t.Errorf("%s %s: %v", r.Version, channel, err)
				}
				t.Logf("%s %s took %s", r.Version, channel, time.Since(begun).Round(time.Millisecond))
			}
		}
		i.options.GatewayAPI = gatewayapi.Default
		if err := (&Installation{installer: i}).crds(t.Context(), gatewayapi.Experimental); err != nil {
			t.Error(err)
		}
	})

	t.Run("nobody runs the pods", func(t *testing.T) {
		i.options.Timeout = time.Second
		in, err := i.Install(t.Context(), traefik(t))
		i.options.Timeout = 0
		var verdict *NotReadyError
		if !errors.As(err, &verdict) || len(verdict.Unmet) != 2 {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"Deployment traefik/traefik: there is no condition Available", "GatewayClass traefik: condition Accepted is Unknown (Pending: Waiting for controller)"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
		uninstall(t, i, in)
	})

	t.Run("controllers do their work", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go playControllers(ctx, t, i.client)
		begun := time.Now()
		in, err := i.Install(t.Context(), traefik(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("installed in %s, %d objects", time.Since(begun).Round(time.Millisecond), len(in.created))
		cancel()
		uninstall(t, i, in)
	})

	t.Run("a chart with CRDs of its own", func(t *testing.T) {
		in := &Installation{installer: i}
		h := &implementation.Helm{Release: "acme", Chart: "acme-crds"}
		if err := in.helm(t.Context(), h, "testdata", "acme-system"); err != nil {
			t.Fatal(err)
		}
		crd := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"}}
		if err := i.client.Get(t.Context(), client.ObjectKey{Name: "gatewayclasses.gateway.networking.k8s.io"}, crd); err != nil {
			t.Fatal(err)
		}
		if got := indicators(crd); got != "v1.6.3 (experimental)" {
			t.Errorf("the chart replaced the CRDs by those of %s", got)
		}
		thing := &unstructured.Unstructured{}
		thing.SetAPIVersion("acme.example/v1")
		thing.SetKind("Thing")
		if err := i.client.Get(t.Context(), client.ObjectKey{Namespace: "acme-system", Name: "thing"}, thing); err != nil {
			t.Error(err)
		}
		if err := in.Uninstall(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := i.client.Get(t.Context(), client.ObjectKey{Namespace: "acme-system", Name: "thing"}, thing); !apierrors.IsNotFound(err) {
			t.Errorf("left behind: %v", err)
		}
	})

	t.Run("a cluster of somebody's own", func(t *testing.T) {
		d := traefik(t)
		d.Channel = "standard"
		d.Install[0].On = []implementation.Provider{implementation.Existing}
		theirs, err := New(config, Options{Provider: implementation.Existing})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := theirs.Install(t.Context(), d); err == nil || !strings.Contains(err.Error(), "v1.6.3 (experimental): allow them to be replaced") {
			t.Errorf("got %v", err)
		}
	})
}

// environment is an API server that is not started yet. Started as etcd and
// kube-apiserver, the control plane of the embedded cluster is those.
func environment(t *testing.T) *envtest.Environment {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") != "" {
		return &envtest.Environment{}
	}
	program, err := components.Finder{Logf: t.Logf}.Find(t.Context(), components.ControlPlane)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return &envtest.Environment{
		BinaryAssetsDirectory:    bin,
		ControlPlaneStartTimeout: time.Minute,
	}
}

// uninstall takes away everything but the namespace, which nobody finalizes
// here: that is the work of a controller.
func uninstall(t *testing.T, i *Installer, in *Installation) {
	t.Helper()
	in.created = in.created[1:]
	go func() { // and foreground deletion is the garbage collector's
		for _, o := range in.created {
			u := o.reference()
			for t.Context().Err() == nil {
				if err := i.client.Get(t.Context(), client.ObjectKeyFromObject(u), u); err != nil {
					break
				}
				if u.GetDeletionTimestamp() != nil {
					u.SetFinalizers(nil)
					_ = i.client.Update(t.Context(), u)
				}
			}
		}
	}()
	if err := in.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left appsv1.DeploymentList
	if err := i.client.List(t.Context(), &left, client.InNamespace(corev1.NamespaceAll)); err != nil || len(left.Items) > 0 {
		t.Errorf("left behind: %v, %v", left.Items, err)
	}
}

// playControllers makes Deployments available and accepts GatewayClasses.
func playControllers(ctx context.Context, t *testing.T, c client.Client) {
	g := gomega.NewGomega(func(string, ...int) {})
	_ = clientgoscheme.AddToScheme(c.Scheme())
	_ = gatewayv1.Install(c.Scheme())
	g.Eventually(ctx, func() bool {
		var deployment appsv1.Deployment
		if c.Get(ctx, client.ObjectKey{Namespace: "traefik", Name: "traefik"}, &deployment) != nil {
			return false
		}
		deployment.Status.ObservedGeneration = deployment.Generation
		deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue}}
		if err := c.Status().Update(ctx, &deployment); err != nil {
			return false
		}
		var class gatewayv1.GatewayClass
		if c.Get(ctx, client.ObjectKey{Name: "traefik"}, &class) != nil {
			return false
		}
		meta.SetStatusCondition(&class.Status.Conditions, metav1.Condition{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", ObservedGeneration: class.Generation})
		return c.Status().Update(ctx, &class) == nil
	}).WithTimeout(time.Minute).WithPolling(20 * time.Millisecond).Should(gomega.BeTrue())
}
