//go:build linux

// Command airgap makes kind clusters possible where there is neither a
// registry nor a Docker engine: it builds a node image from Go modules and
// Debian packages, and runs a Docker engine in namespaces of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/causeway-gateway/causeway/hack/airgap/engine"
	"github.com/causeway-gateway/causeway/hack/airgap/nodeimage"
)

const help = `airgap makes kind clusters possible without a registry and without a Docker engine.

Usage:
  airgap image           build the node image, unless the cache has it, and print the path of its archive
  airgap exec CMD [ARG]  run a command beside a Docker engine of its own that has the node image;
                         it ends with the command, and all containers with it. Needs root.

In the command's environment CAUSEWAY_NODE_IMAGE names the node image.

Examples:
  go run ./hack/airgap image
  go run ./hack/airgap exec bin/causeway conformance run --cluster kind --implementation traefik
  go run ./hack/airgap exec bash
`

// nodeImageVariable tells causeway which node image to use by default.
const nodeImageVariable = "CAUSEWAY_NODE_IMAGE"

func main() { os.Exit(start()) }

func start() int {
	if engine.Reexecuted() { // by itself, in another role
		return engine.Main()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0: // the command has said why
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "airgap:", err)
	return 1
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(progress, help)
		return errors.New("name one of image and exec")
	}
	switch verb := args[0]; {
	case verb == "image" && len(args) == 1:
		archive, err := nodeimage.Find(ctx, progress)
		if err == nil {
			fmt.Fprintln(out, archive)
		}
		return err
	case verb == "exec" && len(args) > 1:
		archive, err := nodeimage.Find(ctx, progress)
		if err != nil {
			return err
		}
		return engine.Exec(ctx, engine.Options{
			Images: []string{archive}, Env: []string{nodeImageVariable + "=" + nodeimage.Name},
			Command: args[1:], Progress: progress,
		})
	case verb == "help" || verb == "-h" || verb == "--help":
		fmt.Fprint(out, help)
		return nil
	}
	fmt.Fprint(progress, help)
	return fmt.Errorf("%q is not understood", args)
}
