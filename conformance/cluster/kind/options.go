package kind

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/causeway-gateway/causeway/conformance/cluster/clustername"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// DefaultName is the name of a cluster that was given none.
const DefaultName = "causeway"

// NodeImageVariable names the node image of clusters that are given none, for
// machines that cannot pull kind's own.
const NodeImageVariable = "CAUSEWAY_NODE_IMAGE"

// Families of addresses that a cluster's pods and Services have.
const (
	IPv4 = "ipv4"
	IPv6 = "ipv6"
	Dual = "dual"
)

// Families are the values of Options.IPFamily.
var Families = []string{IPv4, IPv6, Dual}

// What gives Services of type LoadBalancer their addresses.
const (
	// BuiltIn is the controller of this package. The addresses are reached from
	// the machine of the Docker engine, if that is Linux.
	BuiltIn = "built-in"
	// CloudProviderKind runs https://sigs.k8s.io/cloud-provider-kind in a container.
	CloudProviderKind = "cloud-provider-kind"
	// MetalLB installs https://metallb.io in layer 2 mode.
	MetalLB = "metallb"
	// None leaves Services without an address.
	None = "none"
)

// LoadBalancers are the values of Options.LoadBalancer.
var LoadBalancers = []string{BuiltIn, CloudProviderKind, MetalLB, None}

// Options say what cluster to make. The zero value is one node of kind's own
// image.
type Options struct {
	// Name tells clusters of one engine apart; empty for [DefaultName].
	Name string
	// NodeImage is an image that the engine has or can pull; empty for that of
	// KubernetesVersion, then $CAUSEWAY_NODE_IMAGE, then kind's default.
	NodeImage string
	// KubernetesVersion, such as v1.36.1, picks kind's published image of that
	// version.
	KubernetesVersion string
	// Nodes is how many there are, the first of which is the control plane;
	// zero for one, or as many as Config says.
	Nodes int
	// IPFamily is one of [Families]; empty for kind's default.
	IPFamily string
	// Config is a file with a kind configuration
	// (https://kind.sigs.k8s.io/docs/user/configuration/), to which the other
	// options are added.
	Config string
	// LoadBalancer is one of [LoadBalancers]; empty for [BuiltIn].
	LoadBalancer string
	// Images are built from programs of this machine and loaded into every node.
	Images map[string]image.Program
	// Logf receives progress, one line a call without a line end; nil for none.
	Logf func(format string, args ...any)
}

func (o *Options) complete() error {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	if o.LoadBalancer == "" {
		o.LoadBalancer = BuiltIn
	}
	if o.KubernetesVersion != "" && !strings.HasPrefix(o.KubernetesVersion, "v") {
		o.KubernetesVersion = "v" + o.KubernetesVersion
	}
	if err := o.Validate(); err != nil {
		return err
	}
	if o.NodeImage == "" && o.KubernetesVersion != "" {
		o.NodeImage = "kindest/node:" + o.KubernetesVersion
	}
	if o.NodeImage == "" && o.Config == "" {
		o.NodeImage = os.Getenv(NodeImageVariable)
	}
	return nil
}

// ErrOptions marks options that make no sense, rather than clusters that fail.
var ErrOptions = errors.New("wrong options")

// Validate says what is wrong with the options, if anything. Its errors wrap
// [ErrOptions].
func (o Options) Validate() error {
	if err := o.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return nil
}

func (o Options) check() error {
	if o.Name != "" {
		if err := clustername.Check(o.Name); err != nil {
			return err
		}
	}
	if o.KubernetesVersion != "" {
		v := "v" + strings.TrimPrefix(o.KubernetesVersion, "v")
		if !semver.IsValid(v) || strings.Count(v, ".") < 2 {
			return fmt.Errorf("%q is no version of Kubernetes such as v1.36.1", o.KubernetesVersion)
		}
		if o.NodeImage != "" {
			return errors.New("a node image has its version of Kubernetes: give only one of the two")
		}
	}
	if o.Nodes < 0 || o.Nodes > 50 {
		return fmt.Errorf("%d nodes are not possible: give 1 to 50", o.Nodes)
	}
	if o.IPFamily != "" && !slices.Contains(Families, o.IPFamily) {
		return fmt.Errorf("IP family %q is not known; there are %s", o.IPFamily, strings.Join(Families, ", "))
	}
	if o.LoadBalancer != "" && !slices.Contains(LoadBalancers, o.LoadBalancer) {
		return fmt.Errorf("load balancer %q is not known; there are %s", o.LoadBalancer, strings.Join(LoadBalancers, ", "))
	}
	return nil
}
