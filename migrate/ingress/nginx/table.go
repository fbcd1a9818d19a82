package nginx

import (
	"sort"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// table writes one host per server, on port 80 and on 443: nginx answers HTTPS
// for every host, with the default certificate where there is none of its own.
func (c *compiler) table() *routing.Table {
	t := &routing.Table{Reading: routing.Reading{
		NormalizePath: true, DropUnderscoreHeaders: !c.cfg.flag("enable-underscores-in-headers", false),
		TrustForwarded: c.cfg.flag("use-forwarded-headers", false),
	}}
	plain := &routing.Listener{Name: "http", Port: 80, Protocol: routing.HTTP}
	secure := &routing.Listener{Name: "https", Port: 443, Protocol: routing.HTTPS, TLS: &routing.ListenerTLS{}}
	t.Listeners = []*routing.Listener{plain, secure}
	pass := &routing.Listener{Name: "tls", Port: 443, Protocol: routing.TLS, TLS: &routing.ListenerTLS{Passthrough: true}}
	taken := map[string]bool{} // server names: the first server in order of host wins
	for _, host := range sortedKeys(c.servers) {
		taken[host] = true
	}
	c.inheritCertificates()
	for _, host := range sortedKeys(c.servers) {
		srv := c.servers[host]
		if srv.passThru {
			c.passthrough(srv, pass)
		}
		h, s := c.hosts(srv)
		var bare, bareSecure *routing.Host // without a certificate
		for _, a := range srv.aliases {
			if taken[a] {
				continue
			}
			taken[a] = true
			if srv.hasCert { // aliases have no certificate of their own, and neither what it brings
				if bare == nil {
					bare, bareSecure = c.bareHosts(srv)
				}
				p, q := named(a, bare, bareSecure)
				plain.Hosts, secure.Hosts = append(plain.Hosts, p), append(secure.Hosts, q)
				continue
			}
			h.Names = append(h.Names, aliasPattern(a))
			if s != h {
				s.Names = append(s.Names, aliasPattern(a))
			}
		}
		plain.Hosts, secure.Hosts = append(plain.Hosts, h), append(secure.Hosts, s)
	}
	c.wwwRedirects(taken, plain, secure)
	if len(pass.Hosts) > 0 {
		t.Listeners = append(t.Listeners, pass)
	}
	t.Freeze()
	return t
}

// aliasPattern reads an nginx server name: ~regex, *.suffix of any depth, or a
// name.
func aliasPattern(a string) routing.HostPattern {
	if re, ok := strings.CutPrefix(a, "~"); ok {
		return routing.HostPattern{Kind: routing.RegexHost, Value: re}
	}
	return routing.ParseHost(a, routing.SuffixHost)
}

// bareHosts are the hosts of a server for names without a certificate: redirects
// for ssl-redirect and Strict-Transport-Security need one for the very name.
func (c *compiler) bareHosts(srv *server) (plain, secure *routing.Host) {
	bare := *srv
	bare.hasCert, bare.cert = false, ""
	return c.hosts(&bare)
}

// named are hosts under the name of an alias; what is one host stays one.
func named(alias string, plain, secure *routing.Host) (p, s *routing.Host) {
	x := *plain
	x.Names = []routing.HostPattern{aliasPattern(alias)}
	if plain == secure {
		return &x, &x
	}
	y := *secure
	y.Names = x.Names
	return &x, &y
}

// hosts writes the rules of a server for HTTP and HTTPS; where they are the
// same, one host serves both.
func (c *compiler) hosts(srv *server) (plain, secure *routing.Host) {
	locs, regex := c.nginxLocations(srv)
	build := func(https bool) *routing.Host {
		h := &routing.Host{Order: routing.LongestPath}
		if regex {
			h.Order = routing.FirstMatch
		}
		if srv.host != catchAll {
			h.Names = []routing.HostPattern{routing.ParseHost(srv.host, routing.OneLabelHost)}
		}
		if root := srv.locations[0]; root.ing != nil {
			h.Origin = c.originOf(root.ing, root.at)
		}
		if srv.cert != "" {
			h.Certificates = []string{srv.cert}
		}
		h.Rules = c.rules(srv, locs, regex, https)
		return h
	}
	secure = build(true)
	if !c.redirects(srv) && !c.rewritesScheme() && !c.sendsHSTS(srv) {
		return secure, secure
	}
	return build(false), secure
}

func (c *compiler) rewritesScheme() bool { return c.cfg.flag("use-forwarded-headers", false) }

func (c *compiler) redirects(srv *server) bool {
	for _, l := range srv.locations {
		if c.toHTTPS(srv, l) {
			return true
		}
	}
	return false
}

// toHTTPS reports whether plain requests to the location are redirected:
// force-ssl-redirect always, ssl-redirect where the host has a TLS section
// (rootfs/etc/nginx/lua/lua_ingress.lua, redirect_to_https).
func (c *compiler) toHTTPS(srv *server, l *location) bool {
	return l.set.forceSSL || l.set.sslRedirect && srv.hasCert
}

// passthrough hands TLS connections of a host to the backend of its "/".
func (c *compiler) passthrough(srv *server, l *routing.Listener) {
	root := srv.locations[0]
	if root.upstream == nil {
		return
	}
	l.Hosts = append(l.Hosts, &routing.Host{
		Names: []routing.HostPattern{routing.ParseHost(srv.host, routing.OneLabelHost)},
		Rules: []*routing.Rule{{Action: &routing.Action{Backends: []routing.Backend{root.upstream.backend}, NoBackendStatus: 503}, Origin: c.originOf(root.ing, root.at)}},
	})
}

// wwwRedirects adds the servers of from-to-www-redirect, unless the other name
// has a server of its own (internal/ingress/controller/nginx.go,
// buildRedirects). The last releases write the port into the Location.
func (c *compiler) wwwRedirects(taken map[string]bool, plain, secure *routing.Listener) {
	hosts := sortedKeys(c.servers)
	sort.Strings(hosts)
	for _, host := range hosts {
		srv := c.servers[host]
		if !srv.www || host == catchAll {
			continue
		}
		from, isWWW := strings.CutPrefix(host, "www.")
		if !isWWW {
			from = "www." + host
		}
		if taken[from] {
			continue
		}
		taken[from] = true
		r := &routing.Redirect{Code: c.cfg.number("http-redirect-code", 308), Host: host, TrimSlash: true}
		if c.rel.portInWWW {
			r.Port = -1
		}
		ing := c.wwwOwner(srv)
		h := &routing.Host{
			Names: []routing.HostPattern{routing.ParseHost(from, routing.OneLabelHost)},
			Rules: []*routing.Rule{{Action: &routing.Action{Redirect: r}, Origin: ing}}, Origin: ing,
		}
		if srv.cert != "" {
			h.Certificates = []string{srv.cert}
		}
		plain.Hosts, secure.Hosts = append(plain.Hosts, h), append(secure.Hosts, h)
	}
}

func (c *compiler) wwwOwner(srv *server) routing.Origin {
	for _, l := range srv.locations {
		if l.ing != nil && l.set.fromToWWW {
			return c.originOf(l.ing, "metadata.annotations['"+c.prefix+"from-to-www-redirect']")
		}
	}
	return routing.Origin{}
}
