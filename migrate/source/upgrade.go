package source

import (
	"fmt"
	"regexp"
	"strings"
)

// upgradeIngress turns an Ingress of extensions/v1beta1 or
// networking.k8s.io/v1beta1 into the v1 form, as the API server's conversion
// does (pkg/apis/networking/v1beta1/conversion.go): backend becomes
// defaultBackend, serviceName and servicePort become service.name and
// service.port.{number,name} by the JSON type of servicePort. A missing
// pathType becomes ImplementationSpecific (v1beta1/defaults.go). The content
// given is not changed.
func upgradeIngress(in map[string]any) (map[string]any, *problem) {
	out := shallow(in)
	out["apiVersion"] = "networking.k8s.io/v1"
	delete(out, "status")
	spec, ok := in["spec"].(map[string]any)
	if !ok {
		return out, nil // fill reports a spec of the wrong type
	}
	spec = shallow(spec)
	out["spec"] = spec
	// Fields of the v1 form were never known to the old versions, and an API
	// server drops them.
	delete(spec, "defaultBackend")
	if b, ok := spec["backend"]; ok {
		delete(spec, "backend")
		up, p := upgradeBackend("spec.backend", b)
		if p != nil {
			return nil, p
		}
		if up != nil {
			spec["defaultBackend"] = up
		}
	}
	rules, ok := spec["rules"].([]any)
	if !ok {
		return out, nil
	}
	newRules := make([]any, len(rules))
	spec["rules"] = newRules
	for i, v := range rules {
		newRules[i] = v
		rule, ok := v.(map[string]any)
		if !ok {
			continue
		}
		http, ok := rule["http"].(map[string]any)
		if !ok {
			continue
		}
		paths, ok := http["paths"].([]any)
		if !ok {
			continue
		}
		newPaths := make([]any, len(paths))
		for j, v := range paths {
			newPaths[j] = v
			path, ok := v.(map[string]any)
			if !ok {
				continue
			}
			path = shallow(path)
			newPaths[j] = path
			if path["pathType"] == nil {
				path["pathType"] = "ImplementationSpecific"
			}
			up, p := upgradeBackend(fmt.Sprintf("spec.rules[%d].http.paths[%d].backend", i, j), path["backend"])
			if p != nil {
				return nil, p
			}
			path["backend"] = up
		}
		rule, http = shallow(rule), shallow(http)
		http["paths"] = newPaths
		rule["http"] = http
		newRules[i] = rule
	}
	return out, nil
}

func upgradeBackend(path string, v any) (any, *problem) {
	b, ok := v.(map[string]any)
	if !ok {
		return v, nil
	}
	b = shallow(b)
	delete(b, "service") // unknown to the old versions
	name, hasName := b["serviceName"]
	port, hasPort := b["servicePort"]
	delete(b, "serviceName")
	delete(b, "servicePort")
	if !hasName && !hasPort {
		return b, nil
	}
	service := map[string]any{}
	switch name := name.(type) {
	case nil:
	case string:
		service["name"] = name
	default:
		return nil, &problem{path + ".serviceName", fmt.Errorf("%s.serviceName is %s, not text", path, jsonKind(name)), "quote it"}
	}
	switch port := port.(type) {
	case nil:
	case int64:
		service["port"] = map[string]any{"number": port}
	case string:
		service["port"] = map[string]any{"name": port}
	default:
		return nil, &problem{path + ".servicePort",
			fmt.Errorf("%s.servicePort is %s, not a port number or name", path, jsonKind(port)), "write the Service's port"}
	}
	b["service"] = service
	return b, nil
}

func shallow(m map[string]any) map[string]any {
	out := make(map[string]any, len(m)+1)
	for k, v := range m {
		out[k] = v
	}
	return out
}

var backendPath = regexp.MustCompile(`^(spec\.(?:backend|rules\[\d+\]\.http\.paths\[\d+\]\.backend))\.service(\.name|\.port(?:\.name|\.number)?)?$`)

// Written maps a JSON path of the v1 form to the path in the form the object
// was written in: spec.defaultBackend.service.name is spec.backend.serviceName
// in v1beta1. Paths that do not differ come back as they are.
func (i *Ingress) Written(path string) string {
	if i.Object == nil || i.Object.APIVersion == "networking.k8s.io/v1" {
		return path
	}
	if rest, ok := strings.CutPrefix(path, "spec.defaultBackend"); ok && (rest == "" || rest[0] == '.') {
		path = "spec.backend" + rest
	}
	m := backendPath.FindStringSubmatch(path)
	switch {
	case m == nil:
		return path
	case strings.HasPrefix(m[2], ".port"):
		return m[1] + ".servicePort"
	case m[2] == ".name":
		return m[1] + ".serviceName"
	}
	return m[1] // both fields together
}
