package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/config"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// checkOptions refuses what the suite would overlook in its options file: keys
// it does not know, features and tests that do not exist, numbers without a
// unit. The suite then reads the file itself.
func checkOptions(data []byte) error {
	var opts suite.ConfigurableOptions
	if err := yaml.UnmarshalStrict(data, &opts); err != nil {
		return err
	}
	known := map[string]bool{}
	for f := range features.AllFeatures {
		known[string(f.Name)] = true
	}
	names := map[string]bool{}
	for _, t := range tests.ConformanceTests {
		names[t.ShortName] = true
		for _, f := range t.Features {
			known[string(f)] = true
		}
	}
	unknown := func(what string, values []string, known map[string]bool) error {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return known[v] })
		if len(values) == 0 {
			return nil
		}
		return fmt.Errorf("%s: this suite does not know %s", what, strings.Join(values, ", "))
	}
	return errors.Join(
		checkTimeouts(data),
		unknown("supportedFeatures", stringsOf(opts.SupportedFeatures), known),
		unknown("exemptFeatures", stringsOf(opts.ExemptFeatures), known),
		unknown("skipTests", opts.SkipTests, names),
	)
}

func stringsOf(list []features.FeatureName) []string {
	out := make([]string, 0, len(list))
	for _, f := range list {
		out = append(out, string(f))
	}
	return out
}

// checkTimeouts holds the keys of timeoutConfig against the suite's fields: its
// own decoder drops those it does not know, and reads a bare number as
// nanoseconds.
func checkTimeouts(data []byte) error {
	var file struct {
		TimeoutConfig map[string]json.RawMessage `json:"timeoutConfig"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return err
	}
	fields := map[string]reflect.Type{}
	for f := range reflect.TypeFor[config.TimeoutConfig]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			fields[name] = f.Type
		}
	}
	var errs []error
	for key, value := range file.TimeoutConfig {
		t, ok := fields[key]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("timeoutConfig: this suite does not know %s", key))
		case t == reflect.TypeFor[time.Duration]() && !strings.HasPrefix(string(value), `"`):
			errs = append(errs, fmt.Errorf("timeoutConfig.%s: %s has no unit; write \"30s\"", key, value))
		}
	}
	return errors.Join(errs...)
}
