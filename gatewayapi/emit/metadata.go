package emit

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// Where other tools look for their annotations once routes take the place of
// Ingresses:
//   - cert-manager on the Gateway (https://cert-manager.io/docs/usage/gateway/)
//   - external-dns: the target on the Gateway, everything else on the route
//     (https://kubernetes-sigs.github.io/external-dns/latest/docs/sources/gateway-api/)
//   - Backstage on any object, with the labels its selector names
//     (https://backstage.io/docs/features/kubernetes/configuration)
const (
	certManager       = "cert-manager.io/"
	acmeCertManager   = "acme.cert-manager.io/"
	externalDNS       = "external-dns.alpha.kubernetes.io/"
	externalDNSTarget = externalDNS + "target"
	backstage         = "backstage.io/"
	backstageSelector = backstage + "kubernetes-label-selector"
	appLabels         = "app.kubernetes.io/"
	managedBy         = appLabels + "managed-by" // would let Helm claim the route
)

func (e *emitter) metadataOf(o routing.ObjectRef) (labels, annotations map[string]string) {
	if e.o.AnnotationsOf == nil || o.Name == "" {
		return nil, nil
	}
	return e.o.AnnotationsOf(o)
}

// routeMeta copies to a route what other tools read from routes.
func (e *emitter) routeMeta(m *metav1.ObjectMeta, o routing.ObjectRef) {
	labels, annotations := e.metadataOf(o)
	selected := map[string]bool{}
	for _, part := range strings.Split(annotations[backstageSelector], ",") {
		key, _, _ := strings.Cut(part, "=")
		selected[strings.TrimSpace(key)] = true
	}
	for k, v := range labels {
		if strings.HasPrefix(k, backstage) || selected[k] || strings.HasPrefix(k, appLabels) && k != managedBy {
			metav1.SetMetaDataLabel(m, k, v)
		}
	}
	for k, v := range annotations {
		if strings.HasPrefix(k, backstage) || strings.HasPrefix(k, externalDNS) && k != externalDNSTarget {
			metav1.SetMetaDataAnnotation(m, k, v)
		}
	}
}

// gatewayMeta copies to a Gateway or ListenerSet what other tools read there;
// when two sources disagree, the first wins and the other is noted.
func (e *emitter) gatewayMeta(m *metav1.ObjectMeta, o routing.Origin) {
	_, annotations := e.metadataOf(o.Object)
	for _, k := range sortedKeys(annotations) {
		if !strings.HasPrefix(k, certManager) && !strings.HasPrefix(k, acmeCertManager) && k != externalDNSTarget {
			continue
		}
		if old, ok := m.Annotations[k]; ok && old != annotations[k] {
			e.noteAt(nil, o, remark{feature: FeatureListener, fate: Approximated, message: "the annotation " + k + " has another value on the shared Gateway (" + clip(old) + ")", remedy: "use one value, or one Gateway per namespace"})
			continue
		}
		metav1.SetMetaDataAnnotation(m, k, annotations[k])
	}
}
