package install

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// Lifetime of certificates: a cluster for a test lives for hours, and the clock
// of a node may be a little behind.
const (
	authorityLife = 24 * time.Hour
	clockSkew     = 5 * time.Minute
)

// withAuthority are a chart's values with certificates in their places.
func withAuthority(values map[string]any, a *implementation.Authority) (map[string]any, error) {
	if a == nil {
		return values, nil
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a trust anchor: %w", err)
	}
	root := authorityTemplate(a.Root, 1)
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, fmt.Errorf("making a trust anchor: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making an issuer: %w", err)
	}
	issuerDER, err := x509.CreateCertificate(rand.Reader, authorityTemplate(a.Issuer, 0), root, &key.PublicKey, rootKey)
	if err != nil {
		return nil, fmt.Errorf("making an issuer: %w", err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("making an issuer: %w", err)
	}
	out := map[string]any{}
	if values != nil {
		out = runtime.DeepCopyJSON(values)
	}
	for _, v := range []struct {
		path, kind string
		der        []byte
	}{{a.Values.Root, "CERTIFICATE", rootDER}, {a.Values.Certificate, "CERTIFICATE", issuerDER}, {a.Values.Key, "EC PRIVATE KEY", keyDER}} {
		text := string(pem.EncodeToMemory(&pem.Block{Type: v.kind, Bytes: v.der}))
		if err := unstructured.SetNestedField(out, text, strings.Split(v.path, ".")...); err != nil {
			return nil, fmt.Errorf("value %s of the chart: %w", v.path, err)
		}
	}
	return out, nil
}

// authorityTemplate is a certificate that may sign others, below levels deep.
func authorityTemplate(name string, levels int) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: levels, MaxPathLenZero: levels == 0,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}
