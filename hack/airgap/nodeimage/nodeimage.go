// Package nodeimage builds an image that kind runs as a node, without pulling
// anything: programs come from Go modules, the rest from Debian packages. The
// files folder holds what configures them. It neither needs root nor an engine.
package nodeimage

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind/archive"
	"github.com/causeway-gateway/causeway/hack/airgap/debian"
	"github.com/causeway-gateway/causeway/internal/buildcache"
)

//go:embed files
var files embed.FS

// Repository is the image's name without its tag.
const Repository = "localhost/causeway-node"

// Name is the image in the archive that [Find] returns.
const Name = Repository + ":" + components.KubernetesVersion

// parts are the programs of the image by their component names.
var parts = []string{components.ControlPlane, components.Kubernetes, components.Containerd, components.ContainerdShim, components.Ctr, components.Crictl}

// Find returns the path of an archive with the image, building it if the cache
// does not have it for these sources. Progress is written line by line.
func Find(ctx context.Context, progress io.Writer) (string, error) {
	finder := components.Finder{Logf: func(format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) }}
	programs := map[string]string{}
	salt := []string{runtime.Version(), runtime.GOARCH, Name}
	for _, name := range parts {
		path, err := finder.Find(ctx, name)
		if err != nil {
			return "", err
		}
		programs[name] = path
		salt = append(salt, path) // which has the component's key
	}
	return buildcache.Find(ctx, buildcache.Component{
		Name: "causeway-node.tar", Dir: buildcache.Checkout(),
		Inputs: []string{"hack/airgap/debian", "hack/airgap/nodeimage", "hack/airgap/pause", "conformance/cluster/kind/archive"},
		Salt:   salt,
		Build: func(ctx context.Context, out string, progress io.Writer) error {
			return build(ctx, programs, out, progress)
		},
	}, progress)
}

func build(ctx context.Context, programs map[string]string, out string, progress io.Writer) error {
	work, err := os.MkdirTemp(filepath.Dir(out), "work-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := builder{programs: programs, work: work, progress: progress}
	base, err := b.base(ctx)
	if err != nil {
		return fmt.Errorf("base of Debian packages: %w", err)
	}
	images := filepath.Join(work, "images.tar")
	tags, err := b.podImages(ctx, base, images)
	if err != nil {
		return fmt.Errorf("images of the control plane: %w", err)
	}
	node, err := b.node(base, images, tags)
	if err != nil {
		return err
	}
	b.say("writing the image")
	return archive.WriteFile(out, map[string]v1.Image{Name: node})
}

type builder struct {
	programs map[string]string
	work     string
	progress io.Writer
}

func (b builder) say(format string, args ...any) { fmt.Fprintf(b.progress, format+"\n", args...) }

// base is the layer of Debian packages. It stays on disk while it is used.
func (b builder) base(ctx context.Context) (v1.Layer, error) {
	b.say("fetching Debian packages")
	debs, err := debian.Fetch(ctx, filepath.Join(b.work, "debs"), false, packages)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(b.work, "base.tar")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := writeBase(ctx, f, debs); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return archive.LayerFile(path)
}

// node is the image of the node itself.
func (b builder) node(base v1.Layer, images string, tags map[string]string) (v1.Image, error) {
	entries, err := b.nodeEntries(images, tags)
	if err != nil {
		return nil, err
	}
	layer, err := archive.Layer(entries)
	if err != nil {
		return nil, err
	}
	return archive.Image(v1.Config{
		Entrypoint: []string{"/usr/local/bin/entrypoint"},
		// An argument of its own command line is how systemd takes what elsewhere
		// stands on the kernel's. Without it a container's control groups of
		// version 1 are not delegated.
		Cmd:        []string{"/sbin/init", "systemd.legacy_systemd_cgroup_controller=yes"},
		Env:        []string{path, "container=docker"},
		StopSignal: "SIGRTMIN+3",
		WorkingDir: "/",
	}, base, layer)
}

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// nodeEntries are the files of a node besides the packages.
func (b builder) nodeEntries(images string, tags map[string]string) ([]archive.Entry, error) {
	var out []archive.Entry
	replace := strings.NewReplacer("@PAUSE@", tags["pause"], "@KUBE_PROXY@", tags["kube-proxy"])
	for _, f := range []struct{ file, to string }{
		{"entrypoint", "/usr/local/bin/entrypoint"},
		{"kubelet-cgroup.sh", "/kind/bin/kubelet-cgroup.sh"},
		{"containerd.toml", "/etc/containerd/config.toml"},
		{"cni.template", "/etc/containerd/cni.template"},
		{"containerd.service", "/etc/systemd/system/containerd.service"},
		{"kubelet.service", "/etc/systemd/system/kubelet.service"},
		{"kubelet.slice", "/etc/systemd/system/kubelet.slice"},
		{"node-images.service", "/etc/systemd/system/node-images.service"},
		{"cni.yaml", "/kind/manifests/default-cni.yaml"},
		{"storage.yaml", "/kind/manifests/default-storage.yaml"},
	} {
		content, err := files.ReadFile("files/" + f.file)
		if err != nil {
			return nil, err
		}
		e := archive.Entry{Name: f.to, Content: []byte(replace.Replace(string(content)))}
		if strings.HasPrefix(string(content), "#!") {
			e.Mode = 0o755
		}
		out = append(out, e)
	}
	out = append(out, archive.Entry{Name: "/kind/version", Content: []byte(components.KubernetesVersion)},
		archive.Entry{Name: "/kind/images.tar", From: images},
		archive.Entry{Name: "/etc/crictl.yaml", Content: []byte("runtime-endpoint: unix:///run/containerd/containerd.sock\n")},
		archive.Entry{Name: "/usr/bin/kubernetes", Mode: 0o755, From: b.programs[components.Kubernetes]})
	for _, name := range []string{"kubeadm", "kubelet", "kubectl"} {
		out = append(out, archive.Entry{Name: "/usr/bin/" + name, Link: "kubernetes"})
	}
	for _, name := range []string{components.Containerd, components.ContainerdShim, components.Ctr, components.Crictl} {
		out = append(out, archive.Entry{Name: "/usr/local/bin/" + name, Mode: 0o755, From: b.programs[name]})
	}
	for _, unit := range []string{"containerd", "kubelet", "node-images"} {
		out = append(out, archive.Entry{
			Name: "/etc/systemd/system/multi-user.target.wants/" + unit + ".service",
			Link: "/etc/systemd/system/" + unit + ".service",
		})
	}
	return out, nil
}

// required are the images that kubeadm starts, by the last part of their names.
func (b builder) required(ctx context.Context) (map[string]string, error) {
	kubeadm := filepath.Join(b.work, "kubeadm")
	if err := os.Symlink(b.programs[components.Kubernetes], kubeadm); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, kubeadm, "config", "images", "list", "--kubernetes-version", components.KubernetesVersion).Output()
	if err != nil {
		return nil, fmt.Errorf("kubeadm config images list: %w", err)
	}
	tags := map[string]string{}
	for _, tag := range strings.Fields(string(out)) {
		name, _, _ := strings.Cut(tag[strings.LastIndex(tag, "/")+1:], ":")
		tags[name] = tag
	}
	return tags, nil
}
