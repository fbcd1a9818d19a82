package run

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

// suiteOptions is the suite's own options file (ConfigurableOptions of its
// utils/suite). The suite binary refuses keys and names it does not know.
type suiteOptions struct {
	// GatewayClassName is always written: left out, the suite's own default would
	// be asked for features.
	GatewayClassName         string            `json:"gatewayClassName"`
	MeshName                 string            `json:"meshName,omitempty"`
	NamespaceLabels          map[string]string `json:"namespaceLabels,omitempty"`
	NamespaceAnnotations     map[string]string `json:"namespaceAnnotations,omitempty"`
	ReportOutputPath         string            `json:"reportOutputPath,omitempty"`
	CleanupBaseResources     bool              `json:"cleanupBaseResources"`
	CleanupTestResources     bool              `json:"cleanupTestResources"`
	SupportedFeatures        []string          `json:"supportedFeatures,omitempty"`
	SkipTests                []string          `json:"skipTests,omitempty"`
	TimeoutConfig            map[string]string `json:"timeoutConfig,omitempty"`
	DisableParallelTests     bool              `json:"disableParallelTests,omitempty"`
	FailFast                 bool              `json:"failFast,omitempty"`
	Mode                     string            `json:"mode,omitempty"`
	Implementation           *implementation   `json:"implementation,omitempty"`
	ConformanceProfiles      []string          `json:"conformanceProfiles,omitempty"`
	UsableNetworkAddresses   []Address         `json:"usableNetworkAddresses,omitempty"`
	UnusableNetworkAddresses []Address         `json:"unusableNetworkAddresses,omitempty"`
}

// implementation is the part of the official report that names who was tested.
type implementation struct {
	Organization string   `json:"organization"`
	Project      string   `json:"project"`
	URL          string   `json:"url"`
	Version      string   `json:"version"`
	Contact      []string `json:"contact"`
}

// optionsFor are the suite's options for one attempt. Tests are chosen by
// skipTests, and never by runTest, which would ignore features; nor by
// exemptFeatures, which would turn inference off, so that features are listed
// when any is exempt. report is empty for an attempt whose report nobody wants.
func optionsFor(o *Options, p *Plan, tests []string, alone bool, report string) suiteOptions {
	impl := &o.Implementation
	out := suiteOptions{
		GatewayClassName: impl.GatewayClass, MeshName: impl.Mesh,
		NamespaceLabels: impl.NamespaceLabels, NamespaceAnnotations: impl.NamespaceAnnotations,
		ReportOutputPath: report, CleanupBaseResources: true, CleanupTestResources: true,
		TimeoutConfig: impl.Timeouts, DisableParallelTests: alone, FailFast: o.FailFast, Mode: impl.Mode,
		ConformanceProfiles:    p.Profiles,
		UsableNetworkAddresses: impl.UsableAddresses, UnusableNetworkAddresses: impl.UnusableAddresses,
	}
	if !impl.infers() || len(impl.Exempt) > 0 {
		out.SupportedFeatures = p.Features
	}
	for _, t := range p.Tests {
		// A test the suite itself leaves out for want of a feature is reported so,
		// and not as skipped.
		if t.excluded || t.Runs && !slices.Contains(tests, t.Name) {
			out.SkipTests = append(out.SkipTests, t.Name)
		}
	}
	if report != "" {
		out.Implementation = &implementation{impl.Organization, impl.Project, impl.URL, impl.Version, impl.Contact}
	}
	return out
}

// reportable says what keeps the suite from writing a report, which wants to
// know whose it is; empty if nothing does.
func (i *Implementation) reportable() string {
	for _, f := range []struct{ name, value string }{
		{"organization", i.Organization}, {"project", i.Project}, {"url", i.URL}, {"version", i.Version},
	} {
		if f.value == "" {
			return "the implementation's " + f.name + " is not known"
		}
	}
	if len(i.Contact) == 0 {
		return "the implementation's contact is not known"
	}
	return ""
}

func (s suiteOptions) write(path string) error {
	data, err := yaml.Marshal(s)
	if err != nil {
		return fmt.Errorf("writing the suite's options: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing the suite's options: %w", err)
	}
	return os.WriteFile(path, data, 0o644)
}
