package annotation

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// The functions of this file are what parsers check after the validator, each
// with the parser it comes from. All are for Row.Content.

// absoluteURL: auth-url must have a scheme and a host without ".."
// (parser/main.go StringToURL, called by authreq/main.go).
func absoluteURL(s string) error {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		return errors.New("value is no URL")
	case u.Scheme == "":
		return errors.New("the URL has no scheme")
	case u.Host == "":
		return errors.New("the URL has no host")
	case strings.Contains(u.Host, ".."):
		return errors.New("the URL's host has an empty label")
	}
	return nil
}

// httpURL: temporal-redirect must have a scheme that starts with http
// (redirect/redirect.go isValidURL). permanent-redirect is not checked so.
func httpURL(s string) error {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return errors.New("value is no URL")
	}
	if !strings.HasPrefix(u.Scheme, "http") {
		return errors.New("the URL's scheme is neither http nor https")
	}
	return nil
}

// rootedPath: app-root must be an absolute path (rewrite/main.go Parse).
func rootedPath(s string) error {
	u, err := url.ParseRequestURI(strings.TrimSpace(s))
	if err != nil {
		return errors.New("value is no absolute path")
	}
	if u.IsAbs() {
		return errors.New("a full URL is not allowed")
	}
	return nil
}

// objectKey: a name with at most one namespace before it (client-go
// SplitMetaNamespaceKey, called by auth, authreq and fastcgi).
func objectKey(s string) error {
	if strings.Count(s, "/") > 1 {
		return errors.New("value is no name or namespace/name")
	}
	return nil
}

// namespacedName: exactly namespace/name (internal/k8s ParseNameNS, called by
// authtls and proxyssl). A bare name denies the location.
func namespacedName(s string) error {
	if strings.Count(s, "/") != 1 {
		return errors.New("value is not namespace/name")
	}
	return nil
}

// statusList: numbers separated by commas without spaces (customhttperrors
// Parse); the validator forgives spaces and a trailing comma, this does not.
func statusList(s string) error {
	for part := range strings.SplitSeq(strings.TrimSpace(s), ",") {
		if _, err := strconv.Atoi(part); err != nil {
			return fmt.Errorf("%q is no number", short(part))
		}
	}
	return nil
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// headerNames: every entry is a header name (authreq/main.go ValidHeader); the
// validator lets spaces inside a name pass, this does not.
func headerNames(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" && !headerName.MatchString(part) {
			return fmt.Errorf("%q is no header name", short(part))
		}
	}
	return nil
}

var (
	statusCode = regexp.MustCompile(`^\d{3}$`)
	nginxTime  = regexp.MustCompile(`^\d+(ms|s|m|h|d|w|M|y)$`)
)

// cacheDurations: entries separated by commas, each status codes followed by at
// least one nginx time (authreq/main.go ValidCacheDuration). Words that are
// neither are passed over.
func cacheDurations(s string) error {
	for entry := range strings.SplitSeq(s, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		timed := false
		for _, word := range strings.Fields(entry) {
			if statusCode.MatchString(word) {
				if timed {
					return fmt.Errorf("%q has a status code after a time", short(entry))
				}
				continue
			}
			timed = timed || nginxTime.MatchString(word)
		}
		if !timed {
			return fmt.Errorf("%q has no time", short(entry))
		}
	}
	return nil
}

// offOrPair: nginx takes "off" or two words for proxy_cookie_domain and
// proxy_cookie_path; one word alone stops nginx from loading the file (nginx
// ngx_http_proxy_module; ingress-nginx pull request 14536).
func offOrPair(s string) error {
	if strings.TrimSpace(s) == "off" || len(strings.Fields(s)) == 2 {
		return nil
	}
	return errors.New("value is neither off nor two words")
}
