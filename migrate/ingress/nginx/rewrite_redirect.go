package nginx

import (
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// redirectsByRewrite reports whether a rewrite-target makes nginx redirect: a
// replacement that starts with http://, https:// or $scheme ends the rewriting
// and answers 302, whatever the flag after it
// (https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#rewrite;
// ngx_http_rewrite_module.c, ngx_http_rewrite).
func redirectsByRewrite(target string) bool {
	return hasAnyPrefix(target, []string{"http://", "https://", "$scheme"})
}

// redirectsAway reports whether a location redirects by its rewrite-target.
func (b *nginxLocation) redirectsAway() bool {
	return b.set.rewriteTarget != b.path && redirectsByRewrite(b.set.rewriteTarget)
}

// rewriteRedirect is the redirect of a location that redirects away. As a return
// it stands in the rewrite phase: before the redirect to HTTPS, which Lua sends
// after the rewrite module, and before access control. The query of the request
// is appended. Other variables than the groups of the path stay in Location,
// which back ends may refuse.
func rewriteRedirect(b nginxLocation) *routing.Redirect {
	t := b.set.rewriteTarget
	scheme, rest, _ := strings.Cut(t, "://")
	authority, path, _ := strings.Cut(rest, "/")
	host, port, hasPort := strings.Cut(authority, ":")
	n, err := strconv.Atoi(port)
	switch {
	case host == "", strings.Contains(authority, "$"), hasPort && (err != nil || n < 1 || n > 65535),
		strings.HasPrefix(scheme, "$") && scheme != "$scheme", strings.Contains(groupRefs.Replace(path), "$"):
		return &routing.Redirect{Code: 302, Location: t + "$is_args$args"}
	case scheme == "$scheme":
		scheme = ""
	}
	return &routing.Redirect{Code: 302, Scheme: scheme, Host: host, Port: n,
		Path: &routing.PathRewrite{Kind: routing.ReplaceRegex, Pattern: unquote(b.path), IgnoreCase: true, Value: "/" + path, Whole: true}}
}

// groupRefs takes the references to groups out of a replacement.
var groupRefs = strings.NewReplacer("$0", "", "$1", "", "$2", "", "$3", "", "$4", "", "$5", "", "$6", "", "$7", "", "$8", "", "$9", "")
