//go:build kind && linux

package live

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
)

const helperArg = "helper"

// helpers are what this binary does in a pod, or as a process of its own.
var helpers = map[string]func(arg string) (string, error){
	"get": get,
	"lookup": func(name string) (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		addresses, err := net.DefaultResolver.LookupHost(ctx, name)
		return strings.Join(addresses, " "), err
	},
	// talk says something and waits until it is told to end.
	"talk": func(what string) (string, error) {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		fmt.Println(what)
		<-signals
		return "bye\n", nil
	},
	// crash makes a cluster and stays until it is killed.
	"crash": func(name string) (string, error) {
		o, err := options(name)
		if err != nil {
			return "", err
		}
		o.Images = nil
		if _, err := kind.NewProvider(o).Create(context.Background()); err != nil {
			return "", err
		}
		fmt.Println(created)
		select {}
	},
	// hold is the background process of a cluster.
	"hold": func(name string) (string, error) {
		return "", kind.Hold(context.Background(), name, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
	},
}

const created = "created"

func runHelper(args []string) (code int, handled bool) {
	if len(args) != 4 || args[1] != helperArg {
		return 0, false
	}
	out, err := helpers[args[2]](args[3])
	fmt.Print(out)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

// get is the body of an answer to a new connection.
func get(url string) (string, error) {
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}
