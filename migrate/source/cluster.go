package source

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

// pageSize is how many objects one list call returns, as with kubectl
// --chunk-size.
const pageSize = 500

// ClusterOptions say what to read of a cluster.
type ClusterOptions struct {
	// Namespace restricts namespaced kinds to one namespace, unless
	// AllNamespaces; "default" when empty.
	Namespace     string
	AllNamespaces bool
	// SkipSecrets leaves Secrets alone where listing them is not granted; the
	// Set is then not complete.
	SkipSecrets bool
}

// resource is a kind to list, in the versions to try, newest first.
type resource struct {
	name       string
	kind       string
	versions   []schema.GroupVersion
	namespaced bool
	// optional resources come from CRDs: a cluster without them has none.
	optional bool
}

const gatewayGroup = "gateway.networking.k8s.io"

func gatewayVersions(versions ...string) []schema.GroupVersion {
	out := make([]schema.GroupVersion, len(versions))
	for i, v := range versions {
		out[i] = schema.GroupVersion{Group: gatewayGroup, Version: v}
	}
	return out
}

// istioVersions of Istio's routing API have one schema.
var istioVersions = []schema.GroupVersion{{Group: "networking.istio.io", Version: "v1"}, {Group: "networking.istio.io", Version: "v1beta1"}, {Group: "networking.istio.io", Version: "v1alpha3"}}

// resources is everything that is read; deploy/rbac.yaml grants the same.
var resources = []resource{
	{"ingresses", "Ingress", []schema.GroupVersion{{Group: "networking.k8s.io", Version: "v1"},
		{Group: "networking.k8s.io", Version: "v1beta1"}, {Group: "extensions", Version: "v1beta1"}}, true, false},
	{"ingressclasses", "IngressClass", []schema.GroupVersion{{Group: "networking.k8s.io", Version: "v1"},
		{Group: "networking.k8s.io", Version: "v1beta1"}}, false, false},
	{"services", "Service", []schema.GroupVersion{{Version: "v1"}}, true, false},
	{"secrets", "Secret", []schema.GroupVersion{{Version: "v1"}}, true, false},
	{"configmaps", "ConfigMap", []schema.GroupVersion{{Version: "v1"}}, true, false},
	{"namespaces", "Namespace", []schema.GroupVersion{{Version: "v1"}}, false, false},
	{"endpointslices", "EndpointSlice", []schema.GroupVersion{{Group: "discovery.k8s.io", Version: "v1"}}, true, false},
	{"gatewayclasses", "GatewayClass", gatewayVersions("v1", "v1beta1"), false, true},
	{"gateways", "Gateway", gatewayVersions("v1", "v1beta1"), true, true},
	{"listenersets", "ListenerSet", gatewayVersions("v1"), true, true},
	{"httproutes", "HTTPRoute", gatewayVersions("v1", "v1beta1"), true, true},
	{"grpcroutes", "GRPCRoute", gatewayVersions("v1", "v1alpha2"), true, true},
	{"tlsroutes", "TLSRoute", gatewayVersions("v1", "v1alpha3", "v1alpha2"), true, true},
	{"tcproutes", "TCPRoute", gatewayVersions("v1", "v1alpha2"), true, true},
	{"udproutes", "UDPRoute", gatewayVersions("v1", "v1alpha2"), true, true},
	{"backendtlspolicies", "BackendTLSPolicy", gatewayVersions("v1", "v1alpha3"), true, true},
	{"referencegrants", "ReferenceGrant", gatewayVersions("v1", "v1beta1"), true, true},
	{"virtualservices", "VirtualService", istioVersions, true, true},
	{"gateways", "Gateway", istioVersions, true, true},
	{"destinationrules", "DestinationRule", istioVersions, true, true},
	{"serviceentries", "ServiceEntry", istioVersions, true, true},
}

// FromCluster reads a live cluster with list calls alone. A kind that may not
// be listed is a DocumentError that names the missing RBAC rule; the rest is
// still read. The Set is complete when every namespace and every kind was
// listed.
func FromCluster(ctx context.Context, cfg *rest.Config, o ClusterOptions) (*Set, []*DocumentError, error) {
	cfg = rest.CopyConfig(cfg)
	if cfg.QPS == 0 {
		cfg.QPS, cfg.Burst = 50, 300 // kubectl's own; the library's five a second is for controllers
	}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return fromClient(ctx, client, o)
}

func fromClient(ctx context.Context, client dynamic.Interface, o ClusterOptions) (*Set, []*DocumentError, error) {
	namespace := o.Namespace
	switch {
	case o.AllNamespaces:
		namespace = metav1.NamespaceAll
	case namespace == "":
		namespace = metav1.NamespaceDefault
	}
	results := make([]result, len(resources))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4) // list calls at a time: gentle to the API server
	for i := range resources {
		if o.SkipSecrets && resources[i].kind == "Secret" {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = listResource(ctx, client, &resources[i], namespace)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("reading the cluster: %w", err)
	}
	a := assembler{}
	var problems []*DocumentError
	for i := range results {
		problems = append(problems, results[i].errs...)
		a.add(results[i].entries)
	}
	set, warnings := a.set()
	problems = append(problems, warnings...)
	set.Complete = o.AllNamespaces && !o.SkipSecrets && !anyLost(problems)
	return set, problems, nil
}

// listResource lists one kind in the newest version that the server knows.
func listResource(ctx context.Context, client dynamic.Interface, res *resource, namespace string) result {
	if !res.namespaced {
		namespace = metav1.NamespaceAll
	}
	var err error
	for _, gv := range res.versions {
		var out result
		out, err = listAll(ctx, client.Resource(gv.WithResource(res.name)).Namespace(namespace), res, gv)
		if err == nil {
			return out
		}
		if !apierrors.IsNotFound(err) {
			break
		}
	}
	if apierrors.IsNotFound(err) && res.optional {
		return result{}
	}
	group := res.versions[0].Group
	problem := &DocumentError{Object: res.name, Err: fmt.Errorf("cannot be listed: %w", err), Remedy: "try again"}
	if group != "" {
		problem.Object += "." + group
	}
	switch {
	case apierrors.IsForbidden(err):
		scope := "a ClusterRole"
		if namespace != "" {
			scope = "a Role in namespace " + namespace
		}
		problem.Remedy = fmt.Sprintf("grant it in %s: apiGroups: [%q], resources: [%q], verbs: [\"list\"]", scope, group, res.name)
	case apierrors.IsNotFound(err):
		problem.Remedy = "the cluster does not serve this kind"
	}
	return result{errs: []*DocumentError{problem}}
}

// maxRestarts bounds how often a list starts anew because its continue token
// expired.
const maxRestarts = 3

// listAll follows the pages of a list. When a token expires on the way the
// list starts anew: the server's offer of an inconsistent rest is not taken.
func listAll(ctx context.Context, client dynamic.ResourceInterface, res *resource, gv schema.GroupVersion) (result, error) {
	r := &reader{namespace: metav1.NamespaceDefault}
	for restarts := 0; ; restarts++ {
		var out result
		opts := metav1.ListOptions{Limit: pageSize}
		for {
			page, err := client.List(ctx, opts)
			if apierrors.IsResourceExpired(err) && opts.Continue != "" && restarts < maxRestarts {
				break
			}
			if err != nil {
				return result{}, err
			}
			for i := range page.Items {
				e, errs := r.fromCluster(&page.Items[i], res, gv)
				out.errs = append(out.errs, errs...)
				if e != nil {
					out.entries = append(out.entries, e)
				}
			}
			if opts.Continue = page.GetContinue(); opts.Continue == "" {
				return out, nil
			}
		}
	}
}

// fromCluster makes an entry of a listed object. The kind comes from the
// request: items of a list may leave it out.
func (r *reader) fromCluster(u *unstructured.Unstructured, res *resource, gv schema.GroupVersion) (*entry, []*DocumentError) {
	m := u.UnstructuredContent()
	if m == nil {
		return nil, []*DocumentError{{Object: res.name, Err: errors.New("the server sent an empty item")}}
	}
	m["kind"], m["apiVersion"] = res.kind, gv.String()
	return r.object(&place{chunk: &chunk{}}, m, "", ledger.TreeOf(m), 0)
}
