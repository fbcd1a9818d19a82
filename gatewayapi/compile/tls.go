package compile

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// serverTLS reads a listener's TLS; ok is false when no certificate can be
// used, so that the listener cannot serve (ListenerConditionResolvedRefs).
func (c *compiler) serverTLS(g *gwv1.Gateway, d declared) (*routing.ListenerTLS, bool) {
	t := &routing.ListenerTLS{}
	if d.tls == nil {
		c.problem(d.owner, d.path()+".tls", "ResolvedRefs", "InvalidCertificateRef", "the listener has no certificate")
		return t, false
	}
	if d.passes() {
		t.Passthrough = true
		return t, true
	}
	if len(d.tls.CertificateRefs) == 0 && len(d.tls.Options) == 0 {
		// "This field is required to have at least one element when the mode is
		// set to "Terminate"" (ListenerTLSConfig.CertificateRefs); options may
		// stand for it.
		c.problem(d.owner, d.path()+".tls", "ResolvedRefs", "InvalidCertificateRef", "the listener has no certificate")
		return t, false
	}
	for i, r := range d.tls.CertificateRefs {
		ns := string(value(r.Namespace, gwv1.Namespace(d.owner.Namespace)))
		if reason, message := c.certificate(d.owner, r, ns); reason != "" {
			c.problem(d.owner, fmt.Sprintf("%s.tls.certificateRefs[%d]", d.path(), i), "ResolvedRefs", reason, message)
			continue
		}
		t.Certificates = append(t.Certificates, ns+"/"+string(r.Name))
	}
	if len(t.Certificates) == 0 && len(d.tls.CertificateRefs) > 0 {
		return t, false
	}
	return t, c.clientCA(g, d, t)
}

// certificate says why a reference to a certificate and key cannot be used, in
// the words of ListenerReasonInvalidCertificateRef and
// ListenerReasonRefNotPermitted; the reason is empty when it can.
func (c *compiler) certificate(from routing.ObjectRef, r gwv1.SecretObjectReference, ns string) (reason, message string) {
	group, kind, name := string(value(r.Group, "")), string(value(r.Kind, "Secret")), string(r.Name)
	if group != "" || kind != "Secret" {
		return "InvalidCertificateRef", fmt.Sprintf("a %s of group %q is no Secret", kind, group)
	}
	if !c.grants.allow(from.Kind, from.Namespace, group, kind, ns, name) {
		return "RefNotPermitted", "no ReferenceGrant in " + ns + " allows the Secret " + name
	}
	key := ns + "/" + name
	if c.in.secrets == nil || c.result.Certificates[key] != nil {
		return "", ""
	}
	s := c.in.secrets[key]
	if s == nil {
		return "InvalidCertificateRef", "there is no Secret " + key
	}
	pair, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return "InvalidCertificateRef", "the Secret " + key + " holds no certificate with its key" // the error could quote it
	}
	c.result.Certificates[key] = &pair
	return "", ""
}

// clientCA reads the validation of client certificates for the listener's port
// (GatewaySpec.TLS.Frontend, GEP-91). ok is false when it asks for one that
// nothing could validate: then the listener does not serve.
func (c *compiler) clientCA(g *gwv1.Gateway, d declared, t *routing.ListenerTLS) (ok bool) {
	if d.protocol != gwv1.HTTPSProtocolType || g.Spec.TLS == nil || g.Spec.TLS.Frontend == nil {
		return true // it is for "all Listeners handling HTTPS traffic" (FrontendTLSConfig.Default)
	}
	v := g.Spec.TLS.Frontend.Default.Validation
	for _, p := range g.Spec.TLS.Frontend.PerPort {
		if int(p.Port) == d.port {
			v = p.TLS.Validation
		}
	}
	if v == nil {
		return true
	}
	own := refOf("Gateway", g)
	for _, r := range v.CACertificateRefs {
		ns := string(value(r.Namespace, gwv1.Namespace(own.Namespace)))
		reason, message := "", ""
		switch {
		case r.Group != "" || r.Kind != "ConfigMap" && r.Kind != "Secret":
			reason, message = "InvalidCACertificateKind", "a "+string(r.Kind)+" holds no certificates of an authority"
		case !c.grants.allow(own.Kind, own.Namespace, string(r.Group), string(r.Kind), ns, string(r.Name)):
			reason, message = "RefNotPermitted", "no ReferenceGrant in "+ns+" allows the "+string(r.Kind)+" "+string(r.Name)
		case !c.authority(string(r.Kind), ns+"/"+string(r.Name)):
			reason, message = "InvalidCACertificateRef", "there is no "+string(r.Kind)+" "+ns+"/"+string(r.Name)+" with certificates at ca.crt"
		}
		if reason != "" {
			c.problem(d.owner, d.path(), "ResolvedRefs", reason, message)
			continue
		}
		if t.ClientCA == "" {
			t.ClientCA, t.ClientCAKind = ns+"/"+string(r.Name), string(r.Kind)
		}
	}
	t.ClientOptional = v.Mode == gwv1.AllowInsecureFallback
	if t.ClientCA == "" {
		c.problem(d.owner, d.path(), "Accepted", "NoValidCACertificate", "no certificate of an authority can validate clients")
		return false
	}
	return true
}

// authority reports whether a ConfigMap or Secret holds certificates at ca.crt,
// or may: where objects are not all known it is taken at its word.
func (c *compiler) authority(kind, key string) bool {
	var pem []byte
	if c.result.Authorities[kind+" "+key] != nil {
		return true
	}
	if kind == "Secret" {
		if c.in.secrets == nil {
			return true
		}
		if s := c.in.secrets[key]; s != nil {
			pem = s.Data["ca.crt"]
		}
	} else {
		if c.in.configMaps == nil {
			return true
		}
		if m := c.in.configMaps[key]; m != nil {
			pem = []byte(m.Data["ca.crt"])
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return false
	}
	c.result.Authorities[kind+" "+key] = pool
	return true
}

// clientCertificate reads the certificate that a Gateway shows to backends
// (GatewayBackendTLS.ClientCertificateRef; reasons of
// GatewayConditionResolvedRefs).
func (c *compiler) clientCertificate(g *gwv1.Gateway, ref routing.ObjectRef, x *Gateway) {
	if g.Spec.TLS == nil || g.Spec.TLS.Backend == nil || g.Spec.TLS.Backend.ClientCertificateRef == nil {
		return
	}
	r := *g.Spec.TLS.Backend.ClientCertificateRef
	ns := string(value(r.Namespace, gwv1.Namespace(ref.Namespace)))
	reason, message := c.certificate(ref, r, ns)
	if reason == "" {
		x.ClientCertificate = ns + "/" + string(r.Name)
		return
	}
	if reason == "InvalidCertificateRef" {
		reason = "InvalidClientCertificateRef"
	}
	c.problem(ref, "spec.tls.backend.clientCertificateRef", "ResolvedRefs", reason, message)
}
