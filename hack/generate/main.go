// Command generate prints synthetic Ingresses with their Services as YAML, to
// try Causeway at scale: go run ./hack/generate -n 20000 | causeway migrate -f -
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/causeway-gateway/causeway/fixtures/generate"
)

func main() {
	n := flag.Int("n", 1000, "number of Ingresses")
	seed := flag.Uint64("seed", 1, "the same seed prints the same Ingresses")
	flag.Parse()
	if flag.NArg() > 0 || *n < 0 {
		flag.Usage()
		os.Exit(2)
	}
	if _, err := os.Stdout.Write(generate.YAML(*n, *seed)); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
