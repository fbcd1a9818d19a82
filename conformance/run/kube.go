package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// kube asks a real API. It reads unstructured objects, so that it serves any
// version of the Gateway API.
type kube struct {
	clients kubernetes.Interface
	objects dynamic.Interface
}

// requestTimeout bounds each request.
const requestTimeout = 10 * time.Second

func connect(kubeconfig string) (api, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's kubeconfig: %w", err)
	}
	config.Timeout = requestTimeout
	config.QPS, config.Burst = 100, 200
	config.UserAgent = "causeway"
	k := &kube{}
	if k.clients, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	if k.objects, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return k, nil
}

var (
	gatewayClasses = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "gatewayclasses"}
	meshes         = schema.GroupVersionResource{Group: "gateway.networking.x-k8s.io", Version: "v1alpha1", Resource: "xmeshes"}
)

func (k *kube) class(ctx context.Context, name string) (claim, error) {
	return k.claim(ctx, gatewayClasses, name)
}

func (k *kube) mesh(ctx context.Context, name string) (claim, error) {
	return k.claim(ctx, meshes, name)
}

func (k *kube) claim(ctx context.Context, kind schema.GroupVersionResource, name string) (claim, error) {
	o, err := k.objects.Resource(kind).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return claim{}, nil
	}
	if err != nil {
		return claim{}, err
	}
	return claimOf(o), nil
}

func claimOf(o *unstructured.Unstructured) claim {
	s := claim{found: true, features: featuresOf(o)}
	s.controller, _, _ = unstructured.NestedString(o.Object, "spec", "controllerName")
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		c, ok := c.(map[string]any)
		if !ok || c["type"] != "Accepted" {
			continue
		}
		s.accepted, _ = c["status"].(string)
		reason, _ := c["reason"].(string)
		message, _ := c["message"].(string)
		s.message = fmt.Sprintf("%s (%s)", message, reason)
	}
	return s
}

// featuresOf are the names in status.supportedFeatures, which GatewayClass and
// XMesh share.
func featuresOf(o *unstructured.Unstructured) []string {
	var out []string
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "supportedFeatures")
	for _, f := range list {
		if f, ok := f.(map[string]any); ok {
			if name, ok := f["name"].(string); ok {
				out = append(out, name)
			}
		}
	}
	return out
}

func (k *kube) versions(ctx context.Context, sources []LogSource) (string, []Image, error) {
	info, err := k.clients.Discovery().ServerVersion()
	if err != nil {
		return "", nil, fmt.Errorf("asking for the version of Kubernetes: %w", err)
	}
	var out []Image
	for _, s := range sources {
		pods, err := k.clients.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: s.Selector})
		if err != nil {
			return info.GitVersion, out, fmt.Errorf("asking for the images of namespace %s: %w", s.Namespace, err)
		}
		for _, p := range pods.Items {
			out = append(out, imagesOf(&p)...)
		}
	}
	slices.SortFunc(out, func(a, b Image) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return info.GitVersion, slices.Compact(out), nil
}

// imagesOf are the images of a pod's containers. The status has the ID; its name
// of the image may be another one than the pod's.
func imagesOf(p *corev1.Pod) []Image {
	ids := map[string]string{}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if strings.Contains(s.ImageID, "sha256:") {
			ids[s.Name] = s.ImageID
		}
	}
	var out []Image
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		out = append(out, Image{Name: c.Image, ID: ids[c.Name]})
	}
	return out
}

func (k *kube) standing(ctx context.Context, namespaces []string) ([]string, error) {
	list, err := k.clients.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range list.Items {
		if slices.Contains(namespaces, n.Name) {
			out = append(out, n.Name)
		}
	}
	return out, nil
}

func (k *kube) remove(ctx context.Context, namespaces, classes []string) error {
	var errs []error
	for _, n := range namespaces {
		if err := k.clients.CoreV1().Namespaces().Delete(ctx, n, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("deleting namespace %s: %w", n, err))
		}
	}
	for _, c := range classes {
		if err := k.objects.Resource(gatewayClasses).Delete(ctx, c, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("deleting GatewayClass %s: %w", c, err))
		}
	}
	return errors.Join(errs...)
}

// Supported are the features that an implementation in a cluster says it
// supports now, for a plan before the run.
func Supported(ctx context.Context, kubeconfig string, impl *Implementation, limit time.Duration) ([]string, error) {
	a, err := connect(kubeconfig)
	if err != nil {
		return nil, err
	}
	return awaitReady(ctx, a, impl, limit)
}
