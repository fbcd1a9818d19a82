package install

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/conformance/implementation"
	"github.com/causeway-gateway/causeway/conformance/implementation/crds"
)

// world is a cluster whose controllers are played by the answers to reads.
type world struct {
	// conditions are added to objects of a kind as they are read.
	conditions map[string][]metav1.Condition
	fail       map[string]error // of applying a kind
	objects    []client.Object
}

func isTrue(kind string) []metav1.Condition {
	return []metav1.Condition{{Type: kind, Status: metav1.ConditionTrue, Reason: "Done"}}
}

func healthy() map[string][]metav1.Condition {
	return map[string][]metav1.Condition{
		"CustomResourceDefinition": isTrue("Established"),
		"Deployment":               isTrue("Available"),
		"GatewayClass":             isTrue("Accepted"),
	}
}

func (w world) installer(t *testing.T, o Options) *Installer {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, gatewayv1.Install} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	for gvk := range scheme.AllKnownTypes() {
		scope := meta.RESTScopeNamespace
		switch gvk.Kind {
		case "Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "GatewayClass":
			scope = meta.RESTScopeRoot
		}
		mapper.Add(gvk, scope)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper).WithObjects(w.objects...).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if err := c.Get(ctx, key, obj, opts...); err != nil {
				return err
			}
			u, ok := obj.(*unstructured.Unstructured)
			if !ok {
				return nil
			}
			var list []any
			for _, condition := range w.conditions[u.GetKind()] {
				m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&condition)
				if err != nil {
					return err
				}
				list = append(list, m)
			}
			if list == nil {
				return nil
			}
			return unstructured.SetNestedSlice(u.Object, list, "status", "conditions")
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if named, ok := obj.(interface{ GetKind() string }); ok && w.fail[named.GetKind()] != nil {
				return w.fail[named.GetKind()]
			}
			return c.Apply(ctx, obj, opts...)
		},
	}).Build()
	o.Poll = time.Millisecond
	return newInstaller(c, nil, nil, o)
}

func traefik(t *testing.T) *implementation.Descriptor {
	t.Helper()
	d, err := implementation.ByName("traefik")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestInstallAndUninstall(t *testing.T) {
	var said []string
	i := world{conditions: healthy()}.installer(t, Options{Provider: implementation.Embedded, Progress: func(s string) { said = append(said, s) }})
	in, err := i.Install(t.Context(), traefik(t))
	if err != nil {
		t.Fatal(err)
	}
	var deployment appsv1.Deployment
	if err := i.client.Get(t.Context(), client.ObjectKey{Namespace: "traefik", Name: "traefik"}, &deployment); err != nil {
		t.Error(err)
	}
	bundle, err := crds.Bundle("v1.6", "experimental")
	if err != nil {
		t.Fatal(err)
	}
	if len(in.CRDs) != len(bundle) {
		t.Errorf("%d CRDs were new, want %d", len(in.CRDs), len(bundle))
	}
	if text := strings.Join(said, "\n"); !strings.Contains(text, "applying the CRDs of Gateway API v1.6, channel experimental") || !strings.Contains(text, "starting traefik:v3.7.13") {
		t.Errorf("progress says\n%s", text)
	}

	// A second time nothing is new, so nothing of it is taken away.
	again, err := i.Install(t.Context(), traefik(t))
	if err != nil || len(again.created) > 0 || len(again.CRDs) > 0 {
		t.Errorf("installing twice creates %v, %v", again.created, err)
	}

	if err := in.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left corev1.NamespaceList
	if err := i.client.List(t.Context(), &left); err != nil || len(left.Items) > 0 {
		t.Errorf("left behind: %v, %v", left.Items, err)
	}
	var kept apiextensionsv1.CustomResourceDefinitionList
	if err := i.client.List(t.Context(), &kept); err != nil || len(kept.Items) != len(bundle) {
		t.Errorf("CRDs left: %d, %v", len(kept.Items), err)
	}
}

func gatewayCRD(version, channel string) *apiextensionsv1.CustomResourceDefinition {
	return &apiextensionsv1.CustomResourceDefinition{
		TypeMeta: metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		ObjectMeta: metav1.ObjectMeta{Name: "gateways.gateway.networking.k8s.io",
			Annotations: map[string]string{crds.BundleAnnotation: version, crds.ChannelAnnotation: channel}},
	}
}

func TestWhatIsThereAlready(t *testing.T) {
	class := func(controller string) *gatewayv1.GatewayClass {
		return &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "traefik"}, Spec: gatewayv1.GatewayClassSpec{ControllerName: gatewayv1.GatewayController(controller)}}
	}
	for name, c := range map[string]struct {
		reason  string
		objects []client.Object
		options Options
		says    string // "" for success
	}{
		"namespace": {"others may have made it for us",
			[]client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "traefik"}}}, Options{}, ""},
		"CRDs of another release": {"objects of other teams depend on them",
			[]client.Object{gatewayCRD("v1.4.1", "standard")}, Options{},
			"the cluster has gateways.gateway.networking.k8s.io of v1.4.1 (standard): allow them to be replaced, or choose"},
		"CRDs of another channel": {"", []client.Object{gatewayCRD("v1.6.3", "standard")}, Options{}, "of v1.6.3 (standard)"},
		"CRDs that may be replaced": {"the user said so",
			[]client.Object{gatewayCRD("v1.4.1", "standard")}, Options{ReplaceCRDs: true}, ""},
		"CRDs in a cluster of our own": {"it was made for this",
			[]client.Object{gatewayCRD("v1.4.1", "standard")}, Options{Provider: implementation.Embedded}, ""},
		"CRDs of the same release": {"", []client.Object{gatewayCRD("v1.6.3", "experimental")}, Options{}, ""},
		"class of somebody else": {"a class is not taken over",
			[]client.Object{class("traefik.io/gateway-controller")}, Options{}, "GatewayClass traefik is there already and is not ours"},
		"class of another controller": {"no waiting would help",
			[]client.Object{class("acme.example/gateway")}, Options{Provider: implementation.Embedded}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.options.Provider == "" {
				c.options.Provider = implementation.Existing
			}
			d := traefik(t)
			d.Install = append([]implementation.Method(nil), d.Install[:1]...)
			d.Install[0].On = []implementation.Provider{c.options.Provider}
			_, err := world{conditions: healthy(), objects: c.objects}.installer(t, c.options).Install(t.Context(), d)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s: got %v, want %q", c.reason, err, c.says)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	pod := func(state corev1.ContainerStatus) *corev1.Pod {
		state.Name = "traefik"
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "traefik", Name: "traefik-1", Labels: map[string]string{implementation.NameLabel: "traefik"}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{state},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}},
		}
	}
	crashing := pod(corev1.ContainerStatus{RestartCount: 3,
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}}})
	pulling := pod(corev1.ContainerStatus{
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "no image \x1b[31mtraefik"}}})
	event := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "traefik", Name: "e"}, Type: corev1.EventTypeWarning,
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "traefik-1"}, Reason: "BackOff", Message: "restarting failed container"}
	with := func(kind string, c ...metav1.Condition) map[string][]metav1.Condition {
		m := healthy()
		m[kind] = c
		return m
	}
	for name, c := range map[string]struct {
		reason     string
		conditions map[string][]metav1.Condition
		objects    []client.Object
		spoil      func(*implementation.Descriptor)
		want       string
	}{
		"crashes": {"pods tell why a Deployment is not available",
			with("Deployment", metav1.Condition{Type: "Available", Status: metav1.ConditionFalse, Reason: "MinimumReplicasUnavailable", Message: "no pod"}),
			[]client.Object{crashing, event}, nil,
			`traefik is not ready after TIME
- Deployment traefik/traefik: condition Available is False (MinimumReplicasUnavailable: no pod); wanted condition Available True
    pod traefik-1: Running
      container traefik: CrashLoopBackOff, ended with 1 Error, restarted 3 times
    event Pod traefik-1: BackOff: restarting failed container`},
		"no image": {"control characters never reach the terminal",
			with("Deployment"), []client.Object{pulling}, nil,
			`traefik is not ready after TIME
- Deployment traefik/traefik: there is no condition Available; wanted condition Available True
    pod traefik-1: Running
      container traefik: ErrImagePull: no image traefik`},
		"class not accepted": {"the controller's pods are looked at, for nobody else writes the class",
			with("GatewayClass", metav1.Condition{Type: "Accepted", Status: metav1.ConditionUnknown, Reason: "Pending", Message: "Waiting for controller"}),
			[]client.Object{pulling}, nil,
			`traefik is not ready after TIME
- GatewayClass traefik: condition Accepted is Unknown (Pending: Waiting for controller); wanted condition Accepted True by controller traefik.io/gateway-controller
    pod traefik-1: Running
      container traefik: ErrImagePull: no image traefik`},
		"accepted an older class": {"the condition must be about this generation",
			with("GatewayClass", metav1.Condition{Type: "Accepted", Status: metav1.ConditionTrue, ObservedGeneration: 1}),
			[]client.Object{&gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "traefik", Generation: 2}, Spec: gatewayv1.GatewayClassSpec{ControllerName: "traefik.io/gateway-controller"}}}, nil,
			`traefik is not ready after TIME
- GatewayClass traefik: condition Accepted is of an older generation; wanted condition Accepted True by controller traefik.io/gateway-controller`},
		"class of another controller": {"spec.controllerName is immutable", healthy(),
			[]client.Object{&gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: gatewayv1.GatewayClassSpec{ControllerName: "acme.example/gateway"}}},
			func(d *implementation.Descriptor) { d.GatewayClass.Name, d.GatewayClass.Create = "acme", false },
			`traefik is not ready after TIME, and waiting cannot help
- GatewayClass acme: it asks for controller acme.example/gateway; wanted controller traefik.io/gateway-controller`},
		"class that nobody brings": {"", healthy(), nil,
			func(d *implementation.Descriptor) { d.GatewayClass.Create = false },
			`traefik is not ready after TIME
- GatewayClass traefik: it is not there; wanted condition Accepted True`},
		"nothing selected": {"", healthy(), nil,
			func(d *implementation.Descriptor) {
				d.Install[0].Wait = []implementation.Wait{{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "traefik", Selector: "a=b"}}
			},
			`traefik is not ready after TIME
- DaemonSet traefik/(a=b): nothing matches a=b; wanted that it is current`},
		"rolling out": {"without a condition the rules of kstatus decide", healthy(),
			[]client.Object{&appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "traefik", Name: "s"}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2))}}},
			func(d *implementation.Descriptor) {
				d.Install[0].Wait = []implementation.Wait{{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "traefik", Name: "s"}}
			},
			`traefik is not ready after TIME
- StatefulSet traefik/s: InProgress, Replicas: 0/2; wanted that it is current`},
	} {
		t.Run(name, func(t *testing.T) {
			d := traefik(t)
			if c.spoil != nil {
				c.spoil(d)
			}
			i := world{conditions: c.conditions, objects: c.objects}.installer(t, Options{Provider: implementation.Embedded, Timeout: 30 * time.Millisecond})
			_, err := i.Install(t.Context(), d)
			var verdict *NotReadyError
			if !errors.As(err, &verdict) {
				t.Fatalf("%s: got %v", c.reason, err)
			}
			verdict.After = 0
			got := strings.Replace(verdict.Error(), "after 0s", "after TIME", 1)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestGivingUpIsNoVerdict(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	conditions := healthy()
	delete(conditions, "Deployment")
	i := world{conditions: conditions}.installer(t, Options{Provider: implementation.Embedded, Progress: func(s string) {
		if strings.HasPrefix(s, "waiting for Deployment") {
			cancel()
		}
	}})
	_, err := i.Install(ctx, traefik(t))
	var verdict *NotReadyError
	if !errors.Is(err, context.Canceled) || errors.As(err, &verdict) {
		t.Errorf("got %v", err)
	}
}

func TestACallersDeadlineIsATimeout(t *testing.T) {
	conditions := healthy()
	delete(conditions, "Deployment")
	i := world{conditions: conditions}.installer(t, Options{Provider: implementation.Embedded})
	in, err := i.Install(t.Context(), func() *implementation.Descriptor { d := traefik(t); d.Install[0].Wait = nil; return d }())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err = in.installer.Wait(ctx, traefik(t))
	var verdict *NotReadyError
	if !errors.As(err, &verdict) || !strings.Contains(err.Error(), "Deployment traefik/traefik: there is no condition Available") {
		t.Errorf("got %v", err)
	}
}

func TestAFailedStepSaysWhich(t *testing.T) {
	i := world{conditions: healthy(), fail: map[string]error{"Service": errors.New("no address")}}.installer(t, Options{Provider: implementation.Embedded})
	in, err := i.Install(t.Context(), traefik(t))
	if want := "installing traefik, step 1 of 1: applying Service traefik/traefik: no address"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := in.Uninstall(t.Context()); err != nil {
		t.Errorf("what was done cannot be taken away: %v", err)
	}
}

// Objects of a CRD that is seconds old are created with a delay, which nobody
// who waits for an implementation should have to know of.
func TestSettleWaitsUntilObjectsCanBeCreated(t *testing.T) {
	const name = "gateways.gateway.networking.k8s.io"
	for label, tc := range map[string]struct {
		reason string
		crds   []string
		ago    time.Duration
		want   time.Duration
	}{
		"just established": {"the API server delays creations for two seconds", []string{name}, 0, 2 * time.Second},
		"a moment ago":     {"what has passed counts", []string{name}, time.Second, time.Second},
		"long ago":         {"nothing is delayed any more", []string{name}, time.Hour, 0},
		"a clock ahead":    {"the delay of the API server is two seconds whatever the clocks say", []string{name}, -time.Hour, 2 * time.Second},
		"not ours":         {"CRDs that were there before are older than this run", nil, 0, 0},
	} {
		t.Run(label, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				established := isTrue("Established")
				established[0].LastTransitionTime = metav1.NewTime(time.Now().Add(-tc.ago))
				w := world{
					conditions: map[string][]metav1.Condition{"CustomResourceDefinition": established},
					objects:    []client.Object{&apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}},
				}
				in := &Installation{installer: w.installer(t, Options{}), CRDs: tc.crds}
				begun := time.Now()
				if err := in.settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(begun); got != tc.want {
					t.Errorf("waited %s, want %s: %s", got, tc.want, tc.reason)
				}
			})
		})
	}
}
