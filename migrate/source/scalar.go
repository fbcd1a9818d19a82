package source

import (
	"encoding/base64"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// words of YAML 1.1 that kubectl's parser reads as something else than text,
// but for the single letters y and n: YAML 1.2 and most tools that write
// manifests take them for text, and no field wants them as booleans
// (https://yaml.org/type/bool.html, /null.html, /float.html).
var words = func() map[string]any {
	m := map[string]any{"": nil, "~": nil}
	add := func(v any, list ...string) {
		for _, w := range list {
			m[w], m[strings.ToUpper(w)] = v, v
			m[strings.ToUpper(w[:1])+w[1:]] = v
		}
	}
	add(nil, "null")
	add(true, "yes", "true", "on")
	add(false, "no", "false", "off")
	for _, sign := range []string{"", "+", "-"} {
		f := math.Inf(1)
		if sign == "-" {
			f = math.Inf(-1)
		}
		m[sign+".inf"], m[sign+".Inf"], m[sign+".INF"] = f, f, f
	}
	m[".nan"], m[".NaN"], m[".NAN"] = math.NaN(), math.NaN(), math.NaN()
	return m
}()

var decimalFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// errNotFinite: JSON has no word for these numbers.
var errNotFinite = errors.New("infinity and not-a-number cannot be written in JSON")

// resolvePlain reads an unquoted scalar as sigs.k8s.io/yaml and kubectl do,
// that is by YAML 1.1: yes, on and off are booleans, 0777 is octal, 1_000 is a
// number, dates are text. Numbers are int64 or float64.
func resolvePlain(s string) (any, error) {
	if s == "" {
		return nil, nil
	}
	switch c := s[0]; {
	case c >= '0' && c <= '9' || c == '+' || c == '-':
		if v, ok := words[s]; ok {
			return number(v.(float64))
		}
		plain := strings.ReplaceAll(s, "_", "")
		if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
			return i, nil
		}
		if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
			return float64(u), nil
		}
		if decimalFloat.MatchString(plain) {
			if f, err := strconv.ParseFloat(plain, 64); err == nil {
				return number(f)
			}
		}
	case c == '.':
		if v, ok := words[s]; ok {
			return number(v.(float64))
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return number(f)
		}
	case len(s) <= 5:
		if v, ok := words[s]; ok {
			return v, nil
		}
	}
	return s, nil
}

// number takes a float through its JSON form, where 1.0 and 1e3 are integers.
func number(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errNotFinite
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e21 {
		if i, err := strconv.ParseInt(strconv.FormatFloat(f, 'f', -1, 64), 10, 64); err == nil {
			return i, nil
		}
	}
	return f, nil
}

// resolveTagged reads a scalar with an explicit tag.
func resolveTagged(tag, s string) (any, error) {
	switch tag {
	case "!!binary":
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, errors.New("a !!binary value is not base64")
		}
		return string(b), nil
	case "!!null", "!!bool", "!!int", "!!float":
		v, err := resolvePlain(s)
		if err != nil {
			return nil, err
		}
		ok := false
		switch v.(type) {
		case nil:
			ok = tag == "!!null"
		case bool:
			ok = tag == "!!bool"
		case int64:
			ok = tag == "!!int" || tag == "!!float"
		case float64:
			ok = tag == "!!float"
		}
		if !ok {
			return nil, errors.New("the value does not fit its tag " + tag)
		}
		return v, nil
	}
	return s, nil
}
