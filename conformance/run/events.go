package run

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Action is what an event of a test binary says.
type Action string

// The actions of a test binary's events, named as cmd/test2json names them.
const (
	ActionRun    Action = "run"
	ActionPause  Action = "pause" // a parallel test waits for its turn
	ActionCont   Action = "cont"
	ActionPass   Action = "pass"
	ActionFail   Action = "fail"
	ActionSkip   Action = "skip"
	ActionOutput Action = "output"
	ActionAttr   Action = "attr" // testing.T.Attr
)

// Event is one event of a test binary.
type Event struct {
	Action  Action
	Test    string // full name; empty for the binary as a whole
	Elapsed time.Duration
	Output  string // one line or part of one, newline included
	Key     string // of an attribute
	Value   string
}

// Marks of a test binary that runs with -test.v=test2json (cmd/test2json). Since
// Go 1.27 errors stand between marks too, and marks in output are escaped.
const (
	markFrame  = 'V' &^ '@'
	markError  = 'O' &^ '@'
	markEnd    = 'N' &^ '@'
	markEscape = '[' &^ '@'
)

// longest is the longest line that is read whole, in bytes. Longer output comes
// in parts.
const longest = 1 << 20

// readEvents reads what a test binary that runs with -test.v=test2json prints,
// and calls emit for each event in the order of the output. Only marked lines
// are framing, so a test cannot forge a result by printing one. Unlike the
// test2json command it keeps attributes of any length, needs no installation of
// Go, and tells a result as soon as it is printed.
func readEvents(r io.Reader, emit func(Event)) error {
	var (
		in      = bufio.NewReaderSize(r, 64<<10)
		line    []byte
		current string // the test that output belongs to
	)
	for {
		var err error
		if line, err = readLine(in, line[:0]); len(line) > 0 {
			current = parseLine(line, current, emit)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine appends one line to buf: up to a newline, or up to a frame mark that
// does not begin the line, since output without a newline may stand before it.
func readLine(in *bufio.Reader, buf []byte) ([]byte, error) {
	escaped := false
	for len(buf) < longest {
		c, err := in.ReadByte()
		if err != nil {
			return buf, err
		}
		if c == markFrame && !escaped && len(buf) > 0 {
			return buf, in.UnreadByte()
		}
		buf = append(buf, c)
		if c == '\n' {
			break
		}
		escaped = c == markEscape && !escaped
	}
	return buf, nil
}

// parseLine emits the events of one line and returns the test that output after
// it belongs to.
func parseLine(line []byte, current string, emit func(Event)) string {
	if line[0] != markFrame {
		emit(Event{Action: ActionOutput, Test: current, Output: unmark(line)})
		return current
	}
	text := strings.TrimRight(string(line[1:]), "\r\n")
	e, ok := parseFrame(text)
	if !ok {
		emit(Event{Action: ActionOutput, Test: current, Output: unmark(line[1:])})
		return current
	}
	if e.Action != "" { // a mere change of attribution is no event
		emit(e)
	}
	if e.Action != ActionAttr && text != "" {
		emit(Event{Action: ActionOutput, Test: e.Test, Output: text + "\n"})
	}
	return e.Test
}

// frames are the lines that say what a test is about to do.
var frames = []struct {
	prefix string
	action Action
}{
	{"=== RUN ", ActionRun},
	{"=== PAUSE ", ActionPause},
	{"=== CONT ", ActionCont},
	{"=== NAME ", ""},
	{"=== ARTIFACTS ", ""},
	{"=== ATTR ", ActionAttr},
	{"--- PASS: ", ActionPass},
	{"--- FAIL: ", ActionFail},
	{"--- SKIP: ", ActionSkip},
}

// parseFrame reads a marked line, without mark and newline.
func parseFrame(text string) (Event, bool) {
	switch text {
	case "PASS":
		return Event{Action: ActionPass}, true
	case "FAIL":
		return Event{Action: ActionFail}, true
	case "=== NAME": // of no test, its spaces trimmed
		return Event{}, true
	}
	for _, f := range frames {
		rest, ok := strings.CutPrefix(strings.TrimLeft(text, " "), f.prefix)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " ")
		e := Event{Action: f.action}
		switch {
		case strings.HasPrefix(f.prefix, "---"):
			e.Test, e.Elapsed = parseResult(rest)
		case f.action == ActionAttr:
			e.Test, rest, _ = strings.Cut(rest, " ")
			e.Key, e.Value, _ = strings.Cut(rest, " ")
		default:
			e.Test, _, _ = strings.Cut(rest, " ")
		}
		return e, true
	}
	return Event{}, false
}

// parseResult reads "TestName (1.23s)". The testing package lets no space into a
// name.
func parseResult(text string) (string, time.Duration) {
	name, took, _ := strings.Cut(text, " ")
	took = strings.TrimPrefix(took, "(")
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(took, "s)"), 64)
	if err != nil || !(seconds >= 0 && seconds <= 1<<32) {
		return name, 0
	}
	return name, time.Duration(seconds * float64(time.Second))
}

// unmark removes the marks around errors and the escapes before marks.
func unmark(line []byte) string {
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == markEscape && i+1 < len(line) && isMark(line[i+1]):
			i++
			out = append(out, line[i])
		case c == markError || c == markEnd:
		default:
			out = append(out, c)
		}
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

func isMark(c byte) bool {
	return c == markFrame || c == markError || c == markEnd || c == markEscape
}
