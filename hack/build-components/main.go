// Command build-components fills the cache with all that a conformance run
// drives and does not contain: the programs of embedded clusters and the
// suites. With -node it builds the programs of a kind node instead. What is
// there already is not built again.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

func main() {
	node := flag.Bool("node", false, "build the programs of a kind node")
	flag.Parse()
	if err := build(*node); err != nil {
		fmt.Fprintln(os.Stderr, "build-components:", err)
		os.Exit(1)
	}
}

func build(node bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	finder := components.Finder{Logf: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	for _, name := range components.NamesOf(node) {
		if err := told(name, func() (string, error) { return finder.Find(ctx, name) }); err != nil {
			return err
		}
	}
	if node {
		return nil
	}
	for _, version := range conformance.SuiteVersions() {
		err := told("suite "+version, func() (string, error) {
			s, err := conformance.FindSuite(ctx, version, os.Stderr)
			return s.Path, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// told says where a program is and how long it took to get there.
func told(name string, find func() (string, error)) error {
	start := time.Now()
	path, err := find()
	if err == nil {
		fmt.Printf("%-20s %6.1f s  %s\n", name, time.Since(start).Seconds(), path)
	}
	return err
}
