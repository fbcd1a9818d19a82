package control

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwxv1alpha1 "sigs.k8s.io/gateway-api/apisx/v1alpha1"

	"github.com/causeway-gateway/causeway/conformance/reference/serve"
)

// settle is how long events are gathered before the cluster is compiled: the
// suite applies manifests object by object.
const settle = 5 * time.Millisecond

// watched are the kinds that a configuration is made of. Those whose CRD the
// cluster lacks are left out.
func watched(mesh bool) []client.Object {
	kinds := []client.Object{
		&gwv1.HTTPRoute{}, &gwv1.GRPCRoute{}, &gwv1.TCPRoute{}, &gwv1.ReferenceGrant{},
		&corev1.Service{}, &corev1.Namespace{}, &discoveryv1.EndpointSlice{},
	}
	if mesh {
		return append(kinds, &corev1.Pod{}, &gwxv1alpha1.XMesh{})
	}
	return append(kinds, &gwv1.GatewayClass{}, &gwv1.Gateway{}, &gwv1.ListenerSet{}, &gwv1.TLSRoute{}, &gwv1.UDPRoute{},
		&gwv1.BackendTLSPolicy{}, &corev1.Secret{}, &corev1.ConfigMap{})
}

// Run serves what the cluster's objects say until ctx ends.
func Run(ctx context.Context, config *rest.Config, o Options) error {
	if err := o.complete(); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, gwv1.Install, gwxv1alpha1.Install} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	config = rest.CopyConfig(config)
	config.QPS = -1 // a suite changes much at once, and this cluster is its own
	m, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Logger: logr.FromSlogHandler(o.Log.Handler()),
	})
	if err != nil {
		return err
	}
	server := serve.New(o.Log)
	r := &reconciler{client: m.GetClient(), scheme: scheme, options: o, plane: server, ports: newPorts()}
	b := ctrl.NewControllerManagedBy(m).Named("reference")
	for _, kind := range watched(o.Mesh != nil) {
		gvk, err := apiutil.GVKForObject(kind, scheme)
		if err != nil {
			return err
		}
		if _, err := m.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); meta.IsNoMatchError(err) {
			o.Log.Info("the cluster does not have this kind", "kind", gvk.Kind, "version", gvk.GroupVersion().String())
			continue
		} else if err != nil {
			return fmt.Errorf("ask the cluster for %s: %w", gvk.Kind, err)
		}
		r.kinds = append(r.kinds, kind)
		b = b.Watches(kind, everything)
	}
	if err := b.Complete(r); err != nil {
		return err
	}
	o.Log.Info("the reference implementation is for tests, never for production", "controller", o.controllerName())
	err = m.Start(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if closing := server.Close(ctx); err == nil {
		err = closing
	}
	return err
}

// everything asks for the one reconciliation there is, whatever happened. Our
// own status counts, too, since others may write it: where nothing differs,
// nothing is written, and that is the end of it.
var everything = handler.Funcs{
	CreateFunc: func(_ context.Context, _ event.CreateEvent, q queue) { q.AddAfter(reconcile.Request{}, settle) },
	UpdateFunc: func(_ context.Context, _ event.UpdateEvent, q queue) { q.AddAfter(reconcile.Request{}, settle) },
	DeleteFunc: func(_ context.Context, _ event.DeleteEvent, q queue) { q.AddAfter(reconcile.Request{}, settle) },
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
