package migrate

import (
	"regexp"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
)

var virtualServiceRule = regexp.MustCompile(`^spec\.(?:http|tls|tcp)\[\d+\](?:\.match\[\d+\])?`)

// rulePath is the path of the rule that a leaf belongs to, or "": a path of an
// Ingress, a route or one match of a route of a VirtualService, an entry of a
// services ConfigMap.
func rulePath(kind, path string) string {
	if kind == "VirtualService" {
		return virtualServiceRule.FindString(path)
	}
	if strings.HasPrefix(path, "data[") || strings.HasPrefix(path, "data.") {
		return path
	}
	i := strings.Index(path, ".paths[")
	if i < 0 {
		return ""
	}
	if j := strings.IndexByte(path[i:], ']'); j > 0 {
		return path[:i+j+1]
	}
	return ""
}

// under reports whether a path is below another.
func under(path, parent string) bool {
	return strings.HasPrefix(path, parent) && len(path) > len(parent) && (path[len(parent)] == '.' || path[len(parent)] == '[')
}

// concerns reports whether a note is about a leaf: notes of other rules of the
// object are not; those of annotations and hosts are about every leaf that the
// feature carries.
func concerns(kind string, n *emit.Note, path string) bool {
	leaf, at := rulePath(kind, path), rulePath(kind, n.Origin.Path)
	if strings.HasPrefix(leaf, "data") {
		return n.Origin.Path == path
	}
	return leaf == "" || at == "" || leaf == at || under(leaf, at) || under(at, leaf)
}
