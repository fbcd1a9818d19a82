package kind

import (
	"fmt"
	"strings"

	kindexec "sigs.k8s.io/kind/pkg/exec"
	"sigs.k8s.io/kind/pkg/log"
)

// logger passes what kind says to a line function, without its ornaments.
type logger struct {
	logf func(format string, args ...any)
}

func (l logger) line(s string) {
	s = strings.Map(func(r rune) rune {
		if r > 0x2000 || r == '✓' { // bullets, check marks and pictures
			return -1
		}
		return r
	}, s)
	if s = strings.TrimSpace(s); s != "" {
		l.logf("kind: %s", s)
	}
}

// Warn passes a warning on.
func (l logger) Warn(message string) { l.line("warning: " + message) }

// Warnf passes a warning on.
func (l logger) Warnf(format string, args ...any) { l.Warn(fmt.Sprintf(format, args...)) }

// Error passes an error on.
func (l logger) Error(message string) { l.line("error: " + message) }

// Errorf passes an error on.
func (l logger) Errorf(format string, args ...any) { l.Error(fmt.Sprintf(format, args...)) }

// V is a logger that passes on what is for everybody, and no details.
func (l logger) V(level log.Level) log.InfoLogger { return info{logger: l, enabled: level == 0} }

// info is kind's logger of one level of detail.
type info struct {
	logger
	enabled bool
}

// Enabled reports whether anything is passed on.
func (i info) Enabled() bool { return i.enabled }

// Info passes a message on.
func (i info) Info(message string) {
	if i.enabled {
		i.line(message)
	}
}

// Infof passes a message on.
func (i info) Infof(format string, args ...any) { i.Info(fmt.Sprintf(format, args...)) }

// explained adds to an error what the failed command printed, or its end.
func explained(err error) error {
	if err == nil {
		return nil
	}
	run := kindexec.RunErrorForError(err)
	if run == nil {
		return err
	}
	output := strings.TrimSpace(string(run.Output))
	if len(output) > 4000 {
		output = "…" + output[len(output)-4000:]
	}
	return fmt.Errorf("%w\n%s", err, output)
}
