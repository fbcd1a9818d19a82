//go:build linux

package embedded

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// suiteImages are where the images of the conformance suite lie: up to suite
// v1.6, and since v1.7.
var suiteImages = []string{"registry.k8s.io/gateway-api/", "registry.k8s.io/gateway-api/conformance/"}

const dnsImage = "registry.k8s.io/coredns/coredns"

// imagesFor are the images that a cluster knows from its start: those that
// every cluster does, and those of its options.
func imagesFor(d dir, o Options, programs map[string]string) (map[string]image.Program, error) {
	certFile, keyFile, err := writeEchoCertificate(d.path())
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", components.EchoAdvanced, err)
	}
	out := map[string]image.Program{dnsImage: {Path: programs[components.ControlPlane], Name: "coredns"}}
	for _, at := range suiteImages {
		out[at+components.EchoBasic] = image.Program{Path: programs[components.EchoBasic]}
		// The suite runs `client` in the container, and has the server serve TLS
		// with these files
		// (https://github.com/istio/istio/blob/master/pkg/test/echo/docker/Dockerfile.app).
		out[at+components.EchoAdvanced] = image.Program{
			Path: programs[components.EchoAdvanced], Name: "server",
			Files: map[string]string{"/client": programs[components.EchoAdvancedClient], "/cert.crt": certFile, "/cert.key": keyFile},
		}
	}
	for name, p := range o.Images {
		out[name] = p
	}
	return out, nil
}

// writeEchoCertificate writes what the suite's servers in a mesh serve TLS
// with. No client of theirs verifies it.
func writeEchoCertificate(dir string) (certFile, keyFile string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	c, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "echo", NotBefore: time.Now().Add(-time.Hour)}, key)
	if err != nil {
		return "", "", err
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return "", "", err
	}
	certFile, keyFile = filepath.Join(dir, "echo.crt"), filepath.Join(dir, "echo.key")
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: c.Raw}), 0o600); err != nil {
		return "", "", err
	}
	return certFile, keyFile, os.WriteFile(keyFile, keyPEM, 0o600)
}
