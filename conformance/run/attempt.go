package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// attempt is one run of the suite in a cluster of its own.
type attempt struct {
	*runner
	Attempt
	dir     string // of its files
	tests   []string
	cluster Cluster
	api     api
	// gathering are the collections of artifacts under way.
	gathering group
	process   *process
	tracker   *tracker
	// stops receives why the suite must end early; the first reason counts.
	stops chan stop
}

// stop is why a suite is ended before its tests are.
type stop struct {
	status Status
	detail string
	// blamed are the tests that failed by it, with what their logs should say.
	blamed map[string]string
	keep   string // the test whose objects are to be kept
	dump   bool   // the stacks of all goroutines may say why
}

// Names in the folder of an attempt.
const (
	consoleFile = "console.log"
	optionsFile = "options.yaml"
	wholeFolder = "_run" // artifacts of no single test
)

// run runs the given tests. The error is of the machinery around the suite;
// everything the suite and the implementation do ends in a status.
func (a *attempt) run(ctx context.Context) (err error) {
	if a.cluster, err = a.up(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.down(ctx)) }()
	if a.api, err = a.o.connect(a.cluster.Kubeconfig()); err != nil {
		return err
	}
	a.o.View.Step("waiting for the cluster to be free of other suites")
	if err := awaitGone(ctx, a.api, a.listing.Namespaces, a.o.Limits.Ready); err != nil {
		return err
	}
	features, err := a.ready(ctx)
	a.Ready = time.Since(a.Started).Seconds()
	var broken *notReady
	if errors.As(err, &broken) && ctx.Err() == nil {
		a.Status, a.Detail = StatusNotReady, broken.why
		a.gatherNow(ctx, "", nil)
		a.Artifacts = a.relative(a.artifacts(""))
		return nil
	}
	if err != nil {
		return err
	}
	plan, err := NewPlan(a.listing, &a.o, features)
	if err != nil {
		return err
	}
	if a.Kind == KindMain {
		a.noteVersions(ctx)
	}
	if a.Kind != KindRerun {
		a.tests = a.adopt(plan)
	}
	a.Attempt.Tests = len(a.tests)
	return a.suite(ctx, plan)
}

func (a *attempt) up(ctx context.Context) (Cluster, error) {
	a.o.View.Step("starting cluster " + a.o.ClusterName)
	up, cancel := context.WithTimeout(ctx, a.o.Limits.Up)
	defer cancel()
	c, err := a.o.Clusters.Up(up)
	if err != nil {
		return nil, fmt.Errorf("starting cluster %s: %w", a.o.ClusterName, err)
	}
	return c, nil
}

// down removes the cluster, even after an interrupt.
func (a *attempt) down(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.o.Limits.Down)
	defer cancel()
	a.o.View.Step("removing cluster " + a.o.ClusterName)
	if err := a.cluster.Down(ctx); err != nil {
		return fmt.Errorf("removing cluster %s: %w", a.o.ClusterName, err)
	}
	return nil
}

// ready installs the implementation and waits for it. An installation that fails
// is the implementation's failure.
func (a *attempt) ready(ctx context.Context) ([]string, error) {
	impl := &a.o.Implementation
	if impl.Install != nil {
		a.o.View.Step("installing " + impl.Name)
		install, cancel := context.WithTimeout(ctx, a.o.Limits.Install)
		defer cancel()
		if err := impl.Install(install, a.cluster, a.listing.Version, a.o.View); err != nil {
			return nil, &notReady{fmt.Sprintf("installing %s: %v%s", impl.Name, err, a.classProblem(ctx))}
		}
	}
	a.o.View.Step("waiting for " + impl.Name)
	return awaitReady(ctx, a.api, impl, a.o.Limits.Ready)
}

// noteVersions records what the suite runs against. It is for the record only,
// so that it cannot be had is a warning.
func (a *attempt) noteVersions(ctx context.Context) {
	kubernetes, images, err := a.api.versions(ctx, a.o.Implementation.Logs)
	if err != nil {
		a.warn(fmt.Sprintf("not recorded: %v", err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.results.Kubernetes, a.results.Images = kubernetes, images
}

// classProblem is what the GatewayClass has to say of an installation that failed,
// which may know no more than that its time is up.
func (a *attempt) classProblem(ctx context.Context) string {
	if a.o.Implementation.GatewayClass == "" {
		return ""
	}
	state, err := a.api.class(ctx, a.o.Implementation.GatewayClass)
	problem, _ := a.o.Implementation.judge(state)
	if err != nil || problem == "" {
		return ""
	}
	return "; " + problem
}

// suite runs the suite's binary to its end, or to a reason to stop it.
func (a *attempt) suite(ctx context.Context, plan *Plan) error {
	report := ""
	if a.Kind == KindMain && a.o.Implementation.reportable() == "" {
		report = filepath.Join(a.dir, ReportFile)
	}
	options := filepath.Join(a.dir, optionsFile)
	if err := optionsFor(&a.o, plan, a.tests, a.Kind == KindRerun, report).write(options); err != nil {
		return err
	}
	console, err := os.Create(filepath.Join(a.dir, consoleFile))
	if err != nil {
		return fmt.Errorf("writing the console log: %w", err)
	}
	defer console.Close()
	a.Console = a.relative(console.Name())
	a.tracker = newTracker(filepath.Join(a.dir, "logs"), a.tests, a.o.View)
	a.tracker.finished = a.finished
	a.tracker.failing = func(name, full string, exchanges []byte) { a.failing(ctx, name, full, exchanges) }

	args := []string{
		"-test.v=test2json", "-test.count=1",
		// We stop it before it stops itself, which would lose its last words.
		"-test.timeout=" + (a.o.Limits.Suite + time.Minute).String(),
		"-conformance-options-file=" + options,
		"-causeway.driven", "-causeway.ack-wait=" + (a.o.Limits.Collect + grace).String(),
	}
	if a.o.Implementation.Prepare != nil {
		args = append(args, "-causeway.prepare")
		a.tracker.prepare = func() { a.gathering.start(func() { a.prepare(ctx) }) }
	}
	a.process, err = startProcess(ctx, a.cluster, a.dir, a.o.Suite.Path, args...)
	if err != nil {
		return err
	}
	a.o.View.Begin(a.title(), len(a.tests))
	defer a.o.View.End()
	read := make(chan error, 1)
	go func() {
		read <- readEvents(a.process, func(e Event) {
			if e.Action == ActionOutput {
				_, _ = io.WriteString(console, e.Output)
			}
			a.tracker.handle(e)
		})
	}()
	watching, unwatch := context.WithCancel(ctx)
	defer unwatch()
	go a.watch(watching)

	var why stop
	select {
	case err = <-read:
	case why = <-a.stops:
	case <-ctx.Done():
		why = stop{status: StatusInterrupted, detail: "interrupted"}
	}
	unwatch()
	if why.status != "" {
		a.halt(ctx, why)
		err = <-read
	}
	<-a.process.done
	a.gathering.wait()
	if err != nil {
		return fmt.Errorf("reading what the suite prints: %w", err)
	}
	a.tracker.abandon(func(name string) string { return why.blamed[name] })
	a.judge(why)
	if why.keep != "" {
		a.o.Keep(ctx, a.cluster, why.keep)
	}
	return a.sweep(ctx, why)
}

// prepare does what the implementation needs between set-up and tests, and lets
// the tests go. That it fails is the implementation's failure.
func (a *attempt) prepare(ctx context.Context) {
	limit := min(a.o.Limits.Install, a.o.Limits.Test)
	ctx, cancel := context.WithTimeout(ctx, limit-limit/20) // to have the last word
	defer cancel()
	a.o.View.Step("preparing " + a.o.Implementation.Name)
	if err := a.o.Implementation.Prepare(ctx, a.cluster, a.o.View); err != nil {
		select {
		case a.stops <- stop{status: StatusNotReady, detail: err.Error()}:
		default:
		}
		return
	}
	a.process.order("go")
}

func (a *attempt) title() string {
	if a.Kind == KindRerun {
		return "again, alone: " + strings.Join(a.tests, ", ")
	}
	return fmt.Sprintf("%s · suite %s · %s", a.o.Implementation.Name, a.listing.Version, a.o.ClusterName)
}

// watch stops a suite that takes too long, in a test or altogether.
func (a *attempt) watch(ctx context.Context) {
	tick := time.NewTicker(min(time.Second, a.o.Limits.Test/4+time.Millisecond))
	defer tick.Stop()
	start := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			why := stop{status: StatusTimedOut, dump: true, blamed: map[string]string{}}
			var stuck []string
			for name, since := range a.tracker.running() {
				if now.Sub(since) > a.o.Limits.Test {
					stuck = append(stuck, orSetUp(name))
					why.blamed[name] = fmt.Sprintf("timed out: stopped by causeway after %s", a.o.Limits.Test)
				}
			}
			slices.Sort(stuck)
			switch {
			case len(stuck) > 0:
				why.detail = fmt.Sprintf("%s took longer than %s", strings.Join(stuck, ", "), a.o.Limits.Test)
			case now.Sub(start) > a.o.Limits.Suite:
				why.detail = fmt.Sprintf("the tests took longer than %s", a.o.Limits.Suite)
			default:
				continue
			}
			select {
			case a.stops <- why:
			default:
			}
			return
		}
	}
}

func orSetUp(test string) string {
	if test == "" {
		return "set-up"
	}
	return test
}

// halt ends the suite early. Objects of the tests that are to blame still stand.
func (a *attempt) halt(ctx context.Context, why stop) {
	for name := range why.blamed {
		a.gather(ctx, name, nil)
	}
	if why.status == StatusTimedOut && len(why.blamed) == 0 {
		a.gather(ctx, "", nil)
	}
	if why.dump {
		a.process.order("dump")
	}
	a.gathering.wait()
	a.process.stop()
}

// failing is told of a failed test whose objects still stand. The test waits
// until it is acknowledged, everything else goes on.
func (a *attempt) failing(ctx context.Context, name, full string, exchanges []byte) {
	if a.o.KeepOnFailure {
		// Without an acknowledgement the objects stand until the suite is ended.
		a.gather(ctx, name, exchanges)
		select {
		case a.stops <- stop{status: StatusFailed, detail: orSetUp(name) + " failed, and its objects were kept", keep: orSetUp(name),
			blamed: map[string]string{name: "failed; stopped by causeway to keep its objects"}}:
		default:
		}
		return
	}
	a.gathering.start(func() {
		a.gatherNow(ctx, name, exchanges)
		a.process.order("ack " + full)
	})
}

// gather collects the artifacts of a test, or of the attempt as a whole, unless
// that happened before.
func (a *attempt) gather(ctx context.Context, name string, exchanges []byte) {
	a.gathering.start(func() { a.gatherNow(ctx, name, exchanges) })
}

func (a *attempt) gatherNow(ctx context.Context, name string, exchanges []byte) {
	dir := a.artifacts(name)
	if os.MkdirAll(filepath.Dir(dir), 0o755) != nil || os.Mkdir(dir, 0o755) != nil {
		return // it is being collected already
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.o.Limits.Collect)
	defer cancel()
	err := a.api.collect(ctx, dir, collection{since: a.Started, namespaces: a.listing.Namespaces, logs: a.o.Implementation.Logs})
	if len(exchanges) > 0 {
		err = errors.Join(err, writeExchanges(dir, exchanges))
	}
	if err != nil {
		_ = os.WriteFile(filepath.Join(dir, "errors.txt"), []byte(err.Error()+"\n"), 0o644)
	}
}

// artifacts is the folder of a test's artifacts, or of those of the attempt.
func (a *attempt) artifacts(name string) string {
	file := wholeFolder
	if name != "" {
		file = fileName(name)
	}
	return filepath.Join(a.dir, "artifacts", file)
}

// finished is told of each test of the attempt that ended.
func (a *attempt) finished(name string, run TestRun) {
	run.Attempt = a.Number
	run.Log = a.relative(run.Log)
	if dir := a.artifacts(name); run.Outcome == Failed && exists(dir) {
		run.Artifacts = a.relative(dir)
	}
	a.record(name, run)
}

// judge gives the attempt its status, once the suite has ended.
func (a *attempt) judge(why stop) {
	if dir := a.artifacts(""); exists(dir) {
		a.Artifacts = a.relative(dir)
	}
	began, words := a.tracker.setUp()
	failed := a.failedIn(a.Number)
	switch {
	case why.status != "":
		a.Status, a.Detail = why.status, why.detail
	case a.tracker.ended == "":
		a.Status, a.Detail = StatusCrashed, fmt.Sprintf("the suite ended before its tests did (%v); see %s", a.process.err, a.Console)
	case !began && a.tracker.ended == ActionFail:
		a.Status, a.Detail = StatusSetupFailed, "the suite could not set up its own objects: "+gist(words)
	case failed > 0:
		a.Status, a.Detail = StatusFailed, fmt.Sprintf("%d tests failed", failed)
	default:
		a.Status = StatusPassed
		if a.tracker.ended == ActionFail {
			a.warn(fmt.Sprintf("attempt %d: the suite failed outside of its tests: %s", a.Number, gist(words)))
		}
	}
}

// sweep removes what a suite that was stopped leaves in a cluster that stays.
func (a *attempt) sweep(ctx context.Context, why stop) error {
	if !a.o.Shared || why.keep != "" || why.status == "" && a.tracker.ended != "" {
		return nil
	}
	a.o.View.Step("removing the suite's namespaces")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.o.Limits.Down)
	defer cancel()
	// None of them existed before the attempt.
	if err := a.api.remove(ctx, a.listing.Namespaces, a.listing.GatewayClasses); err != nil {
		return fmt.Errorf("removing what the suite left behind: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
