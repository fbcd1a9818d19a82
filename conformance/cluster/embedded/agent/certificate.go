package agent

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"os"
)

// Certificate is what the node's API serves with, and at the same time the
// only client it takes: the API server is given it, too.
type Certificate struct {
	CertFile, KeyFile string
}

// config is for a server that takes no client but the one with the same
// certificate. Other certificates of the same
// authority are none of its business, so it is compared rather than verified.
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
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("the node's API is for the API server only")
			}
			return nil
		},
	}, nil
}
