package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

// Exit codes. Scripts build on them, so a code never changes its meaning.
const (
	ExitDone          = 0
	ExitFailed        = 1 // something went wrong
	ExitUsage         = 2 // wrong usage
	ExitLost          = 3 // done, but --strict and something was lost
	ExitDifferent     = 4 // verification found a difference
	ExitNonconformant = 5 // conformance failed
)

// ExitError is an error with the exit code it ends in. Errors without a code
// end in [ExitFailed]. Without an Err there is nothing more to say.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the error without its code.
func (e *ExitError) Unwrap() error { return e.Err }

// usagef is a mistake in the command line, rather than in what it names.
func usagef(format string, args ...any) error {
	return &ExitError{ExitUsage, fmt.Errorf(format, args...)}
}

// usageErrors are how packages below mark mistakes in the command line.
var usageErrors = []error{conformance.ErrOptions, embedded.ErrOptions, kind.ErrOptions}

// usage gives an error of cobra the code of wrong usage.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &ExitError{ExitUsage, err}
}

// finish prints how a command line ended and returns its exit code. command is
// the path of the command that ran, for the hint at its help.
func finish(ctx context.Context, w io.Writer, command string, err error) int {
	if err == nil {
		return ExitDone
	}
	code := ExitFailed
	if slices.ContainsFunc(usageErrors, func(e error) bool { return errors.Is(err, e) }) {
		code = ExitUsage
	}
	var exit *ExitError
	if errors.As(err, &exit) {
		code = exit.Code
		if exit.Err == nil {
			return code
		}
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		fmt.Fprintln(w, "interrupted")
		return code
	}
	fmt.Fprintf(w, "error: %v\n", err)
	if code == ExitUsage {
		fmt.Fprintf(w, "see '%s --help'\n", command)
	}
	return code
}
