package source

import (
	"bytes"
	"fmt"
	"testing"
)

// manifests writes n Ingresses of about 30 lines.
func manifests(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop-%05[1]d
  namespace: team-%[2]d
  annotations:
    nginx.ingress.kubernetes.io/ssl-redirect: "true"
    nginx.ingress.kubernetes.io/proxy-read-timeout: "60"
    nginx.ingress.kubernetes.io/proxy-body-size: 8m
spec:
  ingressClassName: nginx
  tls:
  - hosts:
    - shop-%05[1]d.example.com
    secretName: shop-%05[1]d-tls
  rules:
  - host: shop-%05[1]d.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: web
            port:
              number: 80
      - path: /api
        pathType: Prefix
        backend:
          service:
            name: api
            port:
              name: http
`, i, i%100)
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1000, 20_000} {
		text := manifests(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				set, problems, err := Read(b.Context(), Options{Files: []string{"-"}, Stdin: bytes.NewReader(text)})
				if err != nil || len(problems) > 0 || len(set.Ingresses) != n {
					b.Fatal(err, problems)
				}
			}
		})
	}
}
