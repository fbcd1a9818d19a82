package oracle

import (
	"fmt"
	"strings"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcp "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/gatewayapi"
	"istio.io/istio/pkg/test"
)

// pilot is the control plane over one set of objects.
type pilot struct {
	*xds.FakeDiscoveryServer
	t test.Failer
}

// start runs pilot over Istio objects and objects of Kubernetes, Gateway API
// among them, both as YAML.
func start(t test.Failer, istio, kubernetes string) *pilot {
	// The CRDs of the fake cluster have no bundle version to compare.
	clear(gatewayapi.MinimumCRDVersions)
	configs, err := parse(istio)
	if err != nil {
		t.Fatal(err)
	}
	return &pilot{xds.NewFakeDiscoveryServer(t, xds.FakeOptions{Configs: configs, KubernetesObjectString: kubernetes}), t}
}

// parse reads Istio objects as its webhook admits them.
func parse(istio string) ([]config.Config, error) {
	configs, _, err := crd.ParseInputs(istio)
	for i := range configs {
		configs[i].Domain = "cluster.local"
	}
	return configs, err
}

// proxy is an Envoy: the pods of a gateway, or a sidecar.
type proxy struct {
	listeners []*listener.Listener
	routes    map[string]*route.RouteConfiguration
	clusters  map[string]bool // what routes may lead to
}

// gateway is the proxy of a gateway's pod.
func (p *pilot) gateway(namespace, name, address string, labels map[string]string) *proxy {
	return p.proxy(&model.Proxy{Type: model.Router, ConfigNamespace: namespace, ID: name + "." + namespace, IPAddresses: []string{address}, Labels: labels,
		Metadata: &model.NodeMetadata{Namespace: namespace, Labels: labels}})
}

// sidecar is the proxy of a workload that sends requests.
func (p *pilot) sidecar(namespace string) *proxy {
	return p.proxy(&model.Proxy{Type: model.SidecarProxy, ConfigNamespace: namespace, ID: "client." + namespace, IPAddresses: []string{"9.9.9.9"}, Metadata: &model.NodeMetadata{Namespace: namespace}})
}

func (p *pilot) proxy(m *model.Proxy) *proxy {
	m = p.SetupProxy(m)
	out := &proxy{listeners: p.Listeners(m), routes: map[string]*route.RouteConfiguration{}, clusters: map[string]bool{}}
	for _, c := range p.Clusters(m) {
		out.clusters[c.Name] = true
	}
	for _, r := range p.RoutesFromListeners(m, out.listeners) {
		out.routes[r.Name] = r
	}
	return out
}

// chain is a filter chain: by which names it takes TLS connections, and what it
// does with them.
type chain struct {
	port  int
	names []string // empty takes every connection
	tls   bool
	rds   string
	proxy *tcp.TcpProxy
}

// chains lists the filter chains of the listeners that clients connect to.
func (p *proxy) chains() []chain {
	var out []chain
	for _, l := range p.listeners {
		address := l.GetAddress().GetSocketAddress()
		if address == nil {
			continue
		}
		for _, fc := range l.FilterChains {
			c := chain{port: int(address.GetPortValue()), names: fc.GetFilterChainMatch().GetServerNames(), tls: fc.TransportSocket != nil}
			for _, f := range fc.Filters {
				switch any := f.GetTypedConfig(); {
				case any.MessageIs(&hcm.HttpConnectionManager{}):
					m := &hcm.HttpConnectionManager{}
					if any.UnmarshalTo(m) == nil {
						c.rds = m.GetRds().GetRouteConfigName()
					}
				case any.MessageIs(&tcp.TcpProxy{}):
					m := &tcp.TcpProxy{}
					if any.UnmarshalTo(m) == nil {
						c.proxy = m
					}
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// backend names what a cluster stands for as a table does: the Service, that of
// its subset, and the port.
func backend(cluster string) string {
	_, subset, host, port := model.ParseSubsetKey(cluster)
	name, rest, _ := strings.Cut(string(host), ".")
	ns, domain, _ := strings.Cut(rest, ".")
	if domain != "svc.cluster.local" {
		return fmt.Sprintf("%s:%d", host, port)
	}
	if subset != "" {
		name += "-" + subset
	}
	return fmt.Sprintf("%s/%s:%d", ns, name, port)
}
