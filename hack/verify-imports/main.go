// Command verify-imports holds the tree to the rules of docs/design.md: which
// package may import which, which modules stay out of go.mod, and that no file
// tells where it was written. It exits 1 on a violation; long files are only
// warned about.
//
//	go run ./hack/verify-imports [-C DIR]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	dir := flag.String("C", ".", "root of the module to check")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, *dir, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, dir string, out, errOut io.Writer) int {
	module, packages, err := load(ctx, dir)
	if err != nil {
		fmt.Fprintln(errOut, "verify-imports:", err)
		return 1
	}
	violations := checkImports(module, packages)
	more, warnings, err := checkFiles(ctx, dir)
	if err != nil {
		fmt.Fprintln(errOut, "verify-imports:", err)
		return 1
	}
	violations = append(violations, more...)
	for _, w := range warnings {
		fmt.Fprintln(errOut, "warning:", w)
	}
	for _, v := range violations {
		fmt.Fprintln(errOut, v)
	}
	if len(violations) > 0 {
		fmt.Fprintf(errOut, "%d violations of the rules in docs/design.md\n", len(violations))
		return 1
	}
	fmt.Fprintf(out, "imports: %d packages, all within the rules\n", len(packages))
	return 0
}
