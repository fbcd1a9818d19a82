package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// serveTLS gives a connection to the listener that its server name chooses:
// passed through, terminated to a stream, or terminated to HTTP. One port may
// have all three (Listener: TLS and HTTPS listeners of distinct hostnames are
// compatible).
func (x *tcpSocket) serveTLS(ctx context.Context, v *view, in *inbound) {
	hello, err := peekHello(ctx, in)
	if err != nil {
		v.debug("no ClientHello came", in, err)
		_ = in.Close() // there is nobody to answer
		return
	}
	l := v.listenerFor(hello.ServerName)
	switch {
	case l == nil || l.TLS == nil:
		v.debug("no listener has this server name", in, fmt.Errorf("SNI %q", hello.ServerName))
		if v.hasTLSListener() {
			// Where a name would be passed through or streamed, this is a
			// proxy of TCP: there is no route, so there is no connection.
			refuse(in)
			return
		}
		v.alert(ctx, in, nil)
	case l.TLS.Passthrough:
		v.passThrough(ctx, in, v.connectionOf("tls", in, hello.ServerName))
	case l.Protocol == routing.TLS:
		conn := v.alert(ctx, in, v.serverTLS(l, hello.ServerName, nil))
		if conn != nil {
			v.carry(ctx, conn, v.connectionOf("tls", in, hello.ServerName))
		}
	default:
		x.web.give(tls.Server(in, v.serverTLS(l, hello.ServerName, []string{"h2", "http/1.1"})))
	}
}

// listenerFor returns the listener that takes TLS connections to a name; the
// first of several alike.
func (v *view) listenerFor(serverName string) *routing.Listener {
	for _, scheme := range []string{"https", "tls"} {
		ls := v.table.ListenersFor(&routing.Request{Scheme: scheme, Host: serverName, SNI: serverName, Port: v.port})
		if len(ls) > 0 {
			return ls[0]
		}
	}
	return nil
}

// hasTLSListener reports whether TLSRoutes may take connections of the port.
func (v *view) hasTLSListener() bool {
	for _, l := range v.table.Listeners {
		if l.Protocol == routing.TLS && l.Port == v.port {
			return true
		}
	}
	return false
}

// alert makes a TLS connection, or with a nil config ends it by the alert
// unrecognized_name.
func (v *view) alert(ctx context.Context, in *inbound, config *tls.Config) *tls.Conn {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12} // without certificates the handshake fails with that alert
	}
	conn := tls.Server(in, config)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		v.debug("the TLS handshake failed", in, err)
		_ = in.Close() // nothing can be sent any more
		return nil
	}
	return conn
}

// serverTLS is the TLS that a listener speaks. Certificates that are not there
// are left out; without any the handshake fails. Of several the one for the name
// itself comes before those for a wildcard: "The GatewayClass MUST use the longest
// matching SNI out of all available certificates for any TLS handshake"
// (Listener.TLS).
func (v *view) serverTLS(l *routing.Listener, serverName string, alpn []string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: alpn}
	for _, name := range l.TLS.Certificates {
		if cert := v.config.Certificates[name]; cert != nil {
			c.Certificates = append(c.Certificates, *cert)
		}
	}
	slices.SortStableFunc(c.Certificates, func(a, b tls.Certificate) int {
		return cmp.Compare(matchLength(&b, serverName), matchLength(&a, serverName))
	})
	switch {
	case l.TLS.ClientCA == "":
	case l.TLS.ClientOptional:
		// "AllowInsecureFallback: the client certificate is asked for, the
		// connection accepted without one and with one that does not verify"
		// (FrontendValidationModeType, GEP-91).
		c.ClientAuth = tls.RequestClientCert
	default:
		// A CA that is not there is an empty one: every certificate is refused.
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		if pool := v.config.CAs[l.TLS.ClientCAKind+" "+l.TLS.ClientCA]; pool != nil {
			c.ClientCAs = pool
		}
	}
	return c
}

// matchLength is the length of the name in a certificate that is a server's; 0
// for none. A name that is written out is longer than a wildcard for it, which
// stands for one label (RFC 9525 section 6.3).
func matchLength(cert *tls.Certificate, serverName string) int {
	if cert.Leaf == nil {
		return 0
	}
	longest := 0
	for _, name := range cert.Leaf.DNSNames {
		domain, wild := strings.CutPrefix(name, "*.")
		_, rest, _ := strings.Cut(serverName, ".")
		if wild && strings.EqualFold(domain, rest) || !wild && strings.EqualFold(name, serverName) {
			longest = max(longest, len(strings.TrimPrefix(name, "*")))
		}
	}
	return longest
}
