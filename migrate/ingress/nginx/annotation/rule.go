package annotation

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Rule is a named validator. Its function answers nil for a value the
// controller accepts (parser/validators.go names the originals).
type Rule struct {
	Name  string
	check func(string) error
}

// Rules that need no parameters.
var (
	anything = Rule{"anything", func(string) error { return nil }}
	boolean  = Rule{"bool", func(s string) error { _, err := strconv.ParseBool(s); return unquote(err) }}
	integer  = Rule{"int", func(s string) error { _, err := strconv.Atoi(s); return unquote(err) }}
	duration = Rule{"duration", func(s string) error {
		if _, err := time.ParseDuration(s); err != nil {
			return errors.New("value is no duration such as 90s or 1h30m")
		}
		return nil
	}}
	cidrs   = Rule{"list of IP addresses and networks", checkCIDRs}
	service = Rule{"service name", checkServiceName}
	names   = Rule{"list of server names", func(s string) error {
		for part := range strings.SplitSeq(s, ",") {
			if err := serverName.check(part); err != nil {
				return err
			}
		}
		return nil
	}}
	serverName = Rule{"server name", func(s string) error {
		return regexChars.check(strings.TrimSpace(s))
	}}
	commonName = Rule{"CN= and a regular expression", checkCommonName}
)

// Character classes (parser/validators.go: BasicCharsRegex, CharsWithSpace,
// ExtendedCharsRegex, URLIsValidRegex, …). Letters and digits are in all.
const (
	basicSet   = `-._~/:`
	urlSet     = basicSet + `,?&=`
	regexSet   = basicSet + `^$[](){}*+?|&=\`
	captureSet = basicSet + `$`
	nginxVars  = `-_${}`
)

var (
	basic        = class("basic characters", basicSet, true)
	words        = class("basic characters and spaces", basicSet+" ", false)
	extended     = class("basic characters, commas and spaces", basicSet+", ", false)
	regexChars   = class("regular expression characters", regexSet, false)
	pathCaptures = class("path with captures", captureSet, false)
	headerList   = class("header names separated by commas", "-_, ", true)
	variables    = class("text and nginx variables", nginxVars, true)

	// From v1.12 URLs may hold commas (changelog controller-1.12.0-beta.0,
	// "Allow commas in URLs").
	urlChars         = class("URL characters", urlSet, false)
	urlCharsSpaced   = class("URL characters", urlSet, true)
	urlCharsBefore12 = []EarlierRule{{"v1.12", class("URL characters without comma", basicSet+`?&=`, false)}}
	urlSpacedBefore  = []EarlierRule{{"v1.12", class("URL characters without comma", basicSet+`?&=`, true)}}
	urlVariables     = class("URL characters and nginx variables", urlSet+" $", true)

	size  = pattern("size", `^\d+[bBkKmMgG]?$`, true)
	onOff = pattern("on or off", `^(on|off)$`, true)
)

// class accepts letters, digits and the characters of set. With strip, spaces
// are taken out first, as the controller does for some annotations.
func class(name, set string, strip bool) Rule {
	return Rule{name, func(s string) error {
		for _, c := range s {
			if c == ' ' && strip || c < 0x80 && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') ||
				strings.ContainsRune(set, c) {
				continue
			}
			return fmt.Errorf("character %q is not allowed", c)
		}
		return nil
	}}
}

// pattern accepts what a regular expression matches. From v1.12.1 no pattern
// accepts a line break (changelog controller-1.12.1, "Deny newlines"); no
// earlier pattern that could was reachable with validation on by default.
func pattern(name, expression string, strip bool) Rule {
	re := regexp.MustCompile(expression)
	return Rule{name, func(s string) error {
		if strip {
			s = strings.ReplaceAll(s, " ", "")
		}
		if strings.ContainsAny(s, "\r\n") {
			return errors.New("line breaks are not allowed")
		}
		if !re.MatchString(s) {
			return errors.New("value has another form")
		}
		return nil
	}}
}

// options accepts one of a few words, spaces around it aside. All of the
// controller's lists trim; only some mind case.
func options(caseSensitive bool, allowed ...string) Rule {
	name := "one of " + strings.Join(allowed, ", ")
	if !caseSensitive {
		name += " in any case"
	}
	return Rule{name, func(s string) error {
		s = strings.TrimSpace(s)
		if !caseSensitive {
			s = strings.ToLower(s)
		}
		for _, o := range allowed {
			if s == o {
				return nil
			}
		}
		return errors.New("value is none of the allowed words")
	}}
}

// checkCIDRs accepts a comma separated list of addresses and networks
// (internal/net ParseCIDRs).
func checkCIDRs(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if _, _, err := net.ParseCIDR(part); err == nil {
			continue
		}
		if net.ParseIP(part) != nil {
			continue
		}
		return fmt.Errorf("%q is neither an IP address nor a network", short(part))
	}
	return nil
}

func checkServiceName(s string) error {
	if errs := validation.IsDNS1035Label(s); len(errs) > 0 {
		return fmt.Errorf("not a service name: %s", strings.Join(errs, "; "))
	}
	return nil
}

func checkCommonName(s string) error {
	expression, ok := strings.CutPrefix(s, "CN=")
	if !ok {
		return errors.New("value does not start with CN=")
	}
	if _, err := regexp.Compile(expression); err != nil {
		return errors.New("what follows CN= is no regular expression")
	}
	return nil
}

// short cuts what errors repeat of a value: values are as long as their author
// likes.
func short(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// unquote shortens strconv's errors, which repeat the value.
func unquote(err error) error {
	var num *strconv.NumError
	if errors.As(err, &num) {
		return num.Err
	}
	return err
}
