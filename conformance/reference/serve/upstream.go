package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// wire is what is spoken with a backend.
type wire struct {
	secure bool
	h2     bool // without TLS: prior knowledge; with TLS: nothing but HTTP/2
}

func (w wire) scheme() string {
	if w.secure {
		return "https"
	}
	return "http"
}

// wireOf is what a backend speaks: its appProtocol (GEP-1911) says so. gRPC
// needs HTTP/2 end to end. The mesh keeps what the client speaks where the
// Service says nothing.
func wireOf(b *routing.Backend, r *http.Request, mesh bool) wire {
	w := wire{secure: b.TLS != nil}
	switch b.Protocol {
	case "HTTPS":
		w.secure = true
	case "GRPCS":
		w.secure, w.h2 = true, true
	case "H2C", "GRPC":
		w.h2 = true
	case "":
		w.h2 = mesh && r.ProtoMajor == 2
	}
	w.h2 = w.h2 || isGRPC(r)
	return w
}

// transports keep the connections to backends, by what is spoken on them.
type transports struct {
	mu sync.Mutex
	m  map[transportKey]*http.Transport
}

// transportKey is comparable: one transport for each way of verifying.
type transportKey struct {
	wire   wire
	tls    *routing.BackendTLS
	client *tls.Certificate
}

// transport returns the transport for a backend.
func (v *view) transport(b *routing.Backend, w wire) (*http.Transport, error) {
	if b.Protocol == "FCGI" {
		return nil, &failure{http.StatusBadGateway, "FastCGI is not served"}
	}
	if !w.secure {
		return v.server.plain.get(transportKey{wire: w}, func(t *http.Transport) error {
			t.Protocols = new(http.Protocols)
			t.Protocols.SetHTTP1(!w.h2)
			t.Protocols.SetUnencryptedHTTP2(w.h2)
			return nil
		})
	}
	return v.secure.get(transportKey{w, b.TLS, v.client}, func(t *http.Transport) error {
		c, err := v.clientTLS(b.TLS)
		t.TLSClientConfig = c
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(!w.h2)
		t.Protocols.SetHTTP2(true)
		return err
	})
}

func (t *transports) get(key transportKey, setUp func(*http.Transport) error) (*http.Transport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.m[key]; x != nil {
		return x, nil
	}
	x := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   handshakeTimeout,
		DisableCompression:    true, // bodies pass as they are
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       30 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	if err := setUp(x); err != nil {
		return nil, err
	}
	if t.m == nil {
		t.m = map[transportKey]*http.Transport{}
	}
	t.m[key] = x
	return x, nil
}

func (t *transports) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.m {
		x.CloseIdleConnections()
	}
}

// clientTLS is the client side of TLS towards a backend: that of a
// BackendTLSPolicy, or without one unverified.
func (v *view) clientTLS(t *routing.BackendTLS) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	cert := v.client
	if t != nil && t.ClientCertificate != "" {
		if cert = v.config.Certificates[t.ClientCertificate]; cert == nil {
			return nil, &failure{http.StatusBadGateway, "there is no client certificate " + t.ClientCertificate}
		}
	}
	if cert != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	if t == nil || !t.Verify {
		c.InsecureSkipVerify = true // no policy says how to verify
		if t != nil {
			c.ServerName = t.Hostname
		}
		return c, nil
	}
	var roots *x509.CertPool // nil is the system's
	if t.CA != "" {
		if roots = v.config.CAs[t.CAKind+" "+t.CA]; roots == nil {
			return nil, &failure{http.StatusBadGateway, fmt.Sprintf("there is no CA %s %s", t.CAKind, t.CA)}
		}
	}
	c.ServerName, c.RootCAs = t.Hostname, roots
	if len(t.SubjectAltNames) > 0 {
		// crypto/tls can verify for the server name only; VerifyConnection
		// verifies in its place.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifySANs(s, roots, t.SubjectAltNames) }
	}
	return c, nil
}

// verifySANs checks the chain and that the certificate has one of the names:
// "If SubjectAltNames are specified, Hostname … MUST NOT be used for
// authentication" (BackendTLSPolicyValidation.Hostname).
func verifySANs(s tls.ConnectionState, roots *x509.CertPool, names []string) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the backend sent no certificate")
	}
	leaf, between := s.PeerCertificates[0], x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		return err
	}
	for _, n := range names {
		kind, name, _ := strings.Cut(n, ":")
		switch kind {
		case "DNS":
			if matchesDNS(leaf, name) {
				return nil
			}
		case "URI":
			for _, u := range leaf.URIs {
				if u.String() == name {
					return nil
				}
			}
		}
	}
	return fmt.Errorf("the certificate of the backend has none of the names %s", strings.Join(names, ", "))
}

// matchesDNS compares a name with those of a certificate. A wildcard in the
// policy must stand in the certificate too.
func matchesDNS(leaf *x509.Certificate, name string) bool {
	if strings.HasPrefix(name, "*.") {
		for _, d := range leaf.DNSNames {
			if strings.EqualFold(d, name) {
				return true
			}
		}
		return false
	}
	return leaf.VerifyHostname(name) == nil
}
