package control

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

const (
	managedBy    = "app.kubernetes.io/managed-by"
	managedByUs  = "causeway-reference"
	addressLabel = "reference.causeway-gateway.github.io/address" // that a Service is for
)

// opening is a port of a Gateway and where it is bound.
type opening struct {
	network    string
	port, bind int
}

// infrastructure brings the Services of Gateways in line: one LoadBalancer for
// each address a Gateway asks for, or one with any address. Its ports lead to
// the sockets by an EndpointSlice of our own, so that it can stand in the
// Gateway's namespace, far from the pod.
func (r *reconciler) infrastructure(ctx context.Context, s *snapshot, open map[routing.ObjectRef][]opening) error {
	have := map[string]*corev1.Service{}
	for _, svc := range s.services {
		if svc.Labels[managedBy] == managedByUs {
			have[nameOf(svc)] = svc
		}
	}
	routes := map[string]*discoveryv1.EndpointSlice{}
	for _, x := range s.slices {
		if x.Labels[discoveryv1.LabelManagedBy] == managedByUs {
			routes[nameOf(x)] = x
		}
	}
	for _, g := range s.gateways {
		ports := open[refOf(g)]
		if len(ports) == 0 {
			continue
		}
		for _, address := range requested(g) {
			if !usable(address) {
				continue
			}
			svc, slice := infrastructureOf(g, address, ports, r.options.Address)
			if err := bring(ctx, r.client, slice, routes[nameOf(slice)], func(old *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
				x := old.DeepCopy()
				x.Endpoints, x.Ports = slice.Endpoints, slice.Ports
				return x
			}); err != nil {
				return err
			}
			if err := bring(ctx, r.client, svc, have[nameOf(svc)], func(old *corev1.Service) *corev1.Service {
				x := old.DeepCopy()
				x.Labels, x.Annotations = svc.Labels, svc.Annotations
				x.Spec.Ports = withNodePorts(svc.Spec.Ports, old.Spec.Ports)
				return x
			}); err != nil {
				return err
			}
			delete(have, nameOf(svc))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		// Its EndpointSlice goes with it (metadata.ownerReferences would do
		// for a Gateway that is gone, but not for an address it gave up).
		svc := have[name]
		if err := client.IgnoreNotFound(r.client.Delete(ctx, svc)); err != nil {
			return err
		}
		if x := routes[name]; x != nil {
			if err := client.IgnoreNotFound(r.client.Delete(ctx, x)); err != nil {
				return err
			}
		}
	}
	return nil
}

// bring creates an object, or updates it where change makes a difference.
func bring[T client.Object](ctx context.Context, c client.Client, want, have T, change func(T) T) error {
	if any(have) == any(*new(T)) {
		err := c.Create(ctx, want)
		if apierrors.IsAlreadyExists(err) {
			return nil // the cache is behind; its event follows
		}
		return err
	}
	x := change(have)
	if equality.Semantic.DeepEqual(x, have) {
		return nil
	}
	return c.Update(ctx, x)
}

// withNodePorts keeps the node ports that the API server gave.
func withNodePorts(want, have []corev1.ServicePort) []corev1.ServicePort {
	out := slices.Clone(want)
	for i := range out {
		for _, h := range have {
			if h.Name == out[i].Name {
				out[i].NodePort = h.NodePort
			}
		}
	}
	return out
}

// requested are the addresses that a Gateway asks for; "" is any.
func requested(g *gwv1.Gateway) []string {
	var out []string
	for _, a := range g.Spec.Addresses {
		if !slices.Contains(out, a.Value) {
			out = append(out, a.Value)
		}
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

// usable reports whether an address can be asked for: "If a value is set in the
// spec and the requested address is invalid or unavailable, the implementation
// MUST indicate this" (GatewaySpec.Addresses).
func usable(address string) bool {
	_, err := netip.ParseAddr(address)
	return address == "" || err == nil
}

// infrastructureOf are the Service of a Gateway for an address, and where it
// leads. Labels and annotations of spec.infrastructure are "applied to any
// resources created in response to this Gateway" (GatewayInfrastructure).
func infrastructureOf(g *gwv1.Gateway, address string, ports []opening, pod netip.Addr) (*corev1.Service, *discoveryv1.EndpointSlice) {
	meta := metav1.ObjectMeta{
		Namespace: g.Namespace, Name: infrastructureName(g.Name, address),
		Labels: map[string]string{}, Annotations: map[string]string{},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: gwv1.GroupVersion.String(), Kind: "Gateway", Name: g.Name, UID: g.UID}},
	}
	if i := g.Spec.Infrastructure; i != nil {
		for k, v := range i.Labels {
			meta.Labels[string(k)] = string(v)
		}
		for k, v := range i.Annotations {
			meta.Annotations[string(k)] = string(v)
		}
	}
	meta.Labels[gwv1.GatewayNameLabelKey] = labelValue(g.Name)
	meta.Labels[managedBy] = managedByUs
	meta.Annotations[addressLabel] = address

	svc := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, LoadBalancerIP: address}}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  *meta.DeepCopy(),
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{pod.String()}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
	}
	delete(slice.Labels, managedBy)
	slice.Labels[discoveryv1.LabelManagedBy] = managedByUs
	slice.Labels[discoveryv1.LabelServiceName] = meta.Name
	slices.SortFunc(ports, func(a, b opening) int {
		return cmp.Or(cmp.Compare(a.port, b.port), cmp.Compare(a.network, b.network))
	})
	protocols := map[string]corev1.Protocol{"tcp": corev1.ProtocolTCP, "udp": corev1.ProtocolUDP}
	for _, p := range ports {
		name, protocol := fmt.Sprintf("%s-%d", p.network, p.port), protocols[p.network]
		svc.Spec.Ports = append(svc.Spec.Ports, corev1.ServicePort{Name: name, Port: int32(p.port), TargetPort: intstr.FromInt(p.bind), Protocol: protocol})
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &name, Port: new(int32(p.bind)), Protocol: &protocol})
	}
	return svc, slice
}

// infrastructureName is the name of a Gateway's Service for an address, a DNS
// label like all names of Services.
func infrastructureName(gateway, address string) string {
	sum := sha256.Sum256([]byte(gateway + "\n" + address))
	return "gateway-" + hex.EncodeToString(sum[:8])
}

// labelValue is a name as the value of a label, which is at most 63 bytes long.
func labelValue(name string) string {
	if len(name) <= 63 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:50] + "-" + hex.EncodeToString(sum[:6])
}

// assignment is what became of the addresses that a Gateway asks for.
type assignment struct {
	given    []string // in the order asked for
	unusable []string // asked for, but the cluster gave another
	pending  bool     // some are not given yet
}

// assigned reads the addresses of a Gateway off its Services.
func assigned(g *gwv1.Gateway, services map[string]*corev1.Service) assignment {
	var out assignment
	for _, address := range requested(g) {
		if !usable(address) {
			out.unusable = append(out.unusable, address)
			continue
		}
		svc := services[g.Namespace+"/"+infrastructureName(g.Name, address)]
		if svc == nil || len(svc.Status.LoadBalancer.Ingress) == 0 {
			out.pending = true
			continue
		}
		got := svc.Status.LoadBalancer.Ingress[0].IP
		if address != "" && got != address {
			out.unusable = append(out.unusable, address)
			continue
		}
		out.given = append(out.given, got)
	}
	return out
}
