package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
		return fmt.Sprintf("openssl s_client -connect %s -servername %s </dev/null", quote(host), quote(r.Host))
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
		b.WriteString(" -X " + quote(r.Method))
	}
	for _, k := range slices.Sorted(maps.Keys(r.Headers)) {
		if r.Headers[k] == "" {
			b.WriteString(" -H " + quote(k+";"))
			continue
		}
		b.WriteString(" -H " + quote(k+": "+r.Headers[k]))
	}
	b.WriteString(" " + quote(r.Scheme+"://"+host+r.Path))
	if r.Client != nil {
		b.WriteString(" # from a Pod in namespace " + strconv.Quote(r.Client.Namespace))
	}
	return b.String()
}

// quote makes one word of a string for a POSIX shell.
func quote(s string) string {
	plain := s != ""
	for i := range len(s) {
		c := s[i]
		plain = plain && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._/:=@%+,", c) >= 0)
	}
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
