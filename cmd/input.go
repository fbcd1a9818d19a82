package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
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

// nginxOptions reads the controller's ConfigMap, from a file of its own or
// from the set.
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
			o.Config = cm.Data
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
	o.Config = own.ConfigMaps[0].Data
	return o, nil
}

// table compiles the input: Ingresses, or Gateway API objects with the readings
// that most implementations share (paths are normalised before matching).
func (f *inputFlags) table(ctx context.Context, set *source.Set, dialect string, errOut io.Writer) (*routing.Table, error) {
	t, _, err := f.tableOf(ctx, set, dialect, errOut)
	return t, err
}

// tableOf also reports whether the table leaves room for readings, as Gateway
// API does.
func (f *inputFlags) tableOf(ctx context.Context, set *source.Set, dialect string, errOut io.Writer) (t *routing.Table, open bool, err error) {
	gateway := len(migrate.GatewayObjects(set)) > 0
	switch {
	case dialect != "auto" && dialect != "ingress" && dialect != "gateway-api":
		return nil, false, usagef("--dialect %s is not known: use ingress, gateway-api or auto", dialect)
	case dialect == "gateway-api" && !gateway:
		return nil, false, usagef("--dialect gateway-api: the input holds no Gateway API objects")
	case dialect == "gateway-api", dialect == "auto" && gateway && len(set.Ingresses) == 0:
		res := migrate.CompileGateway(set, migrate.Usual)
		for _, p := range res.Problems {
			fmt.Fprintf(errOut, "%s %s: %s: %s: %s\n", p.Object, p.Path, p.Condition, p.Reason, p.Message)
		}
		return res.Table, true, nil
	case dialect == "auto" && gateway:
		fmt.Fprintln(errOut, "The input holds Ingresses and Gateway API objects: answering for the Ingresses; use --dialect gateway-api for the others.")
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
