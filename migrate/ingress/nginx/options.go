package nginx

import (
	"fmt"
	"strconv"
	"strings"
)

// Options select the release and configuration of the controller.
type Options struct {
	// Release of the controller, "1.15" when empty.
	Release string
	// Prefix of annotations, nginx.ingress.kubernetes.io when empty.
	Prefix string
	// ControllerClass is the IngressClass controller name,
	// k8s.io/ingress-nginx when empty.
	ControllerClass string
	// Class is the class name that the annotation kubernetes.io/ingress.class
	// selects, nginx when empty.
	Class string
	// WatchWithoutClass serves Ingresses that name no class.
	WatchWithoutClass bool
	// SSLPassthrough is the controller flag --enable-ssl-passthrough.
	SSLPassthrough bool
	// TCPServices and UDPServices name the ConfigMaps "namespace/name" of the
	// controller flags --tcp-services-configmap and --udp-services-configmap.
	TCPServices, UDPServices string
	// Config is the data of the controller's ConfigMap, ConfigMap its name
	// "namespace/name", by which the ledger knows it.
	Config    map[string]string
	ConfigMap string
}

// release is what changed between releases; later ones differ from v1.11 as
// measured in fixtures/observed.
type release struct {
	validate        bool   // annotation values are validated, bad ones can drop an Ingress
	riskLevel       string // default of annotations-risk-level
	crossNamespace  bool   // default of allow-cross-namespace-resources
	temporalCode    bool   // temporal-redirect-code is honoured
	portInWWW       bool   // from-to-www writes the port
	relative        bool   // relative-redirects is honoured
	quotedLocations bool   // paths with spaces, semicolons and braces are quoted
}

// releases holds a row for each release at which behaviour changed.
var releases = []struct {
	minor int
	release
}{
	{9, release{riskLevel: "Critical", crossNamespace: true}},
	{12, release{validate: true, riskLevel: "High", temporalCode: true, portInWWW: true, relative: true, quotedLocations: true}},
}

// ParseRelease accepts 1.9 to 1.15 with or without v and patch.
func ParseRelease(s string) (string, error) {
	_, err := releaseOf(s)
	return s, err
}

func releaseOf(s string) (release, error) {
	if s == "" {
		s = "1.15"
	}
	parts := strings.Split(strings.TrimPrefix(s, "v"), ".")
	if len(parts) >= 2 && parts[0] == "1" {
		if minor, err := strconv.Atoi(parts[1]); err == nil && minor >= releases[0].minor && minor <= 15 {
			r := releases[0].release
			for _, x := range releases {
				if minor >= x.minor {
					r = x.release
				}
			}
			return r, nil
		}
	}
	return release{}, fmt.Errorf("ingress-nginx release %q is not known: use 1.9 to 1.15", s)
}

// config reads the controller's ConfigMap.
type config map[string]string

func (c config) str(key, def string) string {
	if v, ok := c[key]; ok && v != "" {
		return v
	}
	return def
}

func (c config) flag(key string, def bool) bool {
	if v, err := strconv.ParseBool(c[key]); err == nil {
		return v
	}
	return def
}

func (c config) number(key string, def int) int {
	if v, err := strconv.Atoi(c[key]); err == nil {
		return v
	}
	return def
}
