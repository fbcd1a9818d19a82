//go:build linux

package node

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/agent"
)

// lifetime of certificates is longer than that of any cluster.
const lifetime = 365 * 24 * time.Hour

// authority signs the certificates of one cluster. Elliptic curves: making
// six RSA keys would take a fifth of the cluster's start.
type authority struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "causeway", NotBefore: time.Now().Add(-time.Hour)}, key)
	return &authority{key, c}, err
}

// pem is the authority's certificate.
func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: a.cert.Raw})
}

// issue returns a certificate for a server and client, and its key.
func (a *authority) issue(serial int64, name string, ips []netip.Addr, names ...string) (certPEM, keyPEM []byte, err error) {
	keyPEM, err = keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return nil, nil, err
	}
	parsed, err := keyutil.ParsePrivateKeyPEM(keyPEM)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     names,
		NotBefore:    a.cert.NotBefore,
		NotAfter:     time.Now().Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, ip := range ips {
		template.IPAddresses = append(template.IPAddresses, net.IP(ip.AsSlice()))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, parsed.(crypto.Signer).Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: der}), keyPEM, nil
}

// Names of files among the certificates. The first four are those at which
// envtest looks for files before it makes its own, which are good for
// 127.0.0.1 only.
const (
	serverCert = "apiserver.crt"
	serverKey  = "apiserver.key"
	signerCert = "sa-signer.crt"
	signerKey  = "sa-signer.key"
	caCert     = "ca.crt"
)

// writeCertificates writes what the API server serves with and signs tokens
// with, and what it and the node agent know each other by. It returns the
// authority's certificate.
func writeCertificates(dir string) (ca []byte, kubelet agent.Certificate, err error) {
	a, err := newAuthority()
	if err != nil {
		return nil, kubelet, err
	}
	server, key, err := a.issue(2, "kube-apiserver", []netip.Addr{netip.MustParseAddr("127.0.0.1"), nodeIP, apiService},
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
	if err != nil {
		return nil, kubelet, err
	}
	nodeCert, nodeKey, err := a.issue(3, "kubelet", []netip.Addr{nodeIP})
	if err != nil {
		return nil, kubelet, err
	}
	signer, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return nil, kubelet, err
	}
	kubelet = agent.Certificate{CertFile: filepath.Join(dir, "kubelet.crt"), KeyFile: filepath.Join(dir, "kubelet.key")}
	for name, data := range map[string][]byte{
		serverCert: server, serverKey: key, caCert: a.pem(),
		signerCert: signer, signerKey: signer, // a private key holds the public one, and the API server takes that
		filepath.Base(kubelet.CertFile): nodeCert, filepath.Base(kubelet.KeyFile): nodeKey,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, kubelet, err
		}
	}
	return a.pem(), kubelet, nil
}
