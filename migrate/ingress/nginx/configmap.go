package nginx

import (
	"iter"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx/annotation"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// modelled are the keys of the controller's ConfigMap that the front end reads:
// they count wherever an Ingress does not say otherwise.
var modelled = map[string]bool{
	"block-cidrs":                     true,
	"allow-cross-namespace-resources": true, "allow-snippet-annotations": true, "annotations-risk-level": true,
	"denylist-source-range": true, "whitelist-source-range": true, "enable-modsecurity": true, "enable-underscores-in-headers": true,
	"force-ssl-redirect": true, "ssl-redirect": true, "preserve-trailing-slash": true, "relative-redirects": true,
	"hsts": true, "hsts-include-subdomains": true, "hsts-max-age": true, "hsts-preload": true,
	"use-forwarded-headers": true, "http-redirect-code": true, "global-allowed-response-headers": true, "global-auth-url": true,
}

// ConfigClaims lists what is known about the controller's ConfigMap
// (docs/user-guide/nginx-configuration/configmap.md), key by key.
func ConfigClaims(cm *source.ConfigMap, o Options) iter.Seq[Claim] {
	info, _ := annotation.Release(orDefault(o.Release, "1.15"))
	return func(yield func(Claim) bool) {
		for _, name := range sortedKeys(cm.Data) {
			if !yield(configClaim(name, strings.TrimSpace(cm.Data[name]), info)) {
				return
			}
		}
	}
}

func configClaim(name, value string, info *annotation.ReleaseInfo) Claim {
	c := Claim{Path: ledger.Join("data", name), Status: ledger.Ignored}
	key, known := annotation.ConfigKey(name)
	switch {
	case !known || !key.In(info):
		c.Message, c.Remedy = "the controller does not know this key", "check the spelling; it has no effect today"
	case modelled[name]:
		c.Status, c.Message = ledger.Converted, "counts for every Ingress that does not say otherwise"
	case value == key.DefaultIn(info):
		c.Message = "the controller's default"
	case key.Becomes == ledger.Converted || key.Becomes == ledger.Approximated:
		c.Status, c.Message = ledger.Unsupported, "not carried over by this version of the converter"
		c.Remedy = "best expressed as: " + key.Words
	case key.Becomes == ledger.Ignored:
		c.Message = key.Words
	default:
		c.Status, c.Message, c.Remedy = key.Becomes, "the setting for all Ingresses is not carried over", key.Words
	}
	return c
}

// maxNamed bounds the keys that a message names.
const maxNamed = 3

// UnreadConfig says of a ConfigMap that no option names why it may be one of the
// controller's: it holds the controller's own keys, or ports with Services. Then
// its settings do not count here although they do in the cluster.
func UnreadConfig(cm *source.ConfigMap, o Options) (message, remedy string) {
	id := cm.Namespace + "/" + cm.Name
	var named []string
	streams := len(cm.Data) > 0
	for _, k := range sortedKeys(cm.Data) {
		if _, known := annotation.ConfigKey(k); known && strings.Contains(k, "-") && len(named) < maxNamed {
			named = append(named, k)
		}
		_, err := parseStream(k, cm.Data[k])
		streams = streams && err == nil
	}
	switch {
	case len(named) > 0 && o.ConfigMap == "" && len(o.Config) == 0:
		return "it holds settings of ingress-nginx (" + strings.Join(named, ", ") + ") and was not read as the controller's ConfigMap: they do not count here",
			"if it is the controller's, name it: --nginx-configmap " + id
	case streams && o.TCPServices != id && o.UDPServices != id:
		return "it lists ports with Services and was not read as a services ConfigMap: its ports are not opened",
			"if the controller reads it, name it: --tcp-services-configmap or --udp-services-configmap " + id
	}
	return "", ""
}
