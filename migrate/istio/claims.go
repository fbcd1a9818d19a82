package istio

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// row says what became of a field and of all that its schema knows below it. A
// row with features is settled by what the back end says of them.
type row struct {
	features []string // of package emit
	status   ledger.Status
	message  string
	remedy   string
	// otherwise is what is said where no rule of a table reads the field.
	otherwise *row
}

func carried(message string, features ...string) row {
	return row{features: features, message: message}
}

func fixed(s ledger.Status, message, remedy string) row {
	return row{status: s, message: message, remedy: remedy}
}

func (x row) unless(otherwise row) row {
	x.otherwise = &otherwise
	return x
}

// Claims lists what is known of the leaves of an object that was compiled. A
// leaf that its schema does not know is left to the ledger.
func (r *Result) Claims(o *source.Object) iter.Seq[ledger.Claim] {
	table, d := rows[o.Ref.Kind], descriptors[o.Ref.Kind]
	return func(yield func(ledger.Claim) bool) {
		for _, c := range r.metadata(o) {
			if !yield(c) {
				return
			}
		}
		done := false
		o.Tree().Leaves(func(path string) {
			if done {
				return
			}
			steps := stepsOfPath(path)
			if len(steps) == 0 || steps[0] != "spec" || !inSchema(d, steps[1:]) {
				return
			}
			x, ok := lookup(table, steps)
			if !ok {
				return
			}
			done = !yield(r.claim(o, path, steps, x))
		})
	}
}

// claim is a row for one leaf, with what only the object itself tells.
func (r *Result) claim(o *source.Object, path string, steps []string, x row) ledger.Claim {
	if x.otherwise != nil && !r.uses(o) {
		x = *x.otherwise
	}
	c := ledger.Claim{Path: path, Features: x.features, Status: x.status, Message: x.message, Remedy: x.remedy}
	switch o.Ref.Kind {
	case "DestinationRule":
		if len(steps) > 2 && steps[1] == "subsets" {
			for _, v := range r.compiler.versions[o] {
				if !r.leftOut[v.service] && strings.HasPrefix(path, v.path+".") && (steps[3] == "name" || steps[3] == "labels") {
					c.Status, c.Message, c.Remedy = ledger.Converted, "the subset becomes the Service "+v.service, ""
				}
			}
		}
		if names := r.versionNames(o); names != "" && c.Status == ledger.Extension {
			c.Remedy = "while Istio carries the traffic, keep it, and write one for each Service of a subset (" + names + "): this one is about the whole host alone"
		}
		if !r.uses(o) && c.Status != ledger.Ignored && len(c.Features) == 0 {
			c.Remedy = strings.TrimSpace("no converted route uses this rule. " + c.Remedy)
		}
	case "ServiceEntry":
		list := slices.DeleteFunc(slices.Clone(r.compiler.usedEntries[o]), func(s string) bool { return r.leftOut[s] })
		if len(list) > 0 && steps[1] == "hosts" {
			c.Status, c.Message = ledger.Approximated, "the Service "+list[0]+" of type ExternalName stands for the host; not every implementation forwards to such Services"
		}
	}
	return c
}

// versionNames lists the Services that subsets of a DestinationRule become.
func (r *Result) versionNames(o *source.Object) string {
	var names []string
	for _, v := range r.compiler.versions[o] {
		if !r.leftOut[v.service] && !slices.Contains(names, v.service) {
			names = append(names, v.service)
		}
	}
	return strings.Join(names, ", ")
}

func (r *Result) metadata(o *source.Object) []ledger.Claim {
	name := ledger.Claim{Path: "metadata.name", Status: ledger.Converted, Message: cutover[o.Ref.Kind]}
	return []ledger.Claim{
		name,
		{Path: "metadata.namespace", Status: ledger.Converted, Message: "what is made of it stays in this namespace, but for routes beside a Service of another"},
		{Path: "metadata.labels", Status: ledger.Ignored, Message: "labels do not affect traffic"},
		{Path: "metadata.annotations", Status: ledger.Ignored, Message: "Istio reads no annotation of this kind"},
		{Path: "metadata.ownerReferences", Status: ledger.Ignored, Message: "ownership does not affect traffic"},
		{Path: "metadata.finalizers", Status: ledger.Ignored, Message: "finalizers do not affect traffic"},
		{Path: "metadata.generateName", Status: ledger.Ignored, Message: "only used when the object is created"},
	}
}

// cutover says in which order an object gives way to what is made of it. Where
// both are there, Istio takes a route of the Gateway API first within the mesh
// (https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/).
var cutover = map[string]string{
	"VirtualService":  "names the routes made from it. Cutover: at the edge, apply the Gateway and its routes, ask its own address, move DNS, then delete this object; within the mesh a route of the Gateway API wins as soon as it is applied, so delete this object after it",
	"Gateway":         "Cutover: the new Gateway has an address of its own beside the old one; delete this object when no traffic comes to the old address",
	"DestinationRule": "Cutover: apply the Services of the subsets before the routes; keep this object as long as sidecars apply its traffic policy",
	"ServiceEntry":    "Cutover: apply the Service that stands for the host before the routes; sidecars may need this object still",
}

// stepsOfPath takes a JSON path apart: names as they are, items as "[]".
func stepsOfPath(path string) []string {
	var out []string
	for path != "" {
		switch {
		case strings.HasPrefix(path, "['"):
			end := strings.Index(path, "']")
			if end < 0 {
				return nil
			}
			out, path = append(out, path[2:end]), path[end+2:]
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return nil
			}
			if _, err := strconv.Atoi(path[1:end]); err != nil {
				return nil
			}
			out, path = append(out, "[]"), path[end+1:]
		default:
			path = strings.TrimPrefix(path, ".")
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			if end == 0 {
				return nil
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}

// inSchema reports whether a path leads through fields that the schema has.
func inSchema(d protoreflect.MessageDescriptor, steps []string) bool {
	for len(steps) > 0 {
		if d == nil || scalar(d) {
			return false
		}
		f := fieldOf(d, steps[0])
		if f == nil {
			return false
		}
		steps = steps[1:]
		switch {
		case f.IsMap():
			if len(steps) > 0 {
				steps = steps[1:]
			}
			d = f.MapValue().Message()
		case f.IsList():
			if len(steps) > 0 && steps[0] == "[]" {
				steps = steps[1:]
			}
			d = f.Message()
		default:
			d = f.Message()
		}
	}
	return true
}

// lookup finds the row with the longest path that leads to a leaf.
func lookup(table map[string]row, steps []string) (row, bool) {
	for n := len(steps); n > 0; n-- {
		if x, ok := table[strings.ReplaceAll(strings.Join(steps[:n], "."), ".[]", "[]")]; ok {
			return x, true
		}
	}
	return row{}, false
}
