// Command causeway moves Ingress routing to the Gateway API.
package main

import (
	"os"

	"github.com/causeway-gateway/causeway/cmd"
)

func main() { os.Exit(cmd.Main()) }
