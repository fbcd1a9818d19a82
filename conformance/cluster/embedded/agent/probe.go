//go:build linux

package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/runtime"
)

// eager is how often a container is asked that has not been ready yet. The
// kubelet would wait for the probe's period, 10 s by default; a test suite
// starts many pods and waits for each.
const eager = 200 * time.Millisecond

// probe watches a running container until ctx ends. What it returns has a
// value when the container is to be restarted.
func (c *container) probe(ctx context.Context, p *runtime.Process) <-chan error {
	failed := make(chan error, 2)
	fail := func(err error) {
		if err != nil && ctx.Err() == nil {
			failed <- err
		}
	}
	go func() {
		if startup := c.spec.StartupProbe; startup != nil {
			err := c.repeat(ctx, p, startup, asking{kind: "Startup", delay: delay(startup), every: period(startup), good: true, bad: true})
			if fail(err); err != nil {
				return
			}
			c.set(func(s *containerState) { s.started, s.ready = true, c.spec.ReadinessProbe == nil })
		}
		if liveness := c.spec.LivenessProbe; liveness != nil {
			go func() {
				fail(c.repeat(ctx, p, liveness, asking{kind: "Liveness", delay: delay(liveness), every: period(liveness), bad: true}))
			}()
		}
		if c.spec.ReadinessProbe != nil {
			c.readiness(ctx, p)
		}
	}()
	return failed
}

func (c *container) readiness(ctx context.Context, p *runtime.Process) {
	probe := c.spec.ReadinessProbe
	first := delay(probe)
	for ctx.Err() == nil {
		if c.repeat(ctx, p, probe, asking{delay: first, every: min(eager, period(probe)), good: true}) != nil {
			return
		}
		c.set(func(s *containerState) { s.ready = true })
		_ = c.repeat(ctx, p, probe, asking{kind: "Readiness", delay: period(probe), every: period(probe), bad: true})
		if ctx.Err() == nil {
			c.set(func(s *containerState) { s.ready = false })
		}
		first = eager
	}
}

func period(p *corev1.Probe) time.Duration { return seconds(p.PeriodSeconds, 10) }

func delay(p *corev1.Probe) time.Duration { return time.Duration(p.InitialDelaySeconds) * time.Second }

func seconds(n, otherwise int32) time.Duration {
	if n <= 0 {
		n = otherwise
	}
	return time.Duration(n) * time.Second
}

// asking says how a probe is repeated.
type asking struct {
	kind         string        // for the events of failures; empty for none
	delay, every time.Duration // before the first time and between two
	good, bad    bool          // end at the threshold of successes, of failures
}

// repeat asks again and again. It returns nil at the threshold of successes,
// the last failure at the threshold of failures, and ctx's error at its end.
func (c *container) repeat(ctx context.Context, p *runtime.Process, probe *corev1.Probe, a asking) error {
	var good, bad int32
	for wait := a.delay; ; wait = a.every {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		limited, cancel := context.WithTimeout(ctx, seconds(probe.TimeoutSeconds, 1))
		err := c.ask(limited, p, probe.ProbeHandler)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			good, bad = good+1, 0
			if a.good && good >= max(probe.SuccessThreshold, 1) {
				return nil
			}
		default:
			good, bad = 0, bad+1
			if a.kind != "" {
				c.w.event(corev1.EventTypeWarning, "Unhealthy", "%s probe of container %s failed: %v", a.kind, c.spec.Name, err)
			}
			if a.bad && bad >= max(probe.FailureThreshold, 1) {
				return err
			}
		}
	}
}

// ask carries out one probe.
func (c *container) ask(ctx context.Context, p *runtime.Process, h corev1.ProbeHandler) error {
	switch {
	case h.HTTPGet != nil:
		return c.httpGet(ctx, h.HTTPGet)
	case h.TCPSocket != nil:
		port, err := c.port(h.TCPSocket.Port)
		if err != nil {
			return err
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address(h.TCPSocket.Host, port))
		if err != nil {
			return err
		}
		return conn.Close()
	case h.GRPC != nil:
		return c.grpcHealth(ctx, h.GRPC)
	case h.Exec != nil:
		return execProbe(ctx, p, h.Exec.Command)
	}
	return nil
}

func execProbe(ctx context.Context, p *runtime.Process, command []string) error {
	var out bytes.Buffer
	exit, err := p.Exec(ctx, command, runtime.Streams{Out: &out, Err: &out})
	if err != nil {
		return err
	}
	if exit.Code != 0 {
		return fmt.Errorf("exit code %d: %s", exit.Code, bytes.TrimSpace(out.Bytes()[:min(out.Len(), 1<<10)]))
	}
	return nil
}

// probeClient does not follow redirects, nor check certificates, like the kubelet.
var probeClient = &http.Client{
	Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a probe asks whether, not who
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *container) httpGet(ctx context.Context, h *corev1.HTTPGetAction) error {
	port, err := c.port(h.Port)
	if err != nil {
		return err
	}
	path, err := url.Parse("/" + strings.TrimPrefix(h.Path, "/"))
	if err != nil {
		return err
	}
	path.Scheme, path.Host = "http", c.address(h.Host, port)
	if h.Scheme != "" {
		path.Scheme = strings.ToLower(string(h.Scheme))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, path.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "kube-probe/1.37")
	for _, header := range h.HTTPHeaders {
		req.Header.Add(header.Name, header.Value)
		if strings.EqualFold(header.Name, "Host") {
			req.Host = header.Value
		}
	}
	resp, err := probeClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 10<<10)
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	return nil
}

func (c *container) grpcHealth(ctx context.Context, h *corev1.GRPCAction) error {
	conn, err := grpc.NewClient("passthrough:///"+c.address("", int(h.Port)), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	service := ""
	if h.Service != nil {
		service = *h.Service
	}
	resp, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return err
	}
	if resp.Status != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("health is %s", resp.Status)
	}
	return nil
}

func (c *container) address(host string, port int) string {
	if host == "" {
		host = c.w.ip.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// port resolves the name of a container's port.
func (c *container) port(p intstr.IntOrString) (int, error) {
	if p.Type == intstr.Int {
		return p.IntValue(), nil
	}
	for _, declared := range c.spec.Ports {
		if declared.Name == p.StrVal {
			return int(declared.ContainerPort), nil
		}
	}
	return 0, fmt.Errorf("container %s has no port named %q", c.spec.Name, p.StrVal)
}

func hookOf(l *corev1.Lifecycle, start bool) *corev1.LifecycleHandler {
	switch {
	case l == nil:
		return nil
	case start:
		return l.PostStart
	}
	return l.PreStop
}

// hook runs a lifecycle hook. Its failure is told and changes nothing else.
func (c *container) hook(ctx context.Context, name string, h *corev1.LifecycleHandler) {
	if h == nil {
		return
	}
	p, ok := c.running()
	if !ok {
		return
	}
	var err error
	if h.Sleep != nil {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(h.Sleep.Seconds) * time.Second):
		}
	} else {
		err = c.ask(ctx, p, corev1.ProbeHandler{Exec: h.Exec, HTTPGet: h.HTTPGet, TCPSocket: h.TCPSocket})
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		c.w.event(corev1.EventTypeWarning, "Failed"+strings.ToUpper(name[:1])+name[1:]+"Hook", "Hook of container %s: %v", c.spec.Name, err)
	}
}
