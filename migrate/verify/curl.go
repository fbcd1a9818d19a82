package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/causeway-gateway/causeway/routing"
)

// Curl writes a request as a line for a shell. --path-as-is keeps curl from
// resolving dot segments; names are resolved by whoever runs it (--connect-to).
func Curl(r *routing.Request) string {
	host := r.Host
	if r.Port != 0 && r.Port != usualPorts[r.Scheme] {
		host += ":" + strconv.Itoa(r.Port)
	}
	switch r.Scheme {
	case "tls":
		if host == r.Host {
			host += ":443"
		}
		return fmt.Sprintf("openssl s_client -connect %s -servername %s </dev/null", shellescape.Quote(host), shellescape.Quote(r.Host))
	case "tcp", "udp":
		u := ""
		if r.Scheme == "udp" {
			u = "-u "
		}
		return "nc " + u + "GATEWAY " + strconv.Itoa(r.Port)
	}
	var b strings.Builder
	b.WriteString("curl -i")
	if path, _, _ := strings.Cut(r.Path, "?"); strings.Contains(path, "/.") {
		b.WriteString(" --path-as-is")
	}
	if r.Method != "" && r.Method != "GET" {
		b.WriteString(" -X " + shellescape.Quote(r.Method))
	}
	for _, k := range slices.Sorted(maps.Keys(r.Headers)) {
		if r.Headers[k] == "" {
			b.WriteString(" -H " + shellescape.Quote(k+";"))
			continue
		}
		b.WriteString(" -H " + shellescape.Quote(k+": "+r.Headers[k]))
	}
	b.WriteString(" " + shellescape.Quote(r.Scheme+"://"+host+r.Path))
	if r.Client != nil {
		b.WriteString(" # from a Pod in namespace " + strconv.Quote(r.Client.Namespace))
	}
	return b.String()
}
