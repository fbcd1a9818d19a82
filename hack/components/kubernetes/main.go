// Command kubernetes is the Kubernetes programs of a kind node that are not in
// the control plane's file: kubeadm, kubelet, kubectl, kube-scheduler and
// kube-proxy, and CoreDNS with the plugins that kubeadm configures. It acts as
// the one whose name it was started by. One file shares what they have in
// common.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/coredns/coredns/coremain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's, for kubeconfigs that name one
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics that each program registers
	_ "k8s.io/component-base/metrics/prometheus/version"  // metrics that each program registers
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// programs are what the file can act as. Each does what the main function of
// k8s.io/kubernetes/cmd/NAME does: it ends the process itself or returns its
// exit code.
var programs = map[string]func() int{
	"coredns":        func() int { coremain.Run(); return 0 },
	"kubeadm":        func() int { kubeadmerrors.HandleError(kubeadm.Run()); return 0 },
	"kubectl":        runKubectl,
	"kubelet":        func() int { return cli.Run(kubelet.NewKubeletCommand(context.Background())) },
	"kube-proxy":     func() int { return cli.Run(proxy.NewProxyCommand()) },
	"kube-scheduler": func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
}

func runKubectl() int {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)) // a bad -v is reported by the command itself
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

func main() {
	name := filepath.Base(os.Args[0])
	run, ok := programs[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: start me through a link named after one of %q\n", name, slices.Sorted(maps.Keys(programs)))
		os.Exit(2)
	}
	os.Exit(run())
}
