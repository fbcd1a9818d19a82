package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts" // kind's documentation edits the Corefile to use it
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"  // the conformance suite's Corefile
	_ "github.com/coredns/coredns/plugin/loop" // what has no comment is of kubeadm's Corefile
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/whoami" // the conformance suite's Corefile
)

// directives are the plugins that a Corefile may name, in the order in which a
// query passes them, which is that of CoreDNS's own plugin.cfg. It is not the
// list of the control plane's file, whose Corefiles are few and known.
var directives = []string{
	"reload", "health", "ready", "prometheus", "errors", "log", "loadbalance", "cache",
	"hosts", "kubernetes", "loop", "forward", "whoami",
}

func init() { dnsserver.Directives = directives }
