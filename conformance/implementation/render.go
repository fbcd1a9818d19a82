package implementation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Labels of the objects that are made here.
const (
	NameLabel      = "app.kubernetes.io/name"
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "causeway"
)

// MethodFor is the way of installation on a kind of cluster.
func (d *Descriptor) MethodFor(p Provider) (*Method, error) {
	var have []string
	for i := range d.Install {
		if slices.Contains(d.Install[i].On, p) {
			return &d.Install[i], nil
		}
		for _, on := range d.Install[i].On {
			have = append(have, string(on))
		}
	}
	return nil, fmt.Errorf("%s has no way of installation on %s, only on %s (%s)", d.Name, p, strings.Join(have, ", "), d.origin)
}

// Locals are the programs that a cluster must know by their images before an
// installation begins.
func (m *Method) Locals() []*Local {
	var out []*Local
	for i := range m.Steps {
		if l := m.Steps[i].Local; l != nil {
			out = append(out, l)
		}
	}
	return out
}

// WaitTimeout is the time that m gives its waits.
func (m *Method) WaitTimeout() time.Duration {
	if t, err := time.ParseDuration(m.Timeout); err == nil {
		return t
	}
	return DefaultTimeout
}

// ReportMode is the mode a report names.
func (d *Descriptor) ReportMode() string {
	if d.Mode == "" {
		return "default"
	}
	return d.Mode
}

// Object is the GatewayClass, or nil where another brings it.
func (c *GatewayClass) Object() (*unstructured.Unstructured, error) {
	if c == nil || !c.Create {
		return nil, nil
	}
	return plain(&gatewayv1.GatewayClass{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "GatewayClass"},
		ObjectMeta: metav1.ObjectMeta{Name: c.Name, Labels: map[string]string{ManagedByLabel: ManagedBy}},
		Spec:       gatewayv1.GatewayClassSpec{ControllerName: gatewayv1.GatewayController(c.ControllerName)},
	})
}

// Objects renders the account, rights, Deployment and Service of a program, in
// the order in which they are applied.
func (l *Local) Objects(namespace string) ([]*unstructured.Unstructured, error) {
	selector := map[string]string{NameLabel: l.Component}
	labels := map[string]string{NameLabel: l.Component, ManagedByLabel: ManagedBy}
	meta := metav1.ObjectMeta{Name: l.Component, Namespace: namespace, Labels: labels}
	// The namespace is part of the name: cluster-wide rights of two
	// implementations must not meet.
	wide := metav1.ObjectMeta{Name: ManagedBy + ":" + namespace + ":" + l.Component, Labels: labels}
	account := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: l.Component, Namespace: namespace}}
	rbac := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
	}
	core := func(kind string) metav1.TypeMeta { return metav1.TypeMeta{APIVersion: "v1", Kind: kind} }

	objects := []any{&corev1.ServiceAccount{TypeMeta: core("ServiceAccount"), ObjectMeta: meta}}
	if len(l.Rules) > 0 {
		objects = append(objects,
			&rbacv1.ClusterRole{TypeMeta: rbac("ClusterRole"), ObjectMeta: wide, Rules: l.Rules},
			&rbacv1.ClusterRoleBinding{TypeMeta: rbac("ClusterRoleBinding"), ObjectMeta: wide, Subjects: account,
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: wide.Name}})
	}
	if len(l.NamespaceRules) > 0 {
		objects = append(objects,
			&rbacv1.Role{TypeMeta: rbac("Role"), ObjectMeta: meta, Rules: l.NamespaceRules},
			&rbacv1.RoleBinding{TypeMeta: rbac("RoleBinding"), ObjectMeta: meta, Subjects: account,
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: l.Component}})
	}
	strategy := appsv1.DeploymentStrategy{}
	if l.HostNetwork {
		strategy.Type = appsv1.RecreateDeploymentStrategyType // two would want the same ports
	}
	objects = append(objects, &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "Deployment"},
		ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Strategy: strategy,
			Selector: &metav1.LabelSelector{MatchLabels: selector},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       l.pod(),
			},
		},
	})
	if ports := l.servicePorts(); len(ports) > 0 {
		kind := corev1.ServiceTypeLoadBalancer
		if l.ServiceType != "" {
			kind = corev1.ServiceType(l.ServiceType)
		}
		objects = append(objects, &corev1.Service{TypeMeta: core("Service"), ObjectMeta: meta,
			Spec: corev1.ServiceSpec{Type: kind, Selector: selector, Ports: ports}})
	}
	out := make([]*unstructured.Unstructured, len(objects))
	for i, o := range objects {
		u, err := plain(o)
		if err != nil {
			return nil, fmt.Errorf("rendering %s: %w", l.Component, err)
		}
		out[i] = u
	}
	return out, nil
}

func (l *Local) pod() corev1.PodSpec {
	pod := corev1.PodSpec{ServiceAccountName: l.Component, HostNetwork: l.HostNetwork, Containers: []corev1.Container{l.container()}}
	if l.HostNetwork {
		pod.DNSPolicy = corev1.DNSClusterFirstWithHostNet // names of Services, as in the network of a pod
	}
	return pod
}

func (l *Local) container() corev1.Container {
	c := corev1.Container{
		Name: l.Component, Image: l.Image, Args: l.Args, ImagePullPolicy: corev1.PullIfNotPresent,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
	for _, name := range slices.Sorted(maps.Keys(l.Env)) {
		c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: l.Env[name]})
	}
	for _, p := range l.Ports {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: p.Name, ContainerPort: p.Port, Protocol: corev1.Protocol(p.protocol())})
		if p.Port < 1024 && len(c.SecurityContext.Capabilities.Add) == 0 {
			c.SecurityContext.Capabilities.Add = []corev1.Capability{"NET_BIND_SERVICE"}
		}
	}
	for _, name := range l.Capabilities {
		c.SecurityContext.Capabilities.Add = append(c.SecurityContext.Capabilities.Add, corev1.Capability(name))
	}
	if r := l.Ready; r != nil {
		// A second is the shortest period, and a minute is what the program gets to come up.
		c.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, FailureThreshold: 3, TimeoutSeconds: 1}
		if r.Path != "" {
			c.ReadinessProbe.HTTPGet = &corev1.HTTPGetAction{Path: r.Path, Port: intstr.FromInt32(r.Port)}
		} else {
			c.ReadinessProbe.TCPSocket = &corev1.TCPSocketAction{Port: intstr.FromInt32(r.Port)}
		}
	}
	return c
}

func (l *Local) servicePorts() []corev1.ServicePort {
	var out []corev1.ServicePort
	for _, p := range l.Ports {
		if !p.Internal {
			out = append(out, corev1.ServicePort{Name: p.Name, Port: p.Port, TargetPort: intstr.FromString(p.Name), Protocol: corev1.Protocol(p.protocol())})
		}
	}
	return out
}

// plain is an object as it is written down: without status and without the
// empty fields that Go's types would add.
func plain(o any) (*unstructured.Unstructured, error) {
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, err
	}
	delete(m, "status")
	prune(m)
	return &unstructured.Unstructured{Object: m}, nil
}

func prune(m map[string]any) {
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case map[string]any:
			if prune(v); len(v) == 0 {
				delete(m, k)
			}
		case []any:
			for _, item := range v {
				if o, ok := item.(map[string]any); ok {
					prune(o)
				}
			}
		}
	}
}
