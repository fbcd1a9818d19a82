package agent

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"k8s.io/client-go/util/cert"
)

// Certificate is what the node's API serves with, and at the same time the
// only client it takes: the API server is given it, too.
type Certificate struct {
	CertFile, KeyFile string
}

// NewCertificate writes a certificate for the node's address into a folder.
func NewCertificate(dir string, ip netip.Addr) (Certificate, error) {
	c := Certificate{CertFile: filepath.Join(dir, "kubelet.crt"), KeyFile: filepath.Join(dir, "kubelet.key")}
	chain, key, err := cert.GenerateSelfSignedCertKey("kubelet", []net.IP{ip.AsSlice()}, nil)
	if err != nil {
		return c, err
	}
	if err := os.WriteFile(c.CertFile, chain, 0o600); err != nil {
		return c, err
	}
	return c, os.WriteFile(c.KeyFile, key, 0o600)
}

// config is for a server that takes no client but the one with the same
// certificate. The certificate is made for servers, so it is compared rather
// than verified.
func (c Certificate) config() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(c.CertFile)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New(c.CertFile + " holds no certificate")
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequireAnyClientCert,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if !bytes.Equal(raw[0], block.Bytes) {
				return errors.New("the node's API is for the API server only")
			}
			return nil
		},
	}, nil
}
