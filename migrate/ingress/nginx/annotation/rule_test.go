package annotation

import "testing"

func TestValidators(t *testing.T) {
	for name, c := range map[string]struct {
		row       string
		good, bad []string
		reason    string
	}{
		"bool":          {"canary", []string{"true", "T", "1", "FALSE", "0"}, []string{"yes", "on", " true", "tRue"}, "strconv.ParseBool, no trimming"},
		"int":           {"canary-weight", []string{"0", "50", "-1", "+7"}, []string{"50%", "1.5", " 5", "0x10", "1_0"}, "strconv.Atoi"},
		"size":          {"proxy-body-size", []string{"0", "8m", "8M", "10 k", "1g", "5b"}, []string{"1Ki", "m", "-1", "1.5m"}, "nginx's units, spaces stripped"},
		"cidrs":         {"whitelist-source-range", []string{"10.0.0.0/8", "10.1.2.3", "::1, fd00::/8"}, []string{"10.0.0.0/33", "example.com", "10.0.0.1,", "10.0.0.0-10.0.0.9"}, "addresses and networks, all of them"},
		"service":       {"default-backend", []string{"web", "web-1"}, []string{"1web", "Web", "ns/web", "web.example"}, "DNS-1035 label"},
		"server name":   {"upstream-vhost", []string{"api.internal", "api:8080", " api ", "*.x"}, []string{"api;x", "a b", `a"b`, "a#b"}, "characters of regular expressions"},
		"server names":  {"server-alias", []string{"a.example, b.example", `~^a\d+$`, "a,,b"}, []string{"a.example b.example", "a;b", "a,b{c;}"}, "each entry"},
		"common name":   {"auth-tls-match-cn", []string{"CN=a", "CN=^(a|b)$"}, []string{"cn=a", "a", "CN=(a"}, "CN= and a regular expression"},
		"basic":         {"auth-secret", []string{"users", "ns/users", "a b"}, []string{"a$b", "a,b", "a\nb", "ä"}, "spaces are stripped, the rest is not"},
		"words":         {"auth-realm", []string{"Lab area"}, []string{`Lab "area"`, "Lab,area", "a\tb"}, "spaces only"},
		"path captures": {"rewrite-target", []string{"/$2", "a/b", "/x-y_z.~:"}, []string{"/a b", "/a?b", "/(a)", "/a%20b", "/{x}"}, "no query, no space"},
		"variables":     {"upstream-hash-by", []string{"$request_uri", "${request_uri}-text", "$host $uri"}, []string{"$host;", "$http_x.y", "a/b"}, "text and variables"},
		"url":           {"permanent-redirect", []string{"https://a.example:8/b?c=d&e=f", "a,b"}, []string{"https://a/$1", "https://a/b#c", "https://a/ b", "https://a/%20"}, "no variables, no escapes"},
		"origins": {"cors-allow-origin", []string{"*", "https://a.example, https://*.b.example:8080", "null", "chrome://x", ""},
			[]string{"https://a.example/path", "https://a_b", "**"}, "schemes, hosts and ports"},
		"methods":       {"cors-allow-methods", []string{"GET, PUT", "get"}, []string{"GET;PUT", "*", ","}, "letters"},
		"expose":        {"cors-expose-headers", []string{"*", "X-A, X_B"}, []string{"X A;", "X:Y"}, "names or *"},
		"headers":       {"cors-allow-headers", []string{"X-A,X-B", "X A"}, []string{"*", "X;A"}, "no star"},
		"next upstream": {"proxy-next-upstream", []string{"error timeout http_502", "off"}, []string{"error  timeout", "http_501", "error,timeout", "error\ntimeout"}, "words of the directive"},
		"on off":        {"proxy-buffering", []string{"on", " off "}, []string{"On", "true"}, "case matters"},
		"http version":  {"proxy-http-version", []string{"1.0", "1.1"}, []string{"2", "1"}, "two versions"},
		"protocols":     {"proxy-ssl-protocols", []string{"TLSv1.2 TLSv1.3", "TLSv1.3"}, []string{"TLSv1.1", "TLSv1.2,TLSv1.3", "SSLv3"}, "only these two"},
		"ciphers":       {"ssl-ciphers", []string{"ALL:!aNULL:RC4+RSA", "DEFAULT@SECLEVEL=1", "TLS_AES_128_GCM_SHA256", "A@STRENGTH"}, []string{"A@SECLEVEL=9", "A;B", "A,B"}, "OpenSSL's syntax"},
		"samesite":      {"session-cookie-samesite", []string{"None", "LAX", "strict"}, []string{"off", "no"}, "any case"},
		"algorithms":    {"load-balance", []string{"ewma", "round_robin"}, []string{"EWMA", "least_conn", "ip_hash"}, "case matters"},
		"seconds":       {"session-cookie-max-age", []string{"600", "0", "-1", "0abc", "x9"}, []string{"abc", "9x"}, "the expression is anchored on one side only"},
		"error codes":   {"custom-http-errors", []string{"404,500", "404, 500", "404,", ",04"}, []string{"200", "4xx", "404;500"}, "a comma may stand for the first digit"},
		"error page":    {"auth-tls-error-page", []string{"https://a.example/err.html", "/err/page", "@named"}, []string{"https://a.example/?q", "javascript:x", "a;b"}, "no query"},
		"contains":      {"auth-secret-type", []string{"auth-file", "my-auth-map"}, []string{"file", "AUTH-MAP"}, "unanchored"},
		"method":        {"auth-method", []string{"GET", "POST"}, []string{"get", "GETX", "FOO"}, "anchored from v1.13.7"},
		"duration":      {"global-rate-limit-window", []string{"1m", "1h30m", "500ms"}, []string{"1", "1d", "m"}, "Go's durations"},
		"snippet":       {"server-snippet", []string{"anything { } ; \n"}, nil, "never validated"},
		"connection":    {"connection-proxy-header", []string{"close", "keep-alive"}, []string{"Close", "upgrade"}, "two words"},
		"file":          {"fastcgi-index", []string{"index.php"}, []string{"a/b.php", "$x"}, "a file name"},
	} {
		t.Run(name, func(t *testing.T) {
			row, ok := Lookup(c.row)
			if !ok {
				t.Fatalf("no row %s", c.row)
			}
			for _, v := range c.good {
				if err := row.Validate(v); err != nil {
					t.Errorf("%q is refused: %v (%s)", v, err, c.reason)
				}
			}
			for _, v := range c.bad {
				if row.Validate(v) == nil {
					t.Errorf("%q is accepted (%s)", v, c.reason)
				}
			}
			if err := row.Validate(""); err != nil {
				t.Errorf("empty values are never validated: %v", err)
			}
		})
	}
}

func TestValidatorsOfEarlierReleases(t *testing.T) {
	for _, c := range []struct {
		row, value, version string
		good                bool
		reason              string
	}{
		{"permanent-redirect", "https://a/b,c", "1.11", false, "commas from v1.12"},
		{"permanent-redirect", "https://a/b,c", "1.12", true, "commas from v1.12"},
		{"cors-allow-origin", "chrome://x", "1.11", false, "http(s) only before v1.12"},
		{"ssl-ciphers", "TLS_AES_128_GCM_SHA256", "1.12", false, "underscores from v1.13"},
		{"ssl-ciphers", "TLS_AES_128_GCM_SHA256", "1.13", true, "underscores from v1.13"},
		{"auth-method", "GETX", "1.13.6", true, "unanchored before v1.13.7"},
		{"auth-method", "GETX", "1.13.7", false, "anchored from v1.13.7"},
		{"auth-tls-verify-client", "one", "1.11", true, "contains on"},
		{"auth-tls-verify-client", "one", "1.12", false, "anchored from v1.12"},
		{"auth-tls-error-page", "@named", "1.13.1", false, "named locations from v1.13.2"},
		{"auth-tls-error-page", "@named", "1.13.2", true, "named locations from v1.13.2"},
		{"proxy-cookie-domain", "example.com", "1.14", true, "one word passed before v1.15"},
	} {
		row, _ := Lookup(c.row)
		if err := row.ValidateIn(release(t, c.version), c.value); (err == nil) != c.good {
			t.Errorf("%s %q on %s: %v, want good %v: %s", c.row, c.value, c.version, err, c.good, c.reason)
		}
	}
}
