//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "airgap: nodes and engine need Linux; install Docker here, and kind pulls its own node image")
	os.Exit(1)
}
