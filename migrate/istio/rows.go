package istio

import "github.com/causeway-gateway/causeway/migrate/ledger"

// rows are the fields of each kind; docs/migrating-from-istio.md holds the same
// table, and a test keeps the two together.
var rows = map[string]map[string]row{
	"VirtualService":  virtualServiceRows,
	"Gateway":         gatewayRows,
	"DestinationRule": destinationRuleRows,
	"ServiceEntry":    serviceEntryRows,
}

var virtualServiceRows = map[string]row{
	"spec.hosts":    carried("hostnames of the routes, or the Services they are attached to", "host", "listener"),
	"spec.gateways": carried("the listeners that the routes attach to; mesh is a Service as parent", "listener"),
	"spec.exportTo": carried("seen by some namespaces only: a consumer route in each", "listener"),

	"spec.http":                           carried("rules of an HTTPRoute; of a GRPCRoute where the Service speaks gRPC", "path"),
	"spec.http[].name":                    fixed(ledger.Ignored, "names the route in logs and metrics", ""),
	"spec.http[].match[].name":            fixed(ledger.Ignored, "names the route in logs and metrics", ""),
	"spec.http[].match[].statPrefix":      fixed(ledger.Ignored, "names metrics", ""),
	"spec.http[].match[].uri":             carried("a prefix is a string prefix in Istio", "path", "order"),
	"spec.http[].match[].ignoreUriCase":   carried("a regular expression", "path"),
	"spec.http[].match[].scheme":          carried("the listener that the route attaches to", "listener"),
	"spec.http[].match[].method":          carried("one match for each method that fits", "method"),
	"spec.http[].match[].authority":       carried("a hostname of its own", "host", "headers"),
	"spec.http[].match[].headers":         carried("Exact, or a regular expression for prefixes and presence", "headers", "order"),
	"spec.http[].match[].withoutHeaders":  carried("said by order: the rules behind come first where the header is there", "headers", "order"),
	"spec.http[].match[].queryParams":     carried("Exact, or a regular expression for prefixes and presence", "query", "order"),
	"spec.http[].match[].port":            carried("the listener that the route attaches to", "listener"),
	"spec.http[].match[].gateways":        carried("the listener that the route attaches to", "listener"),
	"spec.http[].match[].sourceNamespace": carried("a consumer route of that namespace", "listener"),
	"spec.http[].match[].sourceLabels":    carried("settled at a gateway by its pods' labels; has no form within the mesh", "listener"),

	"spec.http[].route[].destination":              carried("a backendRef", "backend"),
	"spec.http[].route[].weight":                   carried("the weight of the backendRef", "weights"),
	"spec.http[].route[].headers":                  carried("filters of the backendRef", "request-headers", "response-headers", "host-rewrite"),
	"spec.http[].headers":                          carried("RequestHeaderModifier and ResponseHeaderModifier", "request-headers", "response-headers", "host-rewrite"),
	"spec.http[].redirect":                         carried("RequestRedirect; codes beyond 301 and 302 since v1.5", "redirect"),
	"spec.http[].directResponse":                   carried("404 where nothing else takes the requests; other answers have no form", "respond"),
	"spec.http[].delegate":                         fixed(ledger.Converted, "the delegate's routes are merged into this object's", ""),
	"spec.http[].rewrite":                          carried("URLRewrite of the path", "rewrite", "path"),
	"spec.http[].rewrite.authority":                carried("URLRewrite of the hostname", "host-rewrite"),
	"spec.http[].timeout":                          carried("timeouts.request", "timeouts"),
	"spec.http[].retries":                          carried("retry, in the experimental channel before v1.7", "retry"),
	"spec.http[].retries.retryRemoteLocalities":    fixed(ledger.Unsupported, "Gateway API does not choose where retries go", "use the implementation's own retry policy"),
	"spec.http[].retries.retryIgnorePreviousHosts": fixed(ledger.Unsupported, "Gateway API does not choose where retries go", "use the implementation's own retry policy"),
	"spec.http[].fault":                            carried("has no form", "fault"),
	"spec.http[].mirror":                           carried("RequestMirror", "mirror"),
	"spec.http[].mirrors":                          carried("RequestMirror", "mirror"),
	"spec.http[].mirrorPercent":                    carried("percent or fraction of the RequestMirror", "mirror"),
	"spec.http[].mirror_percent":                   carried("percent or fraction of the RequestMirror", "mirror"),
	"spec.http[].mirrorPercentage":                 carried("percent or fraction of the RequestMirror", "mirror"),
	"spec.http[].corsPolicy":                       carried("the CORS filter, standard since v1.5", "cors"),
	"spec.http[].corsPolicy.unmatchedPreflights":   fixed(ledger.Approximated, "implementations differ in whether a preflight of another origin reaches the backend", ""),

	"spec.tls":                              carried("TLSRoutes", "listener"),
	"spec.tls[].match[].sniHosts":           carried("hostnames of the TLSRoute", "host", "listener", "tls"),
	"spec.tls[].match[].port":               carried("the listener that the route attaches to", "listener"),
	"spec.tls[].match[].gateways":           carried("the listener that the route attaches to", "listener"),
	"spec.tls[].match[].destinationSubnets": noSubnets,
	"spec.tls[].match[].sourceLabels":       noSource,
	"spec.tls[].match[].sourceNamespace":    noSource,
	"spec.tls[].route":                      carried("backendRefs of the TLSRoute", "backend", "weights"),
	"spec.tcp":                              carried("TCPRoutes", "listener"),
	"spec.tcp[].match[].port":               carried("the listener that the route attaches to", "listener"),
	"spec.tcp[].match[].gateways":           carried("the listener that the route attaches to", "listener"),
	"spec.tcp[].match[].destinationSubnets": noSubnets,
	"spec.tcp[].match[].sourceSubnet":       noSubnets,
	"spec.tcp[].match[].sourceLabels":       noSource,
	"spec.tcp[].match[].sourceNamespace":    noSource,
	"spec.tcp[].route":                      carried("backendRefs of the TCPRoute", "backend", "weights"),
}

var (
	noSubnets = fixed(ledger.Unsupported, "Gateway API does not match connections by address", "use a network policy, or a port of its own")
	noSource  = fixed(ledger.Unsupported, "Gateway API does not match connections by the workload that opens them", "use an authorization policy of the mesh")
	noOptions = fixed(ledger.Extension, "TLS settings beyond certificates are the implementation's: spec.listeners[].tls.options, or such as Envoy Gateway ClientTrafficPolicy tls", "set them there")
	noFiles   = fixed(ledger.Unsupported, "files of the gateway's pods are not within reach of a Gateway", "put the certificate into a Secret and name it as credentialName")
)

var gatewayRows = map[string]row{
	"spec.selector":                            fixed(ledger.Converted, "a Gateway takes the place of the selected pods; Gateways that select other pods stay apart", ""),
	"spec.servers":                             fixed(ledger.Converted, "listeners for what VirtualServices serve here", ""),
	"spec.servers[].name":                      fixed(ledger.Ignored, "names the server in metrics", ""),
	"spec.servers[].port.name":                 fixed(ledger.Ignored, "listeners get names of their own", ""),
	"spec.servers[].port.targetPort":           fixed(ledger.Ignored, "Istio ignores it, too", ""),
	"spec.servers[].hosts":                     fixed(ledger.Converted, "a listener for each name that needs one; hosts that no VirtualService serves get none", ""),
	"spec.servers[].bind":                      fixed(ledger.Unsupported, "a server cannot be bound to one address of the pods", "use a Gateway of its own with spec.addresses"),
	"spec.servers[].defaultEndpoint":           fixed(ledger.Unsupported, "Istio does not implement it, nor does Gateway API have it", ""),
	"spec.servers[].tls":                       noOptions,
	"spec.servers[].tls.httpsRedirect":         carried("a redirect in a route of its own", "redirect"),
	"spec.servers[].tls.mode":                  carried("Terminate or Passthrough; client certificates by spec.tls.frontend of the Gateway", "tls", "client-certificate"),
	"spec.servers[].tls.credentialName":        carried("certificateRefs of the listener: the same Secret in the namespace of the gateway's pods", "tls"),
	"spec.servers[].tls.credentialNames":       carried("certificateRefs of the listener", "tls"),
	"spec.servers[].tls.caCertCredentialName":  carried("validation of client certificates by spec.tls.frontend of the Gateway", "client-certificate"),
	"spec.servers[].tls.serverCertificate":     noFiles,
	"spec.servers[].tls.privateKey":            noFiles,
	"spec.servers[].tls.caCertificates":        noFiles,
	"spec.servers[].tls.caCrl":                 noFiles,
	"spec.servers[].tls.tlsCertificates":       noFiles,
	"spec.servers[].tls.subjectAltNames":       fixed(ledger.Unsupported, "client certificates are validated by their authority alone, not by their names", "use an authorization policy of the implementation"),
	"spec.servers[].tls.verifyCertificateSpki": fixed(ledger.Unsupported, "client certificates are validated by their authority alone, not pinned", "use an authorization policy of the implementation"),
	"spec.servers[].tls.verifyCertificateHash": fixed(ledger.Unsupported, "client certificates are validated by their authority alone, not pinned", "use an authorization policy of the implementation"),
}

var trafficPolicy = fixed(ledger.Extension, "how connections to the Service are made is the implementation's: BackendTrafficPolicy of Envoy Gateway, XBackendTrafficPolicy of the experimental channel for retry budgets and session persistence; Istio applies this DestinationRule to Gateway API routes, too", "keep the DestinationRule while Istio carries the traffic")

// settings are the fields of a traffic policy, wherever one stands.
func settings(at string, rows map[string]row) {
	rows[at] = trafficPolicy
	rows[at+".tls"] = backendTLS
	rows[at+".loadBalancer.consistentHash"] = consistentHash
}

var destinationRuleRows = func() map[string]row {
	rows := map[string]row{
		"spec.host":             fixed(ledger.Ignored, "names the Service that the rule is about", ""),
		"spec.exportTo":         fixed(ledger.Ignored, "read to find the rule that applies", ""),
		"spec.workloadSelector": fixed(ledger.Unsupported, "a rule for some clients has no form", "keep the DestinationRule while Istio carries the traffic"),
		"spec.subsets[].name":   fixed(ledger.Ignored, "no route sends requests to this subset", ""),
		"spec.subsets[].labels": fixed(ledger.Ignored, "no route sends requests to this subset", ""),
	}
	for _, at := range []string{"spec.trafficPolicy", "spec.subsets[].trafficPolicy"} {
		settings(at, rows)
		settings(at+".portLevelSettings[]", rows)
		rows[at+".portLevelSettings[].port"] = fixed(ledger.Ignored, "names the port that the settings are about", "")
	}
	return rows
}()

var backendTLS = carried("a BackendTLSPolicy of the Service, where the mode is SIMPLE and a name is verified; the mesh's own mutual TLS needs none", "backend-tls").
	unless(fixed(ledger.Extension, "TLS towards the Service: a BackendTLSPolicy where a route forwards to it", "keep the DestinationRule while Istio carries the traffic"))

var consistentHash = carried("session persistence of the experimental channel, for cookies and headers", "affinity").unless(trafficPolicy)

var serviceEntryRows = map[string]row{
	"spec.hosts":            fixed(ledger.Ignored, "no converted route forwards to this host; the mesh keeps it", ""),
	"spec.ports":            fixed(ledger.Converted, "read to find the port of a destination", ""),
	"spec.addresses":        fixed(ledger.Ignored, "addresses by which workloads reach the host; the mesh keeps them", ""),
	"spec.location":         fixed(ledger.Ignored, "whether the mesh's mutual TLS is used; the mesh keeps it", ""),
	"spec.resolution":       fixed(ledger.Converted, "DNS becomes a Service of type ExternalName where a route forwards to the host", ""),
	"spec.endpoints":        fixed(ledger.Extension, "addresses of the host: an EndpointSlice where a route forwards to it; the mesh keeps them", "keep the ServiceEntry while Istio carries the traffic"),
	"spec.workloadSelector": fixed(ledger.Extension, "pods and virtual machines that stand for the host; the mesh keeps them", "keep the ServiceEntry while Istio carries the traffic"),
	"spec.exportTo":         fixed(ledger.Ignored, "read to find whether a route may forward to the host", ""),
	"spec.subjectAltNames":  fixed(ledger.Extension, "names that the host's certificate must have: a BackendTLSPolicy", "write one where a route forwards to the host over TLS"),
}

// beside are the other kinds of Istio that affect requests: they select pods,
// and those of a new Gateway have other labels.
var beside = map[string]row{
	"AuthorizationPolicy":   fixed(ledger.Unsupported, "it may guard the gateway's pods by their labels; those of the new Gateway have others, and would be open", "point targetRefs at the new Gateway before traffic moves (https://istio.io/latest/docs/reference/config/security/authorization-policy/)"),
	"RequestAuthentication": fixed(ledger.Unsupported, "it may check tokens at the gateway's pods by their labels; those of the new Gateway have others", "point targetRefs at the new Gateway before traffic moves"),
	"EnvoyFilter":           fixed(ledger.Unsupported, "it changes Envoy's configuration directly, and may match the gateway or its routes by name", "say the same by Gateway API or by the implementation's own policy"),
	"WasmPlugin":            fixed(ledger.Unsupported, "it may run in the gateway's pods by their labels", "point targetRefs at the new Gateway"),
	"Sidecar":               fixed(ledger.Ignored, "limits what sidecars know; it stays as it is, and is not read here", ""),
	"PeerAuthentication":    fixed(ledger.Ignored, "mutual TLS of the mesh stays as it is", ""),
	"Telemetry":             fixed(ledger.Ignored, "does not affect where requests go", ""),
	"WorkloadEntry":         fixed(ledger.Ignored, "workloads stay as they are", ""),
	"WorkloadGroup":         fixed(ledger.Ignored, "workloads stay as they are", ""),
	"ProxyConfig":           fixed(ledger.Ignored, "settings of proxies stay as they are", ""),
}
