package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// requestsFile holds the last requests of a failed test, and requestFile the
// last one as a command.
const (
	requestsFile = "requests.json"
	requestFile  = "request.sh"
)

// exchange is what conformance/suites/harness says of a request, as far as a
// command for it needs.
type exchange struct {
	Method     string              `json:"method"`
	URL        string              `json:"url"`
	Host       string              `json:"host"`
	ServerName string              `json:"serverName"`
	Headers    map[string][]string `json:"headers"`
	Error      string              `json:"error"`
	Status     int                 `json:"status"`
}

// writeExchanges writes the last requests of a failed test, and the last one as
// a command to try by hand.
func writeExchanges(dir string, data []byte) error {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, data, "", "  "); err != nil {
		return fmt.Errorf("requests of the test: %w", err)
	}
	pretty.WriteByte('\n')
	if err := ReplaceFile(filepath.Join(dir, requestsFile), pretty.Bytes()); err != nil {
		return err
	}
	var list []exchange
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("requests of the test: %w", err)
	}
	if len(list) == 0 {
		return nil
	}
	return ReplaceFile(filepath.Join(dir, requestFile), []byte(list[len(list)-1].command()))
}

// command is the request as a call of curl, with what came of it.
func (x exchange) command() string {
	parts := []string{"curl", "-v", "-X", shellescape.Quote(x.Method)}
	url := x.URL
	if scheme, rest, ok := strings.Cut(url, "://"); ok && x.ServerName != "" {
		// The certificate is checked against the name, the connection goes to
		// the address.
		address, path, _ := strings.Cut(rest, "/")
		parts = append(parts, "-k", "--connect-to", shellescape.Quote("::"+address))
		url = scheme + "://" + x.ServerName + "/" + path
	}
	if x.Host != "" {
		parts = append(parts, "-H", shellescape.Quote("Host: "+x.Host))
	}
	names := make([]string, 0, len(x.Headers))
	for name := range x.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range x.Headers[name] {
			if value != "" {
				parts = append(parts, "-H", shellescape.Quote(name+": "+value))
			}
		}
	}
	parts = append(parts, shellescape.Quote(url))
	came := fmt.Sprintf("status %d", x.Status)
	if x.Error != "" {
		came = strings.Join(strings.Fields(x.Error), " ")
	}
	return fmt.Sprintf("#!/bin/sh\n# The last request of the test. What came of it: %s\n%s\n", came, strings.Join(parts, " "))
}
