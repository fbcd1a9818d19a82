package migrate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx/annotation"
)

// What generated Ingresses are made of: few hosts and paths, so that they
// compete, some of them wrong or awkward.
var (
	someHosts = []string{"a.example.com", "b.example.com", "www.a.example.com", "*.example.com", "deep.b.example.com", "", "Upper.Example.com", "bad_host"}
	somePaths = []string{"/", "/a", "/a/", "/a/b", "/A", "/ab", "/a(/|$)(.*)", "/v[0-9]+/x", "/a.b", "/with space", "/per%20cent", "/ü", "", "/.*", "/a//b", "/x{2", "/a|/b", "/?(.*)", "/(.+)", "/(a/.*)"}
	someTypes = []networkingv1.PathType{networkingv1.PathTypePrefix, networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific}
	// values that some annotation or other takes, or nearly.
	someValues = []string{"true", "false", "5", "0", "-1", "100", "/$1", "/new/$2", "10.0.0.0/8", "10.0.0.0/8,192.168.1.1", "not an address",
		"https://auth.example.com/verify", "http://svc.default.svc.cluster.local:8080/", "https://elsewhere.example.com$request_uri", "basic", "digest",
		"default/creds", "cookie", "HTTPS", "GRPC", "FCGI", "X-Canary", "always", "8m", "301", "on", "off", "*", "GET, POST", "a.example.com", "x;y{}", "", "\"quoted\"", strings.Repeat("x", 300)}
)

// fitting are values that their annotation takes, so that generated Ingresses
// do something most of the time.
var fitting = map[string][]string{
	"rewrite-target": {"/", "/$1", "/$2", "/new"}, "use-regex": {"true"}, "canary": {"true"}, "canary-weight": {"0", "30", "100"},
	"canary-by-header": {"X-Canary"}, "canary-by-header-value": {"yes"}, "canary-by-cookie": {"canary"},
	"ssl-redirect": {"true", "false"}, "force-ssl-redirect": {"true"}, "whitelist-source-range": {"10.0.0.0/8"}, "denylist-source-range": {"10.1.0.0/16"},
	"auth-url": {"https://auth.example.com/verify"}, "auth-type": {"basic"}, "auth-secret": {"default/creds"}, "enable-cors": {"true"},
	"permanent-redirect": {"https://elsewhere.example.com/x"}, "app-root": {"/start"}, "server-alias": {"alias.example.com", "b.example.com"},
	"from-to-www-redirect": {"true"}, "upstream-vhost": {"inner.example.com"}, "backend-protocol": {"HTTP", "HTTPS", "GRPC"},
	"proxy-read-timeout": {"30"}, "affinity": {"cookie"}, "mirror-target": {"https://mirror.example.com$request_uri"}, "default-backend": {"web"},
	"limit-rps": {"5"}, "satisfy": {"any"}, "configuration-snippet": {"deny all;"}, "ssl-passthrough": {"true"}, "x-forwarded-prefix": {"/p"},
}

// genSet draws a set of manifests as JSON documents.
func genSet(t *rapid.T) []byte {
	var objects []any
	common := sortedNames(fitting)
	for i, n := 0, rapid.IntRange(1, 5).Draw(t, "ingresses"); i < n; i++ {
		objects = append(objects, genIngress(t, i, common))
	}
	for _, ns := range []string{"default", "team"} {
		if rapid.Bool().Draw(t, "services") {
			objects = append(objects, genService(ns, "web", rapid.Bool().Draw(t, "external")), genService(ns, "api", false))
		}
	}
	var b bytes.Buffer
	for _, o := range objects {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(text, '\n'))
	}
	return b.Bytes()
}

func sortedNames(m map[string][]string) []string {
	var out []string
	for _, name := range annotation.Names() {
		if m[name] != nil {
			out = append(out, name)
		}
	}
	return out
}

func genIngress(t *rapid.T, i int, common []string) *networkingv1.Ingress {
	class := "nginx"
	ing := &networkingv1.Ingress{
		TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("i", i), Namespace: rapid.SampledFrom([]string{"default", "team"}).Draw(t, "namespace"),
			CreationTimestamp: metav1.Unix(int64(1_700_000_000+rapid.IntRange(0, 3).Draw(t, "age")), 0), Annotations: map[string]string{}},
		Spec: networkingv1.IngressSpec{IngressClassName: &class},
	}
	for range rapid.IntRange(0, 4).Draw(t, "annotations") {
		name := rapid.SampledFrom(common).Draw(t, "annotation")
		values := fitting[name]
		if rapid.IntRange(0, 3).Draw(t, "any") == 0 {
			name = rapid.SampledFrom(annotation.Names()).Draw(t, "any annotation")
			values = someValues
		}
		ing.Annotations["nginx.ingress.kubernetes.io/"+name] = rapid.SampledFrom(values).Draw(t, "value")
	}
	if rapid.IntRange(0, 5).Draw(t, "default backend") == 0 {
		b := genBackend(t)
		ing.Spec.DefaultBackend = &b
	}
	for range rapid.IntRange(0, 2).Draw(t, "rules") {
		r := networkingv1.IngressRule{Host: rapid.SampledFrom(someHosts).Draw(t, "host")}
		if rapid.IntRange(0, 9).Draw(t, "bare") > 0 {
			r.HTTP = &networkingv1.HTTPIngressRuleValue{}
			for range rapid.IntRange(1, 3).Draw(t, "paths") {
				typ := rapid.SampledFrom(someTypes).Draw(t, "type")
				r.HTTP.Paths = append(r.HTTP.Paths, networkingv1.HTTPIngressPath{Path: rapid.SampledFrom(somePaths).Draw(t, "path"), PathType: &typ, Backend: genBackend(t)})
			}
		}
		ing.Spec.Rules = append(ing.Spec.Rules, r)
		if rapid.Bool().Draw(t, "tls") {
			ing.Spec.TLS = append(ing.Spec.TLS, networkingv1.IngressTLS{Hosts: []string{r.Host}, SecretName: rapid.SampledFrom([]string{"cert", ""}).Draw(t, "secret")})
		}
	}
	return ing
}

func genBackend(t *rapid.T) networkingv1.IngressBackend {
	s := &networkingv1.IngressServiceBackend{Name: rapid.SampledFrom([]string{"web", "api", "absent"}).Draw(t, "service")}
	if rapid.Bool().Draw(t, "named") {
		s.Port.Name = rapid.SampledFrom([]string{"http", "nope"}).Draw(t, "port name")
	} else {
		s.Port.Number = rapid.SampledFrom([]int32{80, 8080, 9}).Draw(t, "port")
	}
	return networkingv1.IngressBackend{Service: s}
}

func genService(ns, name string, external bool) *corev1.Service {
	s := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("web")}, {Name: "alt", Port: 8080}}}}
	if external {
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "outside.example.net"
	}
	return s
}
