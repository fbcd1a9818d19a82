package harness

import (
	"cmp"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// listing is what a suite holds, as JSON for the driver.
type listing struct {
	Version        string       `json:"version"` // of the Gateway API, "v1.6.3"
	Profiles       []profile    `json:"profiles"`
	Features       []feature    `json:"features"`
	Tests          []listedTest `json:"tests"` // in the order they run
	Images         []string     `json:"images"`
	Namespaces     []string     `json:"namespaces"`     // that its manifests make
	GatewayClasses []string     `json:"gatewayClasses"` // the same
}

type profile struct {
	Name     string                 `json:"name"`
	Core     []features.FeatureName `json:"core"`
	Extended []features.FeatureName `json:"extended"`
}

type feature struct {
	Name    features.FeatureName    `json:"name"`
	Channel features.FeatureChannel `json:"channel,omitempty"`
}

type listedTest struct {
	Name        string                 `json:"name"`
	Description string                 `json:"description,omitempty"`
	Features    []features.FeatureName `json:"features"`
	Parallel    bool                   `json:"parallel,omitempty"`
	Provisional bool                   `json:"provisional,omitempty"`
	Slow        bool                   `json:"slow,omitempty"`
}

func list(w io.Writer, profiles []suite.ConformanceProfile) error {
	out := listing{Version: consts.BundleVersion}
	channels := map[features.FeatureName]features.FeatureChannel{}
	for f := range features.AllFeatures {
		channels[f.Name] = f.Channel
	}
	for _, p := range profiles {
		out.Profiles = append(out.Profiles, profile{
			Name:     string(p.Name),
			Core:     slices.Sorted(maps.Keys(p.CoreFeatures)),
			Extended: slices.Sorted(maps.Keys(p.ExtendedFeatures)),
		})
	}
	for _, t := range tests.ConformanceTests {
		out.Tests = append(out.Tests, listedTest{
			Name: t.ShortName, Description: t.Description, Features: t.Features,
			Parallel: t.Parallel, Provisional: t.Provisional, Slow: t.Slow,
		})
		for _, f := range t.Features {
			if _, ok := channels[f]; !ok {
				channels[f] = "" // used by a test, but in no list of features
			}
		}
	}
	for name, channel := range channels {
		out.Features = append(out.Features, feature{name, channel})
	}
	slices.SortFunc(out.Features, func(a, b feature) int { return cmp.Compare(a.Name, b.Name) })
	var err error
	if out.Images, out.Namespaces, out.GatewayClasses, err = manifests(conformance.Manifests); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(out)
}

var (
	imageLine = regexp.MustCompile(`(?m)^\s*(?:- )?image:\s*"?([^\s"#]+)`)
	madeLine  = regexp.MustCompile(`(?m)^kind: (Namespace|GatewayClass)\nmetadata:\n(?:  [^\n]*\n)*?  name: (\S+)`)
)

// manifests are the images that the suite's manifests name, and what they make
// outside namespaces. Tests are templates in places, so text is searched, not
// objects.
func manifests(files fs.FS) (images, namespaces, classes []string, err error) {
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !yamlFile.MatchString(path) {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		for _, m := range imageLine.FindAllSubmatch(text, -1) {
			images = append(images, string(m[1]))
		}
		for _, m := range madeLine.FindAllSubmatch(text, -1) {
			if string(m[1]) == "Namespace" {
				namespaces = append(namespaces, string(m[2]))
			} else {
				classes = append(classes, string(m[2]))
			}
		}
		return nil
	})
	return unique(images), unique(namespaces), unique(classes), err
}

var yamlFile = regexp.MustCompile(`\.ya?ml$`)

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
