package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	metalabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/istio"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// inputFlags are the flags by which every verb reads source objects.
type inputFlags struct {
	files     []string
	recursive bool
	kustomize string
	urls      bool
	cluster   bool
	all       bool
	config    *genericclioptions.ConfigFlags

	configMap   string
	release     string
	prefix      string
	class       string
	controller  string
	noClass     bool
	passthrough bool
	tcp, udp    string

	domain, selector string
}

func (f *inputFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVarP(&f.files, "filename", "f", nil, "file or folder with manifests, or - for standard input (repeatable)")
	fl.StringVarP(&f.kustomize, "kustomize", "k", "", "kustomization folder to build and read")
	fl.BoolVar(&f.cluster, "cluster", false, "read the live cluster (list only)")
	f.addShared(c)
}

// addShared adds what does not depend on where the objects are.
func (f *inputFlags) addShared(c *cobra.Command) {
	fl := c.Flags()
	fl.BoolVarP(&f.recursive, "recursive", "R", false, "read folders with everything below them")
	fl.BoolVar(&f.urls, "allow-urls", false, "let files and kustomizations fetch URLs")
	fl.BoolVarP(&f.all, "all-namespaces", "A", true, "of a live cluster, read every namespace")
	fl.StringVar(&f.configMap, "nginx-configmap", "", "the controller's ConfigMap: a file, or namespace/name in the input")
	fl.StringVar(&f.release, "nginx-version", "1.15", "ingress-nginx release whose behaviour counts (1.9 to 1.15)")
	fl.StringVar(&f.prefix, "annotation-prefix", nginx.DefaultPrefix, "prefix of the controller's annotations")
	fl.StringVar(&f.class, "ingress-class", "nginx", "class name that selects Ingresses by annotation")
	fl.StringVar(&f.controller, "controller-class", "k8s.io/ingress-nginx", "spec.controller of the controller's IngressClasses")
	fl.BoolVar(&f.noClass, "watch-ingress-without-class", false, "the controller also serves Ingresses without a class")
	fl.BoolVar(&f.passthrough, "enable-ssl-passthrough", false, "the controller runs with --enable-ssl-passthrough")
	fl.StringVar(&f.tcp, "tcp-services-configmap", "", "the controller's ConfigMap of TCP services, namespace/name in the input")
	fl.StringVar(&f.udp, "udp-services-configmap", "", "the controller's ConfigMap of UDP services, namespace/name in the input")
	fl.StringVar(&f.domain, "cluster-domain", "cluster.local", "domain of the cluster's Services")
	fl.StringVar(&f.selector, "istio-gateway", "", "labels of the Istio gateway's pods, as in istio=ingressgateway (default: those of the default installation, or the only ones that the input's Gateways select)")
	f.config = genericclioptions.NewConfigFlags(true)
	f.config.ClusterName = nil // --cluster means the live cluster here
	f.config.AddFlags(fl)
}

// read returns what the flags name. Broken documents are errors beside the
// rest, never instead of it.
func (f *inputFlags) read(ctx context.Context, stdin io.Reader) (*source.Set, []*source.DocumentError, error) {
	if f.cluster {
		if len(f.files) > 0 || f.kustomize != "" {
			return nil, nil, usagef("--cluster reads everything from the cluster: leave out -f and -k")
		}
		rest, err := f.config.ToRESTConfig()
		if err != nil {
			return nil, nil, fmt.Errorf("loading the kubeconfig: %w", err)
		}
		o := source.ClusterOptions{AllNamespaces: f.all}
		if f.config.Namespace != nil && *f.config.Namespace != "" {
			o.Namespace, o.AllNamespaces = *f.config.Namespace, false
		}
		return source.FromCluster(ctx, rest, o)
	}
	if len(f.files) == 0 && f.kustomize == "" {
		return nil, nil, usagef("nothing to read: name manifests with -f or -k, or --cluster")
	}
	o := source.Options{Files: f.files, Recursive: f.recursive, Kustomize: f.kustomize, AllowURLs: f.urls, Stdin: stdin}
	if f.config.Namespace != nil {
		o.Namespace = *f.config.Namespace
	}
	return source.Read(ctx, o)
}

// nginxOptions reads the controller's ConfigMap, from the set or from a file of
// its own, which joins the set then.
func (f *inputFlags) nginxOptions(ctx context.Context, set *source.Set) (nginx.Options, error) {
	if _, err := nginx.ParseRelease(f.release); err != nil {
		return nginx.Options{}, usagef("%v", err)
	}
	o := nginx.Options{
		Release: f.release, Prefix: f.prefix, ControllerClass: f.controller, Class: f.class,
		WatchWithoutClass: f.noClass, SSLPassthrough: f.passthrough,
		TCPServices: f.tcp, UDPServices: f.udp,
	}
	if f.configMap == "" {
		return o, nil
	}
	for _, cm := range set.ConfigMaps {
		if cm.Namespace+"/"+cm.Name == f.configMap {
			o.Config, o.ConfigMap = cm.Data, f.configMap
			return o, nil
		}
	}
	own, problems, err := source.Read(ctx, source.Options{Files: []string{f.configMap}})
	switch {
	case err != nil:
		return o, fmt.Errorf("reading --nginx-configmap: %w", err)
	case len(problems) > 0:
		return o, fmt.Errorf("reading --nginx-configmap: %w", problems[0])
	case len(own.ConfigMaps) != 1:
		return o, fmt.Errorf("--nginx-configmap %s holds %d ConfigMaps: name a file with exactly one, or namespace/name of one in the input", f.configMap, len(own.ConfigMaps))
	}
	cm := own.ConfigMaps[0]
	o.Config, o.ConfigMap = cm.Data, cm.Namespace+"/"+cm.Name
	set.ConfigMaps = append(set.ConfigMaps, cm) // the ledger accounts for it too
	return o, nil
}

// istioOptions reads the flags about the mesh.
func (f *inputFlags) istioOptions() (istio.Options, error) {
	o := istio.Options{Domain: f.domain}
	if f.selector == "" {
		return o, nil
	}
	labels, err := metalabels.ConvertSelectorToLabelsMap(f.selector)
	if err != nil {
		return o, usagef("--istio-gateway %s are no labels such as istio=ingressgateway: %v", f.selector, err)
	}
	o.Workload = labels
	return o, nil
}

// dialects are the ways to read an input, in the order in which auto tries them.
var dialects = []struct {
	name  string
	what  string
	holds func(*source.Set) bool
}{
	{"ingress", "Ingresses", func(s *source.Set) bool { return len(s.Ingresses) > 0 }},
	{"istio", "Istio objects", istio.Holds},
	{"gateway-api", "Gateway API objects", func(s *source.Set) bool { return len(migrate.GatewayObjects(s)) > 0 }},
}

// dialectOf settles --dialect; auto takes the first that the input holds and
// says so when there are others.
func dialectOf(set *source.Set, dialect string, errOut io.Writer) (string, error) {
	var held []string
	known := dialect == "auto"
	for _, d := range dialects {
		known = known || d.name == dialect
		if d.holds(set) {
			held = append(held, d.name)
		} else if d.name == dialect && dialect != "ingress" {
			return "", usagef("--dialect %s: the input holds no %s", dialect, d.what)
		}
	}
	switch {
	case !known:
		return "", usagef("--dialect %s is not known: use ingress, istio, gateway-api or auto", dialect)
	case dialect != "auto":
		return dialect, nil
	case len(held) == 0:
		return "ingress", nil
	case len(held) > 1:
		fmt.Fprintf(errOut, "The input holds objects of several kinds (%s): answering for the first; use --dialect for the others.\n", strings.Join(held, ", "))
	}
	return held[0], nil
}

// tableOf compiles the input. open reports whether the table leaves room for
// readings, as Gateway API does.
func (f *inputFlags) tableOf(ctx context.Context, set *source.Set, dialect string, errOut io.Writer) (t *routing.Table, open bool, err error) {
	if dialect, err = dialectOf(set, dialect, errOut); err != nil {
		return nil, false, err
	}
	switch dialect {
	case "gateway-api":
		res := migrate.CompileGateway(set, migrate.Usual)
		for _, p := range res.Problems {
			fmt.Fprintf(errOut, "%s %s: %s: %s: %s\n", p.Object, p.Path, p.Condition, p.Reason, p.Message)
		}
		return res.Table, true, nil
	case "istio":
		o, err := f.istioOptions()
		if err != nil {
			return nil, false, err
		}
		return istioTable(istio.Compile(set, o), errOut), false, nil
	}
	o, err := f.nginxOptions(ctx, set)
	if err != nil {
		return nil, false, err
	}
	compiled, err := nginx.Compile(set, o)
	if err != nil {
		return nil, false, err
	}
	return compiled.Table, false, nil
}

// istioTable joins what one gateway and the mesh do. Requests without a client
// are for the first gateway workload.
func istioTable(res *istio.Result, errOut io.Writer) *routing.Table {
	out := &routing.Table{}
	for i, e := range res.Edges {
		if i == 0 {
			out.Listeners = append(out.Listeners, e.Table.Listeners...)
			continue
		}
		fmt.Fprintf(errOut, "The gateway %s is another entrance: name it with --istio-gateway to ask it.\n", e.Describe())
	}
	if res.Mesh != nil {
		out.Listeners = append(out.Listeners, res.Mesh.Listeners...)
	}
	out.Freeze()
	return out
}
