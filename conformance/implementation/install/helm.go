package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/downloader"
	"helm.sh/helm/v4/pkg/getter"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/registry"
	"helm.sh/helm/v4/pkg/repo/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// hookTimeout bounds each of a chart's hooks. The chart's own objects are
// waited for by the conditions of the descriptor instead.
const hookTimeout = 3 * time.Minute

// helm installs a chart as a release.
func (in *Installation) helm(ctx context.Context, h *implementation.Helm, folder, namespace string) error {
	i := in.installer
	if h.Namespace != "" {
		namespace = h.Namespace
	}
	c, err := i.chart(h, folder)
	if err != nil {
		return fmt.Errorf("chart %s: %w", h.Chart, err)
	}
	cfg, err := i.helm(namespace)
	if err != nil {
		return err
	}
	install := action.NewInstall(cfg)
	install.ReleaseName, install.Namespace, install.CreateNamespace = h.Release, namespace, true
	install.SkipCRDs = h.SkipCRDs
	install.WaitStrategy, install.Timeout = kube.HookOnlyStrategy, hookTimeout
	// Helm 3's way: CRDs that are there already are left alone. By server-side
	// apply a chart's copies of the Gateway API's CRDs would conflict with those
	// of the chosen release.
	install.ServerSideApply = false
	// Asked first, so that no release of somebody else is ever taken away.
	if _, err := cfg.Releases.Last(h.Release); err == nil {
		return fmt.Errorf("release %s/%s is there already: uninstall it, or describe the implementation as installed (a way of installation without steps)", namespace, h.Release)
	} else if !errors.Is(err, driver.ErrReleaseNotFound) {
		return fmt.Errorf("looking for release %s/%s: %w", namespace, h.Release, err)
	}
	values, err := withAuthority(h.Values, h.Authority)
	if err != nil {
		return err
	}
	in.releases = append(in.releases, release{namespace, h.Release})
	if _, err := install.RunWithContext(ctx, c, values); err != nil {
		return fmt.Errorf("release %s/%s of chart %s: %w", namespace, h.Release, strings.TrimSpace(h.Chart+" "+h.Version), err)
	}
	return nil
}

func (i *Installer) uninstallRelease(r release, timeout time.Duration) error {
	cfg, err := i.helm(r.namespace)
	if err != nil {
		return err
	}
	un := action.NewUninstall(cfg)
	un.WaitStrategy, un.Timeout, un.IgnoreNotFound = kube.StatusWatcherStrategy, timeout, true
	if _, err := un.Run(r.name); err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
		return err
	}
	return nil
}

func helmConfiguration(config *rest.Config, namespace string) (*action.Configuration, error) {
	cfg := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := cfg.Init(restGetter{config, namespace}, namespace, "secret"); err != nil {
		return nil, fmt.Errorf("preparing Helm: %w", err)
	}
	return cfg, nil
}

// chart loads a chart from beside the descriptor or from its repository. It
// reads no repositories, caches or plugins of the user's own Helm, so what is
// installed follows from the descriptor alone.
func (i *Installer) chart(h *implementation.Helm, folder string) (chart.Charter, error) {
	if h.Repository == "" {
		return loader.Load(filepath.Join(folder, filepath.FromSlash(h.Chart)))
	}
	cache, err := i.chartCache()
	if err != nil {
		return nil, err
	}
	client, err := registry.NewClient(registry.ClientOptWriter(io.Discard))
	if err != nil {
		return nil, err
	}
	get := downloader.ChartDownloader{
		Out: io.Discard, Getters: getter.Getters(), RegistryClient: client,
		Options:         []getter.Option{getter.WithRegistryClient(client)},
		RepositoryCache: cache, ContentCache: filepath.Join(cache, "content"), RepositoryConfig: filepath.Join(cache, "none.yaml"),
	}
	ref := strings.TrimSuffix(h.Repository, "/") + "/" + h.Chart
	if !registry.IsOCI(h.Repository) {
		if ref, err = repo.FindChartInRepoURL(h.Repository, h.Chart, getter.Getters(), repo.WithChartVersion(h.Version)); err != nil {
			return nil, err
		}
	}
	path, _, err := get.DownloadToCache(ref, h.Version)
	if err != nil {
		return nil, err
	}
	return loader.Load(path)
}

func (i *Installer) chartCache() (string, error) {
	dir := i.options.Cache
	if dir == "" {
		base, err := os.UserCacheDir() // XDG_CACHE_HOME or ~/.cache
		if err != nil {
			return "", fmt.Errorf("finding a folder for charts: %w", err)
		}
		dir = filepath.Join(base, "causeway", "charts")
	}
	if err := os.MkdirAll(filepath.Join(dir, "content"), 0o755); err != nil {
		return "", fmt.Errorf("making a folder for charts: %w", err)
	}
	return dir, nil
}

// restGetter hands Helm the connection that is there already.
type restGetter struct {
	config    *rest.Config
	namespace string
}

// ToRESTConfig implements genericclioptions.RESTClientGetter.
func (g restGetter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.config), nil }

// ToDiscoveryClient implements genericclioptions.RESTClientGetter.
func (g restGetter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	c, err := discovery.NewDiscoveryClientForConfig(g.config)
	if err != nil {
		return nil, err
	}
	return memory.NewMemCacheClient(c), nil
}

// ToRESTMapper implements genericclioptions.RESTClientGetter.
func (g restGetter) ToRESTMapper() (meta.RESTMapper, error) {
	c, err := g.ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	return restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(c), c, nil), nil
}

// ToRawKubeConfigLoader implements genericclioptions.RESTClientGetter.
func (g restGetter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}}
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), overrides)
}
