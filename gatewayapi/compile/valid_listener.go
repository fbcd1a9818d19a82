package compile

import (
	"fmt"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// declared is a listener as a Gateway or ListenerSet declares it.
type declared struct {
	owner    routing.ObjectRef
	index    int
	name     string
	port     int
	protocol gwv1.ProtocolType
	hostname string // in lower case
	tls      *gwv1.ListenerTLSConfig
	allowed  *gwv1.AllowedRoutes
}

// declare reads a listener. The hostname "is ignored for protocols that don't
// require hostname based matching" (Listener.Hostname).
func declare(owner routing.ObjectRef, index int, l gwv1.ListenerEntry) declared {
	d := declared{owner, index, string(l.Name), int(l.Port), l.Protocol, strings.ToLower(string(value(l.Hostname, ""))), l.TLS, l.AllowedRoutes}
	if l.Protocol == gwv1.TCPProtocolType || l.Protocol == gwv1.UDPProtocolType {
		d.hostname = ""
	}
	return d
}

func (d *declared) path() string { return fmt.Sprintf("spec.listeners[%d]", d.index) }

// supported reports whether the protocol is one of the API.
func (d *declared) supported() bool {
	_, ok := protocols[d.protocol]
	return ok
}

// passes reports whether TLS is left to the backend.
func (d *declared) passes() bool {
	return d.tls != nil && value(d.tls.Mode, gwv1.TLSModeTerminate) == gwv1.TLSModePassthrough
}

// acceptable looks at the values of a listener, in the words of
// ListenerConditionAccepted. Most of them the API server refuses; files may hold
// them all the same.
func (c *compiler) acceptable(d *declared, again bool) bool {
	ok := true
	refuse := func(path, reason, format string, args ...any) {
		ok = false
		c.problem(d.owner, d.path()+path, "Accepted", reason, fmt.Sprintf(format, args...))
	}
	if !d.supported() {
		refuse(".protocol", "UnsupportedProtocol", "the protocol %s is not part of Gateway API", d.protocol)
	}
	if again { // "This name MUST be unique within a Gateway" (Listener.Name)
		refuse(".name", "UnsupportedValue", "there is another listener %s", d.name)
	}
	if d.port < 1 || d.port > 65535 {
		refuse(".port", "PortUnavailable", "%d is no port", d.port)
	}
	if d.hostname != "" && !validHostname(d.hostname) {
		refuse(".hostname", "UnsupportedValue", "%q is no host name", d.hostname)
	}
	if c.in.filtered[d.owner][d.index] {
		// Filters that run before routes are chosen came with v1.7; who may
		// enter depends on them (Listener.Filters).
		refuse(".filters", "UnsupportedValue", "filters of listeners are not understood")
	}
	switch protocol := protocols[d.protocol]; {
	case d.tls == nil || !d.supported():
	case protocol != routing.HTTPS && protocol != routing.TLS:
		// "It is invalid to set this field if the Protocol field is "HTTP", "TCP",
		// or "UDP"" (Listener.TLS).
		refuse(".tls", "UnsupportedValue", "a %s listener has no TLS", d.protocol)
	case protocol == routing.HTTPS && d.passes():
		// "SSL passthrough is only supported by TLSRoute" (TLSModePassthrough).
		refuse(".tls.mode", "UnsupportedValue", "an HTTPS listener ends TLS; a TLS listener can pass it through")
	default:
		if m := value(d.tls.Mode, gwv1.TLSModeTerminate); m != gwv1.TLSModeTerminate && m != gwv1.TLSModePassthrough {
			refuse(".tls.mode", "UnsupportedValue", "there is no mode %s", m)
		}
	}
	return ok
}
