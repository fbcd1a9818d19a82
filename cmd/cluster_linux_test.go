package cmd

import (
	"strings"
	"testing"
)

// What is wrong with the command line itself is wrong usage, before anything is
// built or started; what is only not there is a failure.
func TestClusterUsage(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	const name = `"Bad_Name" is no name for a cluster`
	for reason, tc := range map[string]struct {
		args string
		code int
		says string
	}{
		"up of a bad name":             {"up --name Bad_Name", ExitUsage, name},
		"the same in the foreground":   {"up --name Bad_Name --foreground", ExitUsage, name},
		"down of a bad name":           {"down --name Bad_Name", ExitUsage, name},
		"status of a bad name":         {"status --name Bad_Name", ExitUsage, name},
		"kubeconfig of a bad name":     {"kubeconfig --name Bad_Name", ExitUsage, name},
		"exec in a bad name":           {"exec --name Bad_Name -- true", ExitUsage, name},
		"a row without a program":      {"up --image x", ExitUsage, "not of the form IMAGE=FILE"},
		"a program that is not there":  {"up --image x=/no/such", ExitUsage, "/no/such"},
		"an image that is none":        {"up --image a\tb=/bin/sh", ExitUsage, `"a\tb" is no image`},
		"exec of nothing":              {"exec", ExitUsage, "at least 1 arg"},
		"all, and one by name":         {"down --all --name x", ExitUsage, "exclude"},
		"an unknown form":              {"status -o yaml", ExitUsage, "-o yaml is not known"},
		"an unknown verb":              {"start", ExitUsage, "unknown command"},
		"kubeconfig of what is absent": {"kubeconfig --name absent", ExitFailed, "absent"},
		"status of what is absent":     {"status --name absent", ExitFailed, `there is no cluster "absent"`},
		"down of what is absent":       {"down --name absent", ExitDone, `there is no cluster "absent"`},
	} {
		t.Run(reason, func(t *testing.T) {
			code, _, errOut := run(t, "causeway", append([]string{"cluster"}, strings.Split(tc.args, " ")...)...)
			if code != tc.code || !strings.Contains(errOut, tc.says) {
				t.Errorf("exit %d, want %d saying %q:\n%s", code, tc.code, tc.says, errOut)
			}
		})
	}
}
