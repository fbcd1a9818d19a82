package cmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/routing"
)

const maxRequestLine = 1 << 20

func newRoute(s genericiooptions.IOStreams) *cobra.Command {
	var in inputFlags
	var dialect, output, requests, sourceIP string
	var headers []string
	c := &cobra.Command{
		Use:   "route -f FILE|DIR [METHOD] URL",
		Short: "Say where a request goes, and which rule sends it there",
		Long: `Say where a request goes, and which rule sends it there.

The answer is computed from the manifests: Ingresses with the semantics of
ingress-nginx, Gateway API objects with those of the specification. Nothing is
sent anywhere.`,
		Example: `  # One request
  causeway route -f shop.yaml GET https://shop.example.com/cart

  # With a header, as JSON
  causeway route -R -f manifests/ -H 'X-Canary: always' -o json \
    https://shop.example.com/

  # The same question to the converted objects
  causeway route -R -f gateway-api/ https://shop.example.com/

  # Thousands, one JSON object a line in, one a line out
  causeway route -R -f manifests/ -o json --requests requests.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if (requests == "") != (len(args) == 1 || len(args) == 2) {
				return usagef("name one request as [METHOD] URL, or many with --requests FILE")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if output != "" && output != "json" {
				return usagef("-o %s is not known: use json or leave it out", output)
			}
			set, problems, err := in.read(c.Context(), s.In)
			if err != nil {
				return err
			}
			for _, p := range problems {
				fmt.Fprintln(s.ErrOut, p)
			}
			table, _, err := in.tableOf(c.Context(), set, dialect, s.ErrOut)
			if err != nil {
				return err
			}
			w := bufio.NewWriter(s.Out)
			write := decisionText
			if output == "json" {
				write = decisionJSON
			}
			if requests == "" {
				r, err := parseRequest(args, headers, sourceIP)
				if err != nil {
					return err
				}
				if err := write(w, table.Route(r)); err != nil {
					return err
				}
				return w.Flush()
			}
			// The answers to what was read before an error are still given.
			return errors.Join(routeMany(w, requests, s.In, table, write), w.Flush())
		},
	}
	in.add(c)
	c.Flags().StringVar(&dialect, "dialect", "auto", "whose rules count: ingress, istio, gateway-api, or auto, which takes the first of them that the input holds")
	c.Flags().StringVarP(&output, "output", "o", "", "json for one decision a line")
	c.Flags().StringVar(&requests, "requests", "", "file of requests, one JSON object a line, or - for standard input")
	c.Flags().StringArrayVarP(&headers, "header", "H", nil, "request header 'Name: value' (repeatable)")
	c.Flags().StringVar(&sourceIP, "source-ip", "", "address the request comes from")
	return c
}

// parseRequest reads [METHOD] URL and headers as curl would send them.
func parseRequest(args, headers []string, sourceIP string) (*routing.Request, error) {
	r := &routing.Request{Method: "GET", Headers: map[string]string{}, SourceIP: sourceIP}
	raw := args[len(args)-1]
	if len(args) == 2 {
		r.Method = strings.ToUpper(args[0])
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil, usagef("%q is no URL with a host, such as https://shop.example.com/cart", raw)
	}
	r.Scheme, r.Host = u.Scheme, u.Host
	// The target goes out as written, not as the URL library would spell it.
	_, rest, _ := strings.Cut(raw, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		r.Path = rest[i:]
		if !strings.HasPrefix(r.Path, "/") {
			r.Path = "/" + r.Path
		}
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, usagef("header %q is not of the form 'Name: value'", h)
		}
		if value = strings.TrimSpace(value); strings.EqualFold(name, "Host") {
			r.Host = value
			continue
		}
		r.Headers[name] = value
	}
	return r, nil
}

func routeMany(w io.Writer, name string, stdin io.Reader, t *routing.Table, write func(io.Writer, routing.Decision) error) error {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("reading requests: %w", err)
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxRequestLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		var r routing.Request
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return fmt.Errorf("%s:%d: no request: %w", name, n, err)
		}
		if err := write(w, t.Route(&r)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func decisionJSON(w io.Writer, d routing.Decision) error {
	return json.NewEncoder(w).Encode(d)
}

func decisionText(w io.Writer, d routing.Decision) error {
	var b strings.Builder
	switch {
	case d.Location != "":
		fmt.Fprintf(&b, "%d redirect to %s\n", d.Status, d.Location)
	case len(d.Backends) > 0:
		fmt.Fprintf(&b, "%d forward\n", d.Status)
		keys := make([]string, 0, len(d.Backends))
		for k := range d.Backends {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			fmt.Fprintf(&b, "  %-8s %s\n", fmt.Sprintf("%.4g%%", 100*d.Backends[k]), k)
		}
		if d.Upstreams == nil {
			fmt.Fprintf(&b, "  uri      %s\n  host     %s\n", d.URI, d.UpstreamHost)
		}
		for i, u := range d.Upstreams {
			fmt.Fprintf(&b, "  uri      %s at %s\n  host     %s\n", u.URI, d.Why.Action.Backends[i].Key(), u.Host)
		}
	default:
		fmt.Fprintf(&b, "%d %s\n", d.Status, d.Reason)
	}
	for _, g := range d.Guards {
		fmt.Fprintf(&b, "  guard    %s\n", g.Kind)
	}
	if d.Why != nil {
		o := d.Why.Origin
		fmt.Fprintf(&b, "  because  %s %s", o.Object, o.Path)
		if o.File != "" {
			fmt.Fprintf(&b, " (%s:%d)", o.File, o.Line)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
