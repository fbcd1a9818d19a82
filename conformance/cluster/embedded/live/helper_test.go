//go:build cluster && linux

package live

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
)

// helpers are what this binary does as a program inside a cluster, or as a
// user of one: nothing has to be installed for the tests.
var helpers = map[string]func(arg string) (string, error){
	"get": func(url string) (string, error) {
		client := &http.Client{Timeout: 3 * time.Second}
		resp, err := client.Get(url)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	},
	"udp": func(address string) (string, error) {
		conn, err := net.Dial("udp", address)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
			return "", err
		}
		if _, err := conn.Write([]byte("ping")); err != nil {
			return "", err
		}
		buf := make([]byte, 1<<12)
		n, err := conn.Read(buf)
		return string(buf[:n]), err
	},
	"lookup": func(name string) (string, error) {
		addresses, err := net.LookupHost(name)
		return strings.Join(addresses, " "), err
	},
	// hold starts a cluster and keeps it: the process that a test kills.
	"hold": func(name string) (string, error) {
		o := options(name)
		o.Logf = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
		c, err := embedded.Up(context.Background(), o)
		if err != nil {
			return "", err
		}
		fmt.Println("ready")
		<-c.Done()
		return "", nil
	},
	// whole starts a cluster, runs a command in it and ends it.
	"whole": func(name string) (string, error) {
		ctx := context.Background()
		c, err := embedded.Up(ctx, options(name))
		if err != nil {
			return "", err
		}
		out, err := c.Command(ctx, os.Args[0], helperArg, "lookup", "kubernetes.default").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		if derr := c.Down(ctx); err == nil {
			err = derr
		}
		return string(out), err
	},
}

const helperArg = "helper"

func helper(args []string) (code int, handled bool) {
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

// inside runs a helper in the shared cluster.
func inside(ctx context.Context, name, arg string) (string, error) {
	return output(provider.Command(ctx, os.Args[0], helperArg, name, arg))
}

func output(cmd *exec.Cmd) (string, error) {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
}

// nextLine is the next line, which must come.
func nextLine(g Gomega, lines *bufio.Scanner, of string) string {
	g.Expect(lines.Scan()).To(BeTrue(), "%s ended, with error %v, after the line %q", of, lines.Err(), lines.Text())
	return lines.Text()
}
