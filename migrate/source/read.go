package source

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"github.com/causeway-gateway/causeway/internal/parallel"
)

// Read reads everything the options name. The Set holds all objects that could
// be read, in input order; each document or object that could not be is a
// DocumentError. The error is for input that cannot be read as a whole: a file
// that does not exist, too many bytes, a context that ended.
func Read(ctx context.Context, o Options) (*Set, []*DocumentError, error) {
	files, problems, err := gather(ctx, &o)
	if err != nil {
		return nil, problems, err
	}
	var chunks []chunk
	for _, f := range files {
		if f.rendered {
			chunks = append(chunks, chunk{file: f.name, text: f.content, line: 1, rendered: true})
			continue
		}
		chunks = append(chunks, splitDocuments(f.name, f.content)...)
	}
	results, err := parseAll(ctx, chunks, &reader{namespace: o.namespace()})
	if err != nil {
		return nil, problems, err
	}
	a := assembler{}
	for i := range results {
		problems = append(problems, results[i].errs...)
		a.add(results[i].entries)
	}
	set, warnings := a.set()
	problems = append(problems, warnings...)
	set.Complete = o.Complete && !anyLost(problems)
	return set, problems, nil
}

func (o *Options) namespace() string {
	if o.Namespace == "" {
		return corev1.NamespaceDefault
	}
	return o.Namespace
}

func anyLost(problems []*DocumentError) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

type result struct {
	entries []*entry
	errs    []*DocumentError
}

// parseAll parses documents on all processors; results are in input order.
func parseAll(ctx context.Context, chunks []chunk, r *reader) ([]result, error) {
	results := make([]result, len(chunks))
	var aliased atomic.Int64
	const batch = 16
	parallel.Chunks(ctx, len(chunks), batch, func(_, from, to int) {
		part := chunks[from:to]
		trees := parseBatch(part, &aliased)
		for i := range part {
			if trees[i] != nil {
				results[from+i] = r.objectsOf(&part[i], trees[i])
				continue
			}
			results[from+i] = r.parse(&part[i], &aliased)
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reading the input: %w", err)
	}
	return results, nil
}

// parse reads one document. A panic in a parser is that document's problem.
func (r *reader) parse(c *chunk, aliased *atomic.Int64) (res result) {
	defer func() {
		if p := recover(); p != nil {
			res = result{errs: []*DocumentError{{File: c.file, Line: c.line,
				Err: errors.New("the document cannot be parsed"), Remedy: "check its syntax"}}}
		}
	}()
	t, fault := parseChunk(c, aliased)
	if fault != nil {
		if c.rendered {
			fault.line = 0
		}
		return result{errs: []*DocumentError{{File: c.file, Line: fault.line, Err: fault.err, Remedy: fault.remedy}}}
	}
	return r.objectsOf(c, t)
}

func (r *reader) objectsOf(c *chunk, t *tree) (res result) {
	res.entries, res.errs = r.objects(c, t)
	return res
}

func parseChunk(c *chunk, aliased *atomic.Int64) (*tree, *faultAt) {
	if at := invalidUTF8(c.text); at >= 0 {
		return nil, &faultAt{line: c.line + strings.Count(string(c.text[:at]), "\n"),
			err: errors.New("the text is not UTF-8"), remedy: "save the file as UTF-8"}
	}
	if !c.json {
		return parseYAML(c, aliased)
	}
	t, fault := parseJSON(c)
	if fault == nil {
		return t, nil
	}
	// Flow YAML can look like JSON and use more, such as comments.
	if t, yamlFault := parseYAML(c, aliased); yamlFault == nil {
		return t, nil
	}
	return nil, fault
}

func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// identity is what makes two objects the same one for an API server, whatever
// version they are written in.
type identity struct{ group, kind, namespace, name string }

// assembler puts objects into a Set.
type assembler struct {
	entries []*entry
	seen    map[identity]int
	warn    []*DocumentError
}

// add takes entries in input order. When an object comes twice the last wins,
// as it does with kubectl apply.
func (a *assembler) add(entries []*entry) {
	if a.seen == nil {
		a.seen = make(map[identity]int)
	}
	for _, e := range entries {
		id := identity{e.group, e.obj.Ref.Kind, e.obj.Ref.Namespace, e.obj.Ref.Name}
		if id.kind == "Ingress" && id.group == "extensions" {
			id.group = "networking.k8s.io"
		}
		if first, twice := a.seen[id]; twice {
			old := a.entries[first].obj
			a.warn = append(a.warn, &DocumentError{File: old.File, Line: old.Line, Object: old.Ref.String(), Warning: true,
				Err:    fmt.Errorf("the object comes again at %s and this one is not used", e.obj.where()),
				Remedy: "the last one wins, as with kubectl apply; remove one of the two"})
			a.entries[first] = nil
		}
		a.seen[id] = len(a.entries)
		a.entries = append(a.entries, e)
	}
}

func (o *Object) where() string {
	if o.Line > 0 {
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return o.File
}

func (a *assembler) set() (*Set, []*DocumentError) {
	s := &Set{}
	for _, e := range a.entries {
		if e == nil {
			continue
		}
		switch t := e.typed.(type) {
		case *Ingress:
			s.Ingresses = append(s.Ingresses, t)
		case *IngressClass:
			s.IngressClasses = append(s.IngressClasses, t)
		case *Service:
			s.Services = append(s.Services, t)
		case *Secret:
			s.Secrets = append(s.Secrets, t)
		case *ConfigMap:
			s.ConfigMaps = append(s.ConfigMaps, t)
		default:
			if e.obj.Ref.Kind == "Namespace" && e.group == "" {
				s.Namespaces = append(s.Namespaces, e.obj)
				continue
			}
			s.Others = append(s.Others, e.obj)
		}
	}
	return s, a.warn
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
