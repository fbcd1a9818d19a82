package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// collection says what is collected.
type collection struct {
	since      time.Time // of logs and events
	namespaces []string  // whose Pods, Services and the like are kept
	logs       []LogSource
}

// maxLog bounds one container's log, in bytes.
const maxLog = 4 << 20

// around are the kinds kept beside those of the Gateway API, in the namespaces of
// the suite and the implementation. Secrets come without their data.
var around = []schema.GroupVersionResource{
	{Version: "v1", Resource: "pods"},
	{Version: "v1", Resource: "services"},
	{Version: "v1", Resource: "configmaps"},
	{Version: "v1", Resource: "secrets"},
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "apps", Version: "v1", Resource: "daemonsets"},
	{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
}

// collect writes what it can reach, all at once for lack of time: the test
// waits. The error names what it could not.
func (k *kube) collect(ctx context.Context, dir string, what collection) error {
	var (
		mu   sync.Mutex
		errs []error
		wg   sync.WaitGroup
	)
	try := func(what string, do func() error) {
		wg.Go(func() {
			if err := do(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	gateway, err := k.gatewayKinds()
	if err != nil {
		errs = append(errs, fmt.Errorf("kinds of the Gateway API: %w", err))
	}
	namespaces := slices.Clone(what.namespaces)
	for _, l := range what.logs {
		namespaces = append(namespaces, l.Namespace)
	}
	objects := filepath.Join(dir, "objects")
	for _, r := range gateway {
		try(r.Resource, func() error { return k.writeObjects(ctx, objects, r, nil) })
	}
	for _, r := range around {
		try(r.Resource, func() error { return k.writeObjects(ctx, objects, r, namespaces) })
	}
	try("events", func() error { return k.writeEvents(ctx, filepath.Join(dir, "events.txt"), what.since) })
	for _, l := range what.logs {
		try("logs in "+l.Namespace, func() error { return k.writeLogs(ctx, filepath.Join(dir, "logs"), l, what.since) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// gatewayKinds are the kinds that the API serves of the Gateway API's groups,
// each in its preferred version.
func (k *kube) gatewayKinds() ([]schema.GroupVersionResource, error) {
	groups, err := k.clients.Discovery().ServerGroups()
	if err != nil {
		return nil, err
	}
	var out []schema.GroupVersionResource
	seen := map[string]bool{}
	for _, g := range groups.Groups {
		if !strings.HasPrefix(g.Name, "gateway.networking.") {
			continue
		}
		// A kind may be served in a version other than the group's preferred one.
		versions := append([]metav1.GroupVersionForDiscovery{g.PreferredVersion}, g.Versions...)
		for _, v := range versions {
			list, err := k.clients.Discovery().ServerResourcesForGroupVersion(v.GroupVersion)
			if err != nil {
				return out, err
			}
			for _, r := range list.APIResources {
				if key := g.Name + "/" + r.Name; !strings.Contains(r.Name, "/") && !seen[key] {
					seen[key] = true
					out = append(out, schema.GroupVersionResource{Group: g.Name, Version: v.Version, Resource: r.Name})
				}
			}
		}
	}
	return out, nil
}

// writeObjects writes the objects of a kind, in the given namespaces or, when
// they are nil, everywhere. There is no file for a kind without objects.
func (k *kube) writeObjects(ctx context.Context, dir string, r schema.GroupVersionResource, namespaces []string) error {
	list, err := k.objects.Resource(r).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var out strings.Builder
	for i := range list.Items {
		o := &list.Items[i]
		if namespaces != nil && !slices.Contains(namespaces, o.GetNamespace()) {
			continue
		}
		text, err := yaml.Marshal(withoutSecrets(o).Object)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "---\n%s", text)
	}
	if out.Len() == 0 {
		return nil
	}
	name := r.Resource
	if r.Group != "" {
		name += "." + r.Group
	}
	return writeInto(dir, name+".yaml", strings.NewReader(out.String()))
}

// withoutSecrets takes out what must not be kept, and what nobody reads.
func withoutSecrets(o *unstructured.Unstructured) *unstructured.Unstructured {
	o.SetManagedFields(nil)
	if o.GetKind() != "Secret" {
		return o
	}
	delete(o.Object, "stringData")
	if data, ok := o.Object["data"].(map[string]any); ok {
		for key, value := range data {
			text, _ := value.(string)
			data[key] = fmt.Sprintf("(%d bytes of base64, not kept)", len(text))
		}
	}
	if a := o.GetAnnotations(); a != nil {
		delete(a, corev1.LastAppliedConfigAnnotation)
		o.SetAnnotations(a)
	}
	return o
}

func (k *kube) writeEvents(ctx context.Context, path string, since time.Time) error {
	list, err := k.clients.CoreV1().Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	at := func(e corev1.Event) time.Time {
		return slices.MaxFunc([]time.Time{e.LastTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time}, time.Time.Compare)
	}
	events := slices.DeleteFunc(list.Items, func(e corev1.Event) bool { return at(e).Before(since) })
	if len(events) == 0 {
		return nil
	}
	slices.SortStableFunc(events, func(a, b corev1.Event) int {
		return cmp.Or(at(a).Compare(at(b)), cmp.Compare(a.Name, b.Name))
	})
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	for _, e := range events {
		fmt.Fprintf(table, "%s\t%s\t%s/%s\t%s\t%s\t%s\n", at(e).UTC().Format(time.RFC3339), e.Type,
			e.InvolvedObject.Kind, e.InvolvedObject.Name, e.InvolvedObject.Namespace, e.Reason,
			strings.Join(strings.Fields(e.Message), " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return writeInto(filepath.Dir(path), filepath.Base(path), strings.NewReader(out.String()))
}

// writeLogs writes the logs of the pods of a source: of each container, and of
// its predecessor if it was restarted.
func (k *kube) writeLogs(ctx context.Context, dir string, source LogSource, since time.Time) error {
	pods, err := k.clients.CoreV1().Pods(source.Namespace).List(ctx, metav1.ListOptions{LabelSelector: source.Selector})
	if err != nil {
		return err
	}
	if len(pods.Items) == 0 {
		return fmt.Errorf("no pods match %q", source.Selector)
	}
	var errs []error
	for _, p := range pods.Items {
		for _, c := range p.Status.ContainerStatuses {
			if source.Container != "" && c.Name != source.Container {
				continue
			}
			errs = append(errs, k.writeLog(ctx, dir, &p, c.Name, false, since))
			if c.RestartCount > 0 {
				errs = append(errs, k.writeLog(ctx, dir, &p, c.Name, true, time.Time{}))
			}
		}
	}
	return errors.Join(errs...)
}

func (k *kube) writeLog(ctx context.Context, dir string, p *corev1.Pod, container string, previous bool, since time.Time) error {
	o := &corev1.PodLogOptions{Container: container, Previous: previous, Timestamps: true, LimitBytes: new(int64(maxLog))}
	if !since.IsZero() {
		o.SinceTime = &metav1.Time{Time: since}
	}
	name := fmt.Sprintf("%s_%s_%s", p.Namespace, p.Name, container)
	if previous {
		name += ".previous"
	}
	in, err := k.clients.CoreV1().Pods(p.Namespace).GetLogs(p.Name, o).Stream(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer in.Close()
	return writeInto(dir, name+".log", io.LimitReader(in, maxLog))
}

// writeInto writes a file below a folder that is made if need be. Names come
// from objects, which the API keeps free of separators.
func writeInto(dir, name string, r io.Reader) error {
	if filepath.Base(name) != name {
		return fmt.Errorf("%q is not a file name", name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
