package implementation

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
)

// APIVersion and Kind open every descriptor.
const (
	APIVersion = "causeway/v1alpha1"
	Kind       = "Implementation"
)

// Descriptor describes one implementation in one version.
type Descriptor struct {
	APIVersion string `json:"apiVersion" jsonschema:"enum=causeway/v1alpha1"`
	Kind       string `json:"kind" jsonschema:"enum=Implementation"`
	// Name is what the command line calls it, a DNS label.
	Name string `json:"name" jsonschema:"maxLength=40,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	// Implementation is copied into the official report.
	Implementation Identity `json:"implementation"`
	// GatewayClass is the class the suite's Gateways ask for. A mesh needs none.
	GatewayClass *GatewayClass `json:"gatewayClass,omitempty"`
	// Mesh says how the namespaces of the suite join the mesh.
	Mesh *Mesh `json:"mesh,omitempty"`
	// Channel is the channel of the Gateway API's CRDs that is installed.
	Channel string `json:"channel" jsonschema:"enum=standard,enum=experimental"`
	// Mode is the mode of operation that a report names, "default" when empty.
	Mode string `json:"mode,omitempty" jsonschema:"minLength=1,maxLength=63,pattern=^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"`
	// Profiles are the conformance profiles that are claimed.
	Profiles []string `json:"profiles" jsonschema:"minItems=1,uniqueItems=true,enum=GATEWAY-HTTP,enum=GATEWAY-GRPC,enum=GATEWAY-TLS,enum=GATEWAY-TCP,enum=GATEWAY-UDP,enum=MESH-HTTP,enum=MESH-GRPC"`
	// Features are those that are tested; inferred from the status of the
	// GatewayClass when left out.
	Features *Features `json:"features,omitempty"`
	// Timeouts replace those of the suite, by the keys of its timeoutConfig
	// (gatewayMustHaveAddress, requestTimeout, …), as Go durations.
	Timeouts map[string]string `json:"timeouts,omitempty"`
	// Addresses are for the tests of Gateways that ask for an address.
	Addresses *Addresses `json:"addresses,omitempty"`
	// Tests names tests that do not pass, and why.
	Tests *Tests `json:"tests,omitempty"`
	// Prepare is what is done between the suite's set-up and its tests, where its
	// namespaces and workloads stand. By the rules for reports such a report is
	// partial: the run "required some steps unexpected by the suite".
	Prepare *Prepare `json:"prepare,omitempty"`
	// Install holds one way of installation for each kind of cluster.
	Install []Method `json:"install" jsonschema:"minItems=1"`
	// Tested lists the kinds of cluster on which this very descriptor was run.
	Tested []Provider `json:"tested,omitempty" jsonschema:"uniqueItems=true,enum=embedded,enum=kind,enum=existing"`
	// Untested says why the other ways of installation were not run.
	Untested string `json:"untested,omitempty" jsonschema:"minLength=1"`

	origin string
}

// Origin is the file the descriptor was read from, or "catalogue/NAME.yaml".
func (d *Descriptor) Origin() string { return d.origin }

// Identity is the implementation section of an official report
// (https://github.com/kubernetes-sigs/gateway-api/blob/main/conformance/reports/README.md,
// "Reports rules").
type Identity struct {
	// Organization maintains the implementation.
	Organization string `json:"organization" jsonschema:"minLength=1"`
	// Project is unique within the organization.
	Project string `json:"project" jsonschema:"minLength=1"`
	// URL leads to the project.
	URL string `json:"url" jsonschema:"pattern=^https?://[^ ]+$"`
	// Contact lists GitHub names, teams, addresses or support pages.
	Contact []string `json:"contact" jsonschema:"minItems=1"`
	// Version is a snapshot: a release, tag or commit, never a branch.
	Version string `json:"version" jsonschema:"minLength=1"`
}

// GatewayClass is the class and who answers for it.
type GatewayClass struct {
	Name string `json:"name" jsonschema:"maxLength=253,pattern=^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"`
	// ControllerName is the controller that must accept the class, a
	// domain-prefixed path (GatewayClass.spec.controllerName).
	ControllerName string `json:"controllerName" jsonschema:"maxLength=253,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9/._~%!$&'()*+;=:-]+$"`
	// Create is set where neither chart nor manifests bring the class.
	Create bool `json:"create,omitempty"`
}

// Mesh carries the suite's options for meshes.
type Mesh struct {
	// Name is the XMesh whose status names the supported features.
	Name string `json:"name,omitempty" jsonschema:"minLength=1"`
	// NamespaceLabels are set on the namespaces of the suite.
	NamespaceLabels map[string]string `json:"namespaceLabels,omitempty"`
	// NamespaceAnnotations are set on the namespaces of the suite.
	NamespaceAnnotations map[string]string `json:"namespaceAnnotations,omitempty"`
}

// Features are the features that are tested.
type Features struct {
	// All takes every feature the suite knows and turns inference off.
	All bool `json:"all,omitempty"`
	// Supported lists features by name and turns inference off.
	Supported []string `json:"supported,omitempty" jsonschema:"uniqueItems=true"`
	// Exempt takes features away, from those inferred too. Core features of a
	// profile stay.
	Exempt []string `json:"exempt,omitempty" jsonschema:"uniqueItems=true"`
}

// Addresses are those a Gateway may ask for, and those it cannot get.
type Addresses struct {
	Usable   []Address `json:"usable,omitempty"`
	Unusable []Address `json:"unusable,omitempty"`
}

// Address is a GatewaySpecAddress.
type Address struct {
	Type  string `json:"type" jsonschema:"enum=IPAddress,enum=Hostname"`
	Value string `json:"value" jsonschema:"minLength=1"`
}

// Tests names tests that do not pass.
type Tests struct {
	// Skip keeps tests from being run. The report says so and becomes partial.
	Skip []Excuse `json:"skip,omitempty"`
	// KnownToFail are run all the same and are no surprise when they fail.
	KnownToFail []Excuse `json:"knownToFail,omitempty"`
}

// Excuse is one test and the reason why it does not pass.
type Excuse struct {
	// Name is the suite's short name, HTTPRouteWeight.
	Name   string `json:"name" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9]*$"`
	Reason string `json:"reason" jsonschema:"minLength=1"`
	// Suites are the versions of the suite, v1.7, that it is for; all of them
	// when left out.
	Suites []string `json:"suites,omitempty" jsonschema:"minItems=1,uniqueItems=true,pattern=^v[0-9]+[.][0-9]+$"`
}

// overlaps reports whether both are about one test of one suite.
func (e Excuse) overlaps(other Excuse) bool {
	return e.Name == other.Name && (len(e.Suites) == 0 || len(other.Suites) == 0 ||
		slices.ContainsFunc(e.Suites, func(s string) bool { return slices.Contains(other.Suites, s) }))
}

// Prepare is done between the suite's set-up and its tests.
type Prepare struct {
	// Steps are taken in this order.
	Steps []PrepareStep `json:"steps" jsonschema:"minItems=1"`
	// Wait lists what must be so before the tests may begin.
	Wait []Wait `json:"wait,omitempty"`
}

// PrepareStep is one action; exactly one of manifests and labels is set.
type PrepareStep struct {
	// Why says what the step is for, to those who read the report.
	Why       string     `json:"why" jsonschema:"minLength=1"`
	Manifests *Manifests `json:"manifests,omitempty"`
	Labels    *Labels    `json:"labels,omitempty"`
}

// Labels changes labels of an object that is there.
type Labels struct {
	APIVersion string `json:"apiVersion" jsonschema:"pattern=^([a-z0-9.-]+/)?v[0-9a-z]+$"`
	Kind       string `json:"kind" jsonschema:"pattern=^[A-Z][A-Za-z0-9]*$"`
	Namespace  string `json:"namespace,omitempty" jsonschema:"maxLength=63,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	Name       string `json:"name" jsonschema:"minLength=1"`
	// Set gives labels their values.
	Set map[string]string `json:"set,omitempty"`
	// Remove takes labels away, by name.
	Remove []string `json:"remove,omitempty" jsonschema:"uniqueItems=true"`
}

// Provider is a kind of cluster.
type Provider string

// Providers, in the order they are shown.
const (
	Embedded    Provider = "embedded"
	KindCluster Provider = "kind"
	Existing    Provider = "existing"
)

// Providers lists them.
var Providers = []Provider{Embedded, KindCluster, Existing}

// Method is one way of installation.
type Method struct {
	// On lists the kinds of cluster it is for.
	On []Provider `json:"on" jsonschema:"minItems=1,uniqueItems=true,enum=embedded,enum=kind,enum=existing"`
	// Namespace is created first and is where namespaced things go.
	Namespace string `json:"namespace" jsonschema:"maxLength=63,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	// Note says what else the cluster needs, for people.
	Note string `json:"note,omitempty" jsonschema:"minLength=1"`
	// Steps are taken in this order. None means that it is there already.
	Steps []Step `json:"steps,omitempty"`
	// Wait lists what must be so before the suite may begin. That the
	// GatewayClass is accepted is always waited for.
	Wait []Wait `json:"wait,omitempty"`
	// Timeout bounds the waiting, a Go duration ("3m"); DefaultTimeout when empty.
	Timeout string `json:"timeout,omitempty" jsonschema:"pattern=^([0-9]+(ms|s|m|h))+$"`
	// Logs says where to find the logs of controller and data plane.
	Logs []Logs `json:"logs,omitempty"`
}

// Step is one action; exactly one field is set.
type Step struct {
	Helm      *Helm      `json:"helm,omitempty"`
	Manifests *Manifests `json:"manifests,omitempty"`
	Local     *Local     `json:"local,omitempty"`
}

// Helm installs one release of a chart.
type Helm struct {
	// Release names the release.
	Release string `json:"release" jsonschema:"maxLength=53,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	// Repository is the address of a chart repository, https:// or oci://.
	// Without it the chart is a folder or archive beside the descriptor.
	Repository string `json:"repository,omitempty" jsonschema:"pattern=^(https|oci)://[^ ]+$"`
	// Chart is the chart's name in the repository.
	Chart string `json:"chart" jsonschema:"minLength=1"`
	// Version is the exact version of the chart, never a range.
	Version string `json:"version,omitempty" jsonschema:"pattern=^v?[0-9]+[.][0-9]+[.][0-9]+(-[0-9A-Za-z.-]+)?([+][0-9A-Za-z.-]+)?$"`
	// Namespace of the release; the method's when empty.
	Namespace string `json:"namespace,omitempty" jsonschema:"maxLength=63,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	// Values are those of the chart.
	Values map[string]any `json:"values,omitempty"`
	// Authority makes certificates for this installation and hands them to the
	// chart.
	Authority *Authority `json:"authority,omitempty"`
	// SkipCRDs leaves the chart's crds folder out, for charts that would bring
	// CRDs of the Gateway API of another release.
	SkipCRDs bool `json:"skipCRDs,omitempty"`
}

// Authority is a trust anchor and an issuer below it, both made anew for each
// installation and good for a day (ECDSA P-256). The anchor's key is forgotten.
type Authority struct {
	// Root and Issuer are the common names.
	Root   string `json:"root" jsonschema:"minLength=1,maxLength=64"`
	Issuer string `json:"issuer" jsonschema:"minLength=1,maxLength=64"`
	// Values are where the chart wants them, in PEM.
	Values AuthorityValues `json:"values"`
}

// AuthorityValues are paths of values, "identity.issuer.tls.crtPEM".
type AuthorityValues struct {
	Root        string `json:"root" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9]*([.][A-Za-z][A-Za-z0-9]*)*$"`
	Certificate string `json:"certificate" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9]*([.][A-Za-z][A-Za-z0-9]*)*$"`
	Key         string `json:"key" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9]*([.][A-Za-z][A-Za-z0-9]*)*$"`
}

// Manifests applies objects by server-side apply.
type Manifests struct {
	// URLs are fetched over https.
	URLs []URL `json:"urls,omitempty"`
	// Files are paths relative to the descriptor, and never lead out of its folder.
	Files []string `json:"files,omitempty"`
	// Objects stand in the descriptor itself.
	Objects []map[string]any `json:"objects,omitempty"`
}

// URL is an address with the checksum of what it must answer.
type URL struct {
	URL string `json:"url" jsonschema:"pattern=^https://[^ ]+$"`
	// SHA256 of the answer in hexadecimal. Without it the answer is trusted.
	SHA256 string `json:"sha256,omitempty" jsonschema:"pattern=^[0-9a-f]{64}$"`
}

// Local runs a program that the embedded cluster knows by its image, as a
// Deployment with an account of its own.
type Local struct {
	// Component names the Deployment, its Service and its ServiceAccount.
	Component string `json:"component" jsonschema:"maxLength=40,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	// Image is the name under which the cluster knows the program.
	Image string `json:"image" jsonschema:"minLength=1"`
	// Self says that the program is this causeway executable, and not one
	// called like the component.
	Self bool     `json:"self,omitempty"`
	Args []string `json:"args,omitempty"`
	// Env sets variables of the environment.
	Env map[string]string `json:"env,omitempty"`
	// Rules are all that the program may do in the whole cluster.
	Rules []rbacv1.PolicyRule `json:"rules,omitempty"`
	// NamespaceRules are what it may do in its own namespace besides.
	NamespaceRules []rbacv1.PolicyRule `json:"namespaceRules,omitempty"`
	// Ports are opened in the container and in the Service.
	Ports []Port `json:"ports,omitempty"`
	// HostNetwork has the program run in the network of the node.
	HostNetwork bool `json:"hostNetwork,omitempty"`
	// Capabilities are those of Linux that the program gets. To bind a port
	// below 1024 none has to be named.
	Capabilities []string `json:"capabilities,omitempty" jsonschema:"uniqueItems=true,enum=NET_ADMIN"`
	// ServiceType is ClusterIP or LoadBalancer; LoadBalancer when empty.
	ServiceType string `json:"serviceType,omitempty" jsonschema:"enum=ClusterIP,enum=LoadBalancer"`
	// Ready is asked before traffic goes to it.
	Ready *Probe `json:"ready,omitempty"`
}

// Port is one port of a Local.
type Port struct {
	Name     string `json:"name" jsonschema:"maxLength=15,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	Port     int32  `json:"port" jsonschema:"minimum=1,maximum=65535"`
	Protocol string `json:"protocol,omitempty" jsonschema:"enum=TCP,enum=UDP"`
	// Internal ports are not part of the Service.
	Internal bool `json:"internal,omitempty"`
}

// Probe asks over HTTP, or only connects when Path is empty.
type Probe struct {
	Path string `json:"path,omitempty" jsonschema:"pattern=^/"`
	Port int32  `json:"port" jsonschema:"minimum=1,maximum=65535"`
}

// Wait is a condition of one object, or of every object that a selector finds.
type Wait struct {
	APIVersion string `json:"apiVersion" jsonschema:"pattern=^([a-z0-9.-]+/)?v[0-9a-z]+$"`
	Kind       string `json:"kind" jsonschema:"pattern=^[A-Z][A-Za-z0-9]*$"`
	Namespace  string `json:"namespace,omitempty" jsonschema:"maxLength=63,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	Name       string `json:"name,omitempty" jsonschema:"minLength=1"`
	// Selector finds objects by label, at least one. Name or Selector is set.
	Selector string `json:"selector,omitempty" jsonschema:"minLength=1"`
	// Condition is the type of a status condition that must be True for the
	// object's generation. Without it the object must be current, by the rules
	// of kstatus: rolled out, available, established.
	Condition string `json:"condition,omitempty" jsonschema:"pattern=^[A-Za-z][A-Za-z0-9./-]*$"`
}

// Logs selects pods.
type Logs struct {
	Namespace string `json:"namespace" jsonschema:"maxLength=63,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"`
	// Selector of labels; every pod of the namespace when empty.
	Selector string `json:"selector,omitempty" jsonschema:"minLength=1"`
	// Container; every container when empty.
	Container string `json:"container,omitempty" jsonschema:"minLength=1"`
}
