package run

import (
	"regexp"
	"strings"
)

// maxReason bounds what results quote of a log, in bytes.
const maxReason = 4000

// reasonOf is the end of a log up to where the test begins to clean up.
func reasonOf(tail []string) string {
	for len(tail) > 1 && cleanUp.MatchString(tail[len(tail)-1]) {
		tail = tail[:len(tail)-1]
	}
	text := strings.TrimSpace(strings.Join(tail, ""))
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[len(text)-maxReason:], "")
	}
	return text
}

// logPrefix is the place that go test puts before a log line, and the time that
// the suite puts there.
var logPrefix = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: (?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d): )?`)

var cleanUp = regexp.MustCompile(logPrefix.String() + `Deleting \S+`)

// gist is one line of a failure: what an assertion of testify says, which stands
// in several, or else the last line, without place and time.
func gist(text string) string {
	var parts []string
	for _, label := range []string{"Messages", "Error"} {
		if m := assertions[label].FindStringSubmatch(text); m != nil {
			parts = append(parts, strings.Join(strings.Fields(m[1]), " "))
		}
	}
	if len(parts) > 0 {
		return strings.Join(parts, ": ")
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(logPrefix.ReplaceAllString(lines[len(lines)-1], ""))
}

// assertions find a labelled part of testify's output, up to the next label.
var assertions = map[string]*regexp.Regexp{
	"Messages": labelled("Messages"),
	"Error":    labelled("Error"),
}

func labelled(label string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)\n\s+` + label + `:\s+(?:Received unexpected error:\s+)?(.*?)(?:\n\s+(?:Error Trace|Error|Test|Messages):\s|\n\s*\S+\.go:\d+: |\s*$)`)
}

// skipReason is the last line a skipped test logged, without its place.
func skipReason(tail []string) string {
	if len(tail) == 0 {
		return ""
	}
	line := strings.TrimSpace(logPrefix.ReplaceAllString(tail[len(tail)-1], ""))
	_, why, ok := strings.Cut(line, ": ")
	if ok && strings.HasPrefix(line, "Skipping ") {
		return why
	}
	return line
}
