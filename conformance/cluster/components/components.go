// Package components finds the programs that a cluster is made of: beside the
// causeway executable, where release archives put them, else in the cache,
// else built from a checkout into the cache. It owns the table of programs;
// building and caching are internal/buildcache's. It starts none of them.
package components

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// Component is a program built from Go modules.
type Component struct {
	// Name is the program's file name.
	Name string
	// Node is whether only a kind node needs the program, which then is in its
	// image.
	Node bool
	// Module is the folder of its Go module, relative to the checkout, with slashes.
	Module string
	// Package is the import path or relative path of its main package, as
	// `go build` takes it in Module.
	Package string
	// LDFlags are linker flags, as for -ldflags.
	LDFlags string
	// Stubs are packages of other modules that are replaced by smaller ones.
	Stubs []Stub
}

// Stub replaces a package of another module by one file.
type Stub = buildcache.Stub

// The programs this package knows, by name.
const (
	// ControlPlane acts as etcd, kube-apiserver, kube-controller-manager or
	// coredns, by the name it is started with.
	ControlPlane = "controlplane"
	// EchoBasic is the backend of the conformance suite
	// (registry.k8s.io/gateway-api/echo-basic).
	EchoBasic = "echo-basic"
	// EchoAdvanced and EchoAdvancedClient are the two programs of the suite's
	// workload in a mesh (registry.k8s.io/gateway-api/echo-advanced), which are
	// those of Istio's tests.
	EchoAdvanced       = "echo-advanced"
	EchoAdvancedClient = "echo-advanced-client"
	// Traefik is the gateway of that name.
	Traefik = "traefik"

	// Kubernetes acts as kubeadm, kubelet, kubectl, kube-scheduler or
	// kube-proxy, by the name it is started with.
	Kubernetes = "kubernetes"
	// Containerd, ContainerdShim and Ctr are containerd's programs.
	Containerd     = "containerd"
	ContainerdShim = "containerd-shim-runc-v2"
	Ctr            = "ctr"
	// Crictl is the client of the container runtime that kind collects logs by.
	Crictl = "crictl"
)

// KubernetesVersion is the version of the Kubernetes programs, with its v.
const KubernetesVersion = "v1.37.2"

const kubernetesLDFlags = "-s -w -X k8s.io/component-base/version.gitVersion=" + KubernetesVersion

// table are the known programs. A row here and a folder in hack/components is
// all that another one takes.
var table = map[string]Component{
	ControlPlane: {
		Name:    ControlPlane,
		Module:  "hack/components",
		Package: "./controlplane",
		LDFlags: kubernetesLDFlags,
	},
	EchoBasic: {
		Name:    EchoBasic,
		Module:  "hack/components",
		Package: "sigs.k8s.io/gateway-api/conformance/echo-basic",
		LDFlags: "-s -w",
	},
	EchoAdvanced: {
		Name:    EchoAdvanced,
		Module:  "hack/components/echo-advanced",
		Package: "istio.io/istio/pkg/test/echo/cmd/server",
		LDFlags: "-s -w",
	},
	EchoAdvancedClient: {
		Name:    EchoAdvancedClient,
		Module:  "hack/components/echo-advanced",
		Package: "istio.io/istio/pkg/test/echo/cmd/client",
		LDFlags: "-s -w",
	},
	Traefik: {
		Name:    Traefik,
		Module:  "hack/components/traefik",
		Package: "github.com/traefik/traefik/v3/cmd/traefik",
		LDFlags: "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=3.7.13",
		Stubs:   []Stub{{Module: "github.com/go-acme/lego/v5@v5.4.1", Package: "providers/dns", By: "lego/dns.go.txt"}},
	},
	Kubernetes: {
		Name:    Kubernetes,
		Node:    true,
		Module:  "hack/components/kubernetes",
		Package: ".",
		LDFlags: kubernetesLDFlags,
	},
	Containerd:     containerd(Containerd),
	ContainerdShim: containerd(ContainerdShim),
	Ctr:            containerd(Ctr),
	Crictl: {
		Name:    Crictl,
		Node:    true,
		Module:  "hack/components/crictl",
		Package: "sigs.k8s.io/cri-tools/cmd/crictl",
		LDFlags: "-s -w -X sigs.k8s.io/cri-tools/pkg/version.Version=v1.36.0",
	},
}

func containerd(name string) Component {
	return Component{
		Name:    name,
		Node:    true,
		Module:  "hack/components/containerd",
		Package: "github.com/containerd/containerd/v2/cmd/" + name,
		LDFlags: "-s -w -X github.com/containerd/containerd/v2/version.Version=v2.3.4",
	}
}

// Names are the known programs, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// NamesOf are the programs that only kind nodes need, or all others, sorted.
func NamesOf(node bool) []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return table[name].Node != node })
}

// Finder looks for programs. The zero value looks where causeway always does.
type Finder struct {
	// Beside is the folder searched first; empty for those where a release
	// keeps its programs ([buildcache.Beside]).
	Beside string
	// Cache is the folder of built programs; empty for
	// ${XDG_CACHE_HOME:-~/.cache}/causeway/components.
	Cache string
	// Checkout is a working tree of causeway to build from; empty for the one
	// that holds the working directory or the executable.
	Checkout string
	// Logf receives progress, one line a call without a line end; nil for none.
	Logf func(format string, args ...any) `json:"-"`
}

// Find returns the path of the named program, building it if it is nowhere.
// A build takes minutes: it is reported to Logf and ends with ctx. Of several
// processes that need the same program one builds and the others wait.
func (f Finder) Find(ctx context.Context, name string) (string, error) {
	c, ok := table[name]
	if !ok {
		return "", fmt.Errorf("there is no component %q; there are %s", name, strings.Join(Names(), ", "))
	}
	cache, err := f.cache()
	if err != nil {
		return "", err
	}
	program := buildcache.Program{Name: c.Name, Package: c.Package, LDFlags: c.LDFlags, Stubs: c.Stubs}
	if root := f.checkout(); root != "" {
		program.Module = filepath.Join(root, filepath.FromSlash(c.Module))
	}
	component := program.Component(cache)
	if f.Beside != "" {
		component.Beside = []string{f.Beside}
	}
	return buildcache.Find(ctx, component, lines{f.Logf})
}

func (f Finder) cache() (string, error) {
	if f.Cache != "" {
		return f.Cache, nil
	}
	base, err := buildcache.Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, "components"), nil
}

// checkout returns the root of the working tree to build from, if there is one.
func (f Finder) checkout() string {
	if f.Checkout != "" {
		return f.Checkout
	}
	return buildcache.Checkout()
}

// lines passes each line that is written to logf. A write ends with a line.
type lines struct {
	logf func(format string, args ...any)
}

func (l lines) Write(p []byte) (int, error) {
	if l.logf != nil {
		for line := range strings.Lines(string(p)) {
			l.logf("%s", strings.TrimSuffix(line, "\n"))
		}
	}
	return len(p), nil
}
