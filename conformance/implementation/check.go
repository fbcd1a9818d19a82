package implementation

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/causeway-gateway/causeway/internal/yamltree"
)

// DefaultTimeout bounds the waiting of a [Method] that does not say otherwise.
const DefaultTimeout = 3 * time.Minute

// checker collects what a schema cannot say: rules between fields.
type checker struct {
	doc      *yamltree.Document
	problems []*yamltree.Error
}

func (c *checker) add(path string, format string, args ...any) {
	c.problems = append(c.problems, c.doc.Errorf(strings.Split(path, "/"), format, args...))
}

func (d *Descriptor) check(doc *yamltree.Document) []*yamltree.Error {
	c := &checker{doc: doc}
	d.checkClaims(c)
	seen := map[Provider]bool{}
	for i := range d.Install {
		m, at := &d.Install[i], "install/"+strconv.Itoa(i)
		for j, p := range m.On {
			if seen[p] {
				c.add(fmt.Sprintf("%s/on/%d", at, j), "%s has a way of installation already", p)
			}
			seen[p] = true
		}
		m.check(c, at)
	}
	d.Prepare.check(c)
	for i, p := range d.Tested {
		if !seen[p] {
			c.add(fmt.Sprintf("tested/%d", i), "there is no way of installation on %s", p)
		}
		delete(seen, p)
	}
	delete(seen, Existing) // a cluster of the user's own is nobody else's to test
	if len(seen) > 0 && d.Untested == "" {
		c.add("untested", "say why it was not tested on %s", strings.Join(names(seen), ", "))
	}
	return c.problems
}

func names(set map[Provider]bool) []string {
	var out []string
	for _, p := range Providers {
		if set[p] {
			out = append(out, string(p))
		}
	}
	return out
}

func (d *Descriptor) checkClaims(c *checker) {
	if d.GatewayClass == nil && slices.ContainsFunc(d.Profiles, isGatewayProfile) {
		c.add("gatewayClass", "the profiles of gateways need a class")
	}
	if v := d.Implementation.Version; slices.Contains([]string{"main", "master", "latest", "head", "edge", "nightly"}, strings.ToLower(v)) {
		c.add("implementation/version", "%q moves; a version is a release, a tag or a commit", v)
	}
	if f := d.Features; f != nil {
		if f.All && len(f.Supported) > 0 {
			c.add("features/supported", "all features are supported already")
		}
		for i, name := range f.Exempt {
			if !f.All && len(f.Supported) > 0 && !slices.Contains(f.Supported, name) {
				c.add("features/exempt/"+strconv.Itoa(i), "%s is not among the supported features", name)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.Timeouts)) {
		if t, err := time.ParseDuration(d.Timeouts[key]); err != nil || t <= 0 {
			c.add("timeouts/"+key, "%q is no duration such as 30s", d.Timeouts[key])
		}
	}
	if t := d.Tests; t != nil {
		checkTwice(c, "tests/skip/", t.Skip)
		checkTwice(c, "tests/knownToFail/", t.KnownToFail)
		for i, e := range t.KnownToFail {
			if slices.ContainsFunc(t.Skip, e.overlaps) {
				c.add("tests/knownToFail/"+strconv.Itoa(i), "%s is skipped, so it cannot fail", e.Name)
			}
		}
	}
}

func checkTwice(c *checker, at string, list []Excuse) {
	for i, e := range list {
		if slices.ContainsFunc(list[:i], e.overlaps) {
			c.add(at+strconv.Itoa(i), "%s is there already for that suite", e.Name)
		}
	}
}

func isGatewayProfile(p string) bool { return strings.HasPrefix(p, "GATEWAY-") }

func (m *Method) check(c *checker, at string) {
	if m.Timeout != "" {
		if t, err := time.ParseDuration(m.Timeout); err != nil || t < time.Second || t > time.Hour {
			c.add(at+"/timeout", "%s is not between 1s and 1h", m.Timeout)
		}
	}
	for i := range m.Steps {
		m.Steps[i].check(c, fmt.Sprintf("%s/steps/%d", at, i), m)
	}
	checkWaits(c, at, m.Wait)
	for i, l := range m.Logs {
		checkSelector(c, fmt.Sprintf("%s/logs/%d/selector", at, i), l.Selector)
	}
}

func checkWaits(c *checker, at string, waits []Wait) {
	for i, w := range waits {
		where := fmt.Sprintf("%s/wait/%d", at, i)
		if (w.Name == "") == (w.Selector == "") {
			c.add(where, "give either name or selector")
		}
		checkSelector(c, where+"/selector", w.Selector)
	}
}

func checkSelector(c *checker, path, selector string) {
	if _, err := labels.Parse(selector); err != nil {
		c.add(path, "%v", err)
	}
}

func (s *Step) check(c *checker, at string, m *Method) {
	set := 0
	for _, is := range []bool{s.Helm != nil, s.Manifests != nil, s.Local != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		c.add(at, "a step is exactly one of helm, manifests and local")
		return
	}
	switch {
	case s.Helm != nil:
		s.Helm.check(c, at+"/helm")
	case s.Manifests != nil:
		s.Manifests.check(c, at+"/manifests")
	default:
		s.Local.check(c, at+"/local")
		if i := slices.IndexFunc(m.On, func(p Provider) bool { return p != Embedded }); i >= 0 {
			c.add(at+"/local", "%s runs images, not programs: only the embedded cluster takes local, and with --local-images a kind cluster uses its method", m.On[i])
		}
	}
}

func (p *Prepare) check(c *checker) {
	if p == nil {
		return
	}
	for i, s := range p.Steps {
		at := "prepare/steps/" + strconv.Itoa(i)
		switch {
		case (s.Manifests == nil) == (s.Labels == nil):
			c.add(at, "a step is exactly one of manifests and labels")
		case s.Manifests != nil:
			s.Manifests.check(c, at+"/manifests")
		case len(s.Labels.Set)+len(s.Labels.Remove) == 0:
			c.add(at+"/labels", "give labels to set or to remove")
		}
	}
	checkWaits(c, "prepare", p.Wait)
}

func (h *Helm) check(c *checker, at string) {
	switch {
	case h.Repository != "" && h.Version == "":
		c.add(at, "version is missing: a chart from a repository is pinned")
	case h.Repository == "" && !local(h.Chart):
		c.add(at+"/chart", "%q leads out of the descriptor's folder, or repository is missing", h.Chart)
	}
}

func (m *Manifests) check(c *checker, at string) {
	if len(m.URLs)+len(m.Files)+len(m.Objects) == 0 {
		c.add(at, "give urls, files or objects")
	}
	for i, f := range m.Files {
		if !local(f) {
			c.add(fmt.Sprintf("%s/files/%d", at, i), "%q leads out of the descriptor's folder", f)
		}
	}
	for i, o := range m.Objects {
		where := fmt.Sprintf("%s/objects/%d", at, i)
		meta, _ := o["metadata"].(map[string]any)
		for _, need := range []struct {
			name  string
			value any
		}{{"apiVersion", o["apiVersion"]}, {"kind", o["kind"]}, {"metadata.name", meta["name"]}} {
			if text, ok := need.value.(string); !ok || text == "" {
				c.add(where, "%s is missing", need.name)
			}
		}
	}
}

func local(path string) bool { return filepath.IsLocal(filepath.FromSlash(path)) }

func (l *Local) check(c *checker, at string) {
	taken := map[string]bool{}
	for i, p := range l.Ports {
		number := fmt.Sprintf("%d/%s", p.Port, p.protocol())
		for _, key := range []string{p.Name, number} {
			if taken[key] {
				c.add(fmt.Sprintf("%s/ports/%d", at, i), "%s is there already", key)
			}
			taken[key] = true
		}
	}
	if l.Ready != nil && !taken[fmt.Sprintf("%d/TCP", l.Ready.Port)] {
		c.add(at+"/ready/port", "%d is not among the ports", l.Ready.Port)
	}
	for i, r := range l.Rules {
		if slices.Contains(r.Verbs, "*") || slices.Contains(r.Resources, "*") && slices.Contains(r.APIGroups, "*") {
			c.add(fmt.Sprintf("%s/rules/%d", at, i), "a program under test gets the rights it documents, not all of them")
		}
	}
}

func (p Port) protocol() string {
	if p.Protocol == "" {
		return "TCP"
	}
	return p.Protocol
}
