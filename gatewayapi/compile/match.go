package compile

import (
	"regexp"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// httpMatch reads one match. Regular expressions are anchored at both ends, as
// by Envoy and its kin; the specification leaves their dialect open.
func (c *compiler) httpMatch(m gwv1.HTTPRouteMatch) routing.Match {
	out := routing.Match{Path: routing.PathMatch{Kind: routing.SegmentPrefix, Value: "/"}}
	if m.Path != nil {
		out.Path.Value = value(m.Path.Value, "/")
		switch value(m.Path.Type, gwv1.PathMatchPathPrefix) {
		case gwv1.PathMatchExact:
			out.Path.Kind = routing.ExactPath
		case gwv1.PathMatchRegularExpression:
			out.Path.Kind, out.Path.Full = routing.RegexPath, true
		}
		if c.o.Reading.NormalizePath && out.Path.Kind != routing.RegexPath && strings.IndexByte(out.Path.Value, '%') >= 0 {
			// Who decodes paths before matching compares what the escapes mean.
			if p, ok := routing.NormalizePath(out.Path.Value); ok {
				out.Path.Value = p
			}
		}
	}
	if m.Method != nil {
		out.Method = string(*m.Method)
	}
	seen := map[string]bool{}
	for _, h := range m.Headers {
		// "If multiple entries specify equivalent header names, only the first
		// entry with an equivalent name MUST be considered" (HTTPHeaderMatch.Name).
		if k := canonical(string(h.Name)); !seen[k] {
			seen[k] = true
			out.Headers = append(out.Headers, valueMatch(string(h.Name), h.Value, value(h.Type, gwv1.HeaderMatchExact) == gwv1.HeaderMatchRegularExpression))
		}
	}
	params := map[string]bool{}
	for _, q := range m.QueryParams {
		if !params[string(q.Name)] {
			params[string(q.Name)] = true
			out.Query = append(out.Query, valueMatch(string(q.Name), q.Value, value(q.Type, gwv1.QueryParamMatchExact) == gwv1.QueryParamMatchRegularExpression))
		}
	}
	return out
}

func valueMatch(name, v string, regex bool) routing.ValueMatch {
	m := routing.ValueMatch{Name: name, Kind: routing.ExactValue, Value: v}
	if regex {
		m.Kind = routing.RegexValue
	}
	return m
}

func canonical(header string) string {
	b := []byte(header)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// grpcMatch reads one match of a GRPCRoute as the path that gRPC sends:
// /service/method (GRPCMethodMatch; gRPC over HTTP2, "Path").
func grpcMatch(m gwv1.GRPCRouteMatch) routing.Match {
	out := routing.Match{Path: routing.PathMatch{Kind: routing.SegmentPrefix, Value: "/"}}
	if mm := m.Method; mm != nil {
		service, method := value(mm.Service, ""), value(mm.Method, "")
		regex := value(mm.Type, gwv1.GRPCMethodMatchExact) == gwv1.GRPCMethodMatchRegularExpression
		switch {
		case !regex && service != "" && method != "":
			out.Path = routing.PathMatch{Kind: routing.ExactPath, Value: "/" + service + "/" + method}
		case !regex && service != "":
			out.Path = routing.PathMatch{Kind: routing.SegmentPrefix, Value: "/" + service}
		case service != "" || method != "":
			part := func(s string) string {
				switch {
				case s == "":
					return "[^/]+"
				case regex:
					return "(?:" + s + ")"
				}
				return regexp.QuoteMeta(s)
			}
			out.Path = routing.PathMatch{Kind: routing.RegexPath, Full: true, Value: "/" + part(service) + "/" + part(method)}
		}
	}
	seen := map[string]bool{}
	for _, h := range m.Headers {
		if k := canonical(string(h.Name)); !seen[k] {
			seen[k] = true
			out.Headers = append(out.Headers, valueMatch(string(h.Name), h.Value, value(h.Type, gwv1.GRPCHeaderMatchExact) == gwv1.GRPCHeaderMatchRegularExpression))
		}
	}
	return out
}
