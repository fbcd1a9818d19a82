package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

// remembered are the flags that say what a run is, and that a resumed run takes
// over.
var remembered = []string{"implementation", "gateway-class", "features", "exempt-features", "cluster", "image", "local-images", "node-image", "kubernetes-version", "nodes", "ip-family", "kind-config", "load-balancer", "kubeconfig", "context", "profiles", "suite", "channel", "focus", "skip"}

// given are the remembered flags that were given.
func given(fl *pflag.FlagSet) []*pflag.Flag {
	var out []*pflag.Flag
	for _, name := range remembered {
		if flag := fl.Lookup(name); flag != nil && flag.Changed {
			out = append(out, flag)
		}
	}
	return out
}

// request is what was asked for, to be resumed.
func request(fl *pflag.FlagSet) map[string]string {
	out := map[string]string{}
	for _, flag := range given(fl) {
		out[flag.Name] = valueOf(flag)
	}
	return out
}

// valueOf is a flag's value as it could be given, of a list in one piece.
func valueOf(flag *pflag.Flag) string {
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		return strings.Join(list.GetSlice(), ",")
	}
	return flag.Value.String()
}

// takeOver sets the flags as the interrupted run had them.
func takeOver(fl *pflag.FlagSet, dir string) error {
	old, err := conformance.ReadResults(dir)
	if err != nil {
		return fmt.Errorf("--resume %s: %w", dir, err)
	}
	values := map[string][]string{}
	for name, value := range old.Request {
		values[name] = []string{value}
	}
	return goOn(fl, dir, values)
}

// goOn sets the remembered flags to the values that a run in dir had.
func goOn(fl *pflag.FlagSet, dir string, values map[string][]string) error {
	for _, name := range remembered {
		if fl.Changed(name) {
			return usagef("--%s cannot be changed by --resume, which goes on with the run as it was", name)
		}
		for _, value := range values[name] {
			if err := fl.Set(name, value); err != nil {
				return fmt.Errorf("--resume %s: %w", dir, err)
			}
		}
	}
	return nil
}
