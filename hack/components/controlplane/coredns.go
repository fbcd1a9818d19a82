package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"       // the cluster's DNS shares its network namespace with others
	_ "github.com/coredns/coredns/plugin/cache"      // names of the cluster are asked for in bursts
	_ "github.com/coredns/coredns/plugin/errors"     // the suite's Corefile
	_ "github.com/coredns/coredns/plugin/forward"    // the suite's Corefile
	_ "github.com/coredns/coredns/plugin/kubernetes" // names of Services
	_ "github.com/coredns/coredns/plugin/log"        // the suite's Corefile
	_ "github.com/coredns/coredns/plugin/ready"      // tells when the names of Services are known
	_ "github.com/coredns/coredns/plugin/whoami"     // the suite's Corefile
)

// directives are the plugins that a Corefile may name, in the order in which a
// query passes them, which is that of CoreDNS's own plugin.cfg.
var directives = []string{"bind", "ready", "errors", "log", "cache", "kubernetes", "forward", "whoami"}

func init() { dnsserver.Directives = directives }
