package nodeimage

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind/archive"
	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// pod is an image of the control plane or of a node: links in one program that
// acts as several. Images of the same program share its layer.
type pod struct {
	component string
	programs  []string
	// debian is whether it needs the tools of the base as well.
	debian bool
}

// pods are the images that kubeadm asks for, but pause.
var pods = map[string]pod{
	"kube-apiserver":          {component: components.ControlPlane, programs: []string{"kube-apiserver"}},
	"kube-controller-manager": {component: components.ControlPlane, programs: []string{"kube-controller-manager"}},
	"etcd":                    {component: components.ControlPlane, programs: []string{"etcd"}},
	"kube-scheduler":          {component: components.Kubernetes, programs: []string{"kube-scheduler"}},
	"coredns":                 {component: components.Kubernetes, programs: []string{"coredns"}},
	"kube-proxy":              {component: components.Kubernetes, programs: []string{"kube-proxy", "kubectl"}, debian: true},
}

// podImages writes an archive of all images that a node has from the start and
// returns their tags by short name.
func (b builder) podImages(ctx context.Context, base v1.Layer, out string) (map[string]string, error) {
	tags, err := b.required(ctx)
	if err != nil {
		return nil, err
	}
	b.say("building the images of the control plane")
	layers := map[string]v1.Layer{}
	for _, component := range []string{components.ControlPlane, components.Kubernetes} {
		l, err := archive.Layer([]archive.Entry{{Name: "/usr/local/bin/" + component, Mode: 0o755, From: b.programs[component]}})
		if err != nil {
			return nil, err
		}
		layers[component] = l
	}
	images := map[string]v1.Image{}
	for name, tag := range tags {
		var img v1.Image
		if p, ok := pods[name]; ok {
			img, err = p.image(name, base, layers[p.component])
		} else if name == "pause" {
			img, err = b.pause(ctx)
		} else {
			err = fmt.Errorf("kubeadm asks for an image that is not known; known are pause and %q", slices.Sorted(maps.Keys(pods)))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tag, err)
		}
		images[tag] = img
	}
	return tags, archive.WriteFile(out, images)
}

func (p pod) image(name string, base, program v1.Layer) (v1.Image, error) {
	var own []archive.Entry
	for _, link := range p.programs {
		own = append(own, archive.Entry{Name: "/usr/local/bin/" + link, Link: p.component})
	}
	layers := []v1.Layer{program}
	if p.debian {
		script, err := files.ReadFile("files/node-routes")
		if err != nil {
			return nil, err
		}
		own = append(own, archive.Entry{Name: "/usr/local/bin/node-routes", Mode: 0o755, Content: script})
		layers = append([]v1.Layer{base}, layers...)
	} else {
		own = append(own, archive.Entry{Name: "/etc/passwd", Content: []byte("root:x:0:0:root:/:/sbin/nologin\n")},
			archive.Entry{Name: "/etc/group", Content: []byte("root:x:0:\n")})
	}
	links, err := archive.Layer(own)
	if err != nil {
		return nil, err
	}
	config := v1.Config{Env: []string{path}, WorkingDir: "/"}
	if name == "coredns" { // kubeadm gives arguments only
		config.Entrypoint = []string{"/usr/local/bin/coredns"}
	}
	return archive.Image(config, append(layers, links)...)
}

// pause holds a pod's namespaces.
func (b builder) pause(ctx context.Context) (v1.Image, error) {
	program := filepath.Join(b.work, "pause")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./hack/airgap/pause")
	cmd.Dir = buildcache.Checkout()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, out)
	}
	layer, err := archive.Layer([]archive.Entry{{Name: "/pause", Mode: 0o755, From: program}})
	if err != nil {
		return nil, err
	}
	return archive.Image(v1.Config{Entrypoint: []string{"/pause"}, User: "65535:65535"}, layer)
}
