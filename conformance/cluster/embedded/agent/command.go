//go:build linux

package agent

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// commandLine is what a container runs: its command instead of the image's
// entrypoint, its args instead of the image's
// (https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/).
// A command that names the image's program, wherever the image has it, means
// the program that stands for the image.
func commandLine(c *corev1.Container, p image.Program, env []string) []string {
	known := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		known[name] = value
	}
	expanded := func(in []string) []string {
		var out []string
		for _, arg := range in {
			out = append(out, expand(arg, known))
		}
		return out
	}
	command := expanded(c.Command)
	if len(command) == 0 {
		return slices.Concat([]string{p.EntryPoint()}, p.Args, expanded(c.Args))
	}
	if path.Base(command[0]) == path.Base(p.EntryPoint()) {
		command[0] = p.EntryPoint()
	}
	return slices.Concat(command, expanded(c.Args))
}

// hostname is what the pod calls itself, at most 63 characters long.
func hostname(pod *corev1.Pod) string {
	name := pod.Spec.Hostname
	if name == "" {
		name = pod.Name
	}
	return strings.TrimRight(name[:min(len(name), 63)], "-.")
}

// etcFiles are the files in /etc by which a container knows names.
func etcFiles(p placed, dns netip.Addr) map[string]string {
	name := hostname(p.Pod)
	hosts := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	if !p.Spec.HostNetwork {
		full := name
		if p.Spec.Subdomain != "" {
			full = fmt.Sprintf("%s.%s.%s.svc.cluster.local\t%s", name, p.Spec.Subdomain, p.Namespace, name)
		}
		hosts += fmt.Sprintf("%s\t%s\n", p.podIP, full)
	}
	for _, alias := range p.Spec.HostAliases {
		hosts += alias.IP + "\t" + strings.Join(alias.Hostnames, "\t") + "\n"
	}
	return map[string]string{"hostname": name + "\n", "hosts": hosts, "resolv.conf": resolvConf(p.Pod, dns)}
}

// resolvConf is where a pod asks for names, by its dnsPolicy and dnsConfig. No
// server but the cluster's can be reached, so Default is like ClusterFirst
// without the cluster's domains.
func resolvConf(pod *corev1.Pod, dns netip.Addr) string {
	var servers, searches, options []string
	if pod.Spec.DNSPolicy != corev1.DNSNone {
		servers = []string{dns.String()}
	}
	clusterFirst := pod.Spec.DNSPolicy == corev1.DNSClusterFirst && !pod.Spec.HostNetwork || pod.Spec.DNSPolicy == corev1.DNSClusterFirstWithHostNet
	if clusterFirst {
		searches = []string{pod.Namespace + ".svc.cluster.local", "svc.cluster.local", "cluster.local"}
		options = []string{"ndots:5"}
	}
	if c := pod.Spec.DNSConfig; c != nil {
		servers, searches = append(servers, c.Nameservers...), append(searches, c.Searches...)
		for _, o := range c.Options {
			text := o.Name
			if o.Value != nil {
				text += ":" + *o.Value
			}
			options = append(options, text)
		}
	}
	var out strings.Builder
	for _, s := range servers {
		fmt.Fprintf(&out, "nameserver %s\n", s)
	}
	for _, line := range []struct {
		word   string
		values []string
	}{{"search", searches}, {"options", options}} {
		if len(line.values) > 0 {
			fmt.Fprintf(&out, "%s %s\n", line.word, strings.Join(line.values, " "))
		}
	}
	return out.String()
}
