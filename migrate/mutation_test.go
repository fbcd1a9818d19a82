package migrate_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

func tableOf(objs []client.Object) *routing.Table {
	t := compile.Compile(objs, compile.Options{Reading: migrate.Usual}).Table
	t.Freeze()
	return t
}

// crowd asks requests that are drawn blindly from the words of the objects, to
// see a difference without the help of witnesses. It is no oracle for equality.
type crowd struct {
	hosts, paths, headers, values []string
	schemes                       []string
	random                        *rand.Rand
}

func newCrowd(objs []client.Object, seed uint64) *crowd {
	c := &crowd{random: rand.New(rand.NewPCG(seed, 1)), schemes: []string{"http", "https"}, hosts: []string{"other.test", "mutant.example.com"}, paths: []string{"/", "/mutant"}, headers: []string{"X-Mutant"}, values: []string{"1", "x"}}
	add := func(list *[]string, s string) {
		if !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for _, o := range objs {
		switch x := o.(type) {
		case *gwv1.GRPCRoute:
			for _, h := range x.Spec.Hostnames {
				add(&c.hosts, string(h))
			}
		case *gwv1.HTTPRoute:
			for _, h := range x.Spec.Hostnames {
				add(&c.hosts, strings.Replace(string(h), "*", "w", 1))
			}
			for _, r := range x.Spec.Rules {
				for _, m := range r.Matches {
					if m.Path != nil {
						add(&c.paths, *m.Path.Value)
					}
					for _, h := range m.Headers {
						add(&c.headers, string(h.Name))
						add(&c.values, h.Value)
					}
				}
			}
		}
	}
	return c
}

func (c *crowd) pick(list []string) string { return list[c.random.IntN(len(list))] }

func (c *crowd) request() *routing.Request {
	r := &routing.Request{Scheme: c.pick(c.schemes), Host: c.pick(c.hosts), Path: c.pick(c.paths), Method: c.pick([]string{"GET", "GET", "POST"})}
	switch c.random.IntN(6) {
	case 0:
		r.Path = strings.TrimSuffix(r.Path, "/") + c.pick([]string{"/", "/x", "x", "/mutant"})
	case 1:
		r.Path = strings.ToUpper(r.Path)
	case 2:
		r.Path = r.Path[:max(1, len(r.Path)-1)]
	}
	if c.random.IntN(3) == 0 {
		r.Headers = map[string]string{c.pick(c.headers): c.pick(c.values)}
	}
	return r
}

// sees reports a request at which the tables differ.
func (c *crowd) sees(a, b *routing.Table, asked int) *routing.Request {
	for range asked {
		r := c.request()
		x, y := a.Route(r), b.Route(r)
		if verify.Differ(&x, &y) != 0 {
			return r
		}
	}
	return nil
}

// TestMutations plants mistakes in converted fixtures. Every one that changes
// what happens to some request must be found: a difference that verification
// reports is its own proof, and one that a crowd of blind requests sees but
// verification does not is a miss. Rewrites that the specification calls equal
// must be called equal.
func TestMutations(t *testing.T) {
	var planted, found, missed, neutral, rewritten, equal int
	kinds := map[string]int{}
	for _, set := range mutationSets(t) {
		before := tableOf(set.objects)
		for n, m := range mutations(set.objects) {
			if set.every > 1 && n%set.every != 0 {
				continue
			}
			objs, ok := m.do(deepCopy(set.objects))
			if !ok {
				continue
			}
			planted++
			after := tableOf(objs)
			v, err := verify.Compare(t.Context(), before, after, verify.Options{})
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case !v.Equal():
				found++
				kinds[strings.SplitN(m.name, " in ", 2)[0]]++
			default:
				if r := newCrowd(set.objects, uint64(n)).sees(before, after, 10_000); r != nil {
					missed++
					t.Errorf("%s: %s: not found, though %s differs", set.name, m.name, probe(r))
					continue
				}
				neutral++
			}
		}
		for _, m := range rewrites(set.objects) {
			objs, ok := m.do(deepCopy(set.objects))
			if !ok {
				continue
			}
			rewritten++
			v, err := verify.Compare(t.Context(), before, tableOf(objs), verify.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if v.Equal() {
				equal++
			}
			for _, d := range v.Differences {
				t.Errorf("%s: %s is equal, but %s differs in %s: %s, %s", set.name, m.name, probe(&d.Request), d.Aspects, why(d.Before), why(d.After))
				break
			}
		}
	}
	fmt.Printf("mutations: %d planted; %d of %d that change routing are found; %d change nothing that a request can see\n", planted, found, found+missed, neutral)
	fmt.Printf("equivalent rewrites: %d of %d called equal\n", equal, rewritten)
	if t.Failed() {
		return
	}
	if found < 300 || rewritten < 100 {
		t.Errorf("only %d mutations and %d rewrites", found, rewritten)
	}
	if len(kinds) < 30 {
		t.Errorf("only %d kinds of mutations were found: %v", len(kinds), kinds)
	}
	if neutral*4 > planted {
		t.Errorf("%d of %d mutations change nothing: the test is weaker than it looks", neutral, planted)
	}
}

type mutationSet struct {
	name    string
	objects []client.Object
	every   int // plant every so many mutations
}

func mutationSets(t *testing.T) []mutationSet {
	t.Helper()
	inputs, _ := filepath.Glob("../fixtures/traps/*/input.yaml")
	inputs = append(inputs, "../fixtures/shop")
	var out []mutationSet
	for _, in := range inputs {
		for _, channel := range []gatewayapi.Channel{gatewayapi.Standard, gatewayapi.Experimental} {
			o := migrate.Options{Emit: emit.Options{Version: gatewayapi.Default, Channel: channel, DefaultCertificate: "certs/default", AllowUnguarded: channel == gatewayapi.Experimental}}
			if channel == gatewayapi.Experimental {
				o.Emit.Gateway.Kind = emit.TeamListeners
			}
			res := run(t, readLoosely(t, in), o)
			if len(res.Objects) == 0 {
				continue
			}
			s := mutationSet{name: filepath.Base(filepath.Dir(in)) + " " + string(channel), objects: res.Objects}
			if len(mutations(res.Objects)) > 200 {
				s.every = 1 + len(mutations(res.Objects))/100
			}
			out = append(out, s)
		}
	}
	return out
}
