package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// api is what a run asks of the cluster's API.
type api interface {
	// class is what a GatewayClass says.
	class(ctx context.Context, name string) (claim, error)
	// mesh is what an XMesh says.
	mesh(ctx context.Context, name string) (claim, error)
	// standing are those of the given namespaces that exist.
	standing(ctx context.Context, namespaces []string) ([]string, error)
	// remove deletes namespaces and GatewayClasses.
	remove(ctx context.Context, namespaces, classes []string) error
	// versions are that of Kubernetes and the images of the pods that sources name.
	versions(ctx context.Context, sources []LogSource) (kubernetes string, images []Image, err error)
	// collect writes objects, events and logs into a folder.
	collect(ctx context.Context, dir string, what collection) error
}

// claim is what a GatewayClass or an XMesh says of its implementation.
type claim struct {
	found      bool
	controller string
	accepted   string // status of the condition Accepted; empty when nobody set it
	message    string
	features   []string
}

// notReady is the verdict on an implementation that cannot be tested.
type notReady struct{ why string }

func (e *notReady) Error() string { return e.why }

// poll is how often the API is asked while waiting.
const poll = 250 * time.Millisecond

// awaitReady waits until the implementation's GatewayClass is accepted and its
// XMesh is there, and for their supported features if those are to be inferred.
// It returns the features, nil when they are listed or there is nobody to ask.
func awaitReady(ctx context.Context, a api, impl *Implementation, limit time.Duration) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var features []string
	for _, x := range []struct {
		name  string
		ask   func(ctx context.Context, name string) (claim, error)
		judge func(claim) (problem string, final bool)
	}{
		{impl.GatewayClass, a.class, impl.judge},
		{impl.Mesh, a.mesh, impl.judgeMesh},
	} {
		if x.name == "" {
			continue
		}
		c, err := await(ctx, func() (claim, error) { return x.ask(ctx, x.name) }, x.judge, limit)
		if err != nil {
			return nil, err
		}
		features = append(features, c.features...)
	}
	if !impl.infers() {
		return nil, nil
	}
	slices.Sort(features)
	return slices.Compact(features), nil
}

func await(ctx context.Context, ask func() (claim, error), judge func(claim) (problem string, final bool), limit time.Duration) (claim, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		c, err := ask()
		problem, final := judge(c)
		if err != nil && ctx.Err() == nil {
			problem, final = fmt.Sprintf("the API does not answer: %v", err), false
		}
		switch {
		case problem == "" && err == nil:
			return c, nil
		case final:
			return c, &notReady{problem}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return c, ctx.Err()
			}
			return c, &notReady{fmt.Sprintf("after %s %s", limit, problem)}
		}
	}
}

// judge says what is wrong with a GatewayClass, and whether waiting cannot help.
func (i *Implementation) judge(c claim) (problem string, final bool) {
	name := "GatewayClass " + i.GatewayClass
	switch {
	case !c.found:
		return name + " does not exist", false
	case i.Controller != "" && c.controller != i.Controller:
		// The field is immutable.
		return fmt.Sprintf("%s names the controller %s, and not the implementation's %s", name, c.controller, i.Controller), true
	case c.accepted == "" || c.accepted == "Unknown":
		return fmt.Sprintf("%s was picked up by no controller: is %s running?", name, c.controller), false
	case c.accepted != "True":
		return strings.TrimSpace(fmt.Sprintf("%s is not accepted: %s", name, c.message)), false
	case i.infers() && i.Mesh == "" && len(c.features) == 0:
		return name + " is accepted, but its status says no supportedFeatures: list the implementation's features", false
	}
	return "", false
}

// judgeMesh says what is wrong with an XMesh. Its kind is of the experimental
// channel, and meshes may say their features and leave Accepted alone.
func (i *Implementation) judgeMesh(c claim) (problem string, final bool) {
	name := "XMesh " + i.Mesh
	switch {
	case !c.found:
		return name + " does not exist", false
	case c.accepted == "False":
		return strings.TrimSpace(fmt.Sprintf("%s is not accepted: %s", name, c.message)), false
	case i.infers() && len(c.features) == 0:
		return fmt.Sprintf("the status of %s says no supportedFeatures: is %s running? Else list the implementation's features", name, c.controller), false
	}
	return "", false
}

// awaitGone waits until none of the suite's namespaces exists: a suite that
// stopped a moment ago leaves them behind while they are deleted.
func awaitGone(ctx context.Context, a api, namespaces []string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		left, err := a.standing(ctx, namespaces)
		if err == nil && len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("asking the cluster for its namespaces: %w", err)
			}
			return fmt.Errorf("the cluster holds namespaces of a conformance suite: another run, or what one left behind: kubectl delete namespace %s", strings.Join(left, " "))
		}
	}
}
