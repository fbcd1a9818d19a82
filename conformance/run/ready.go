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
	// class is the state of a GatewayClass.
	class(ctx context.Context, name string) (classState, error)
	// meshFeatures are the features that an XMesh says it supports.
	meshFeatures(ctx context.Context, name string) ([]string, error)
	// standing are those of the given namespaces that exist.
	standing(ctx context.Context, namespaces []string) ([]string, error)
	// remove deletes namespaces and GatewayClasses.
	remove(ctx context.Context, namespaces, classes []string) error
	// versions are that of Kubernetes and the images of the pods that sources name.
	versions(ctx context.Context, sources []LogSource) (kubernetes string, images []Image, err error)
	// collect writes objects, events and logs into a folder.
	collect(ctx context.Context, dir string, what collection) error
}

// classState is what a GatewayClass says.
type classState struct {
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

// awaitReady waits until the implementation's GatewayClass is accepted, and for
// its supported features if those are to be inferred. It returns the features, nil
// when they are listed or there is no class to ask.
func awaitReady(ctx context.Context, a api, impl *Implementation, limit time.Duration) ([]string, error) {
	if impl.GatewayClass == "" && impl.Mesh == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var features []string
	if impl.GatewayClass != "" {
		state, err := awaitClass(ctx, a, impl, limit)
		if err != nil {
			return nil, err
		}
		features = state.features
	}
	if !impl.infers() {
		return nil, nil
	}
	if impl.Mesh != "" {
		mesh, err := a.meshFeatures(ctx, impl.Mesh)
		if err != nil {
			return nil, &notReady{fmt.Sprintf("asking XMesh %s for its features: %v", impl.Mesh, err)}
		}
		features = slices.Concat(features, mesh)
	}
	return slices.Compact(slices.Sorted(slices.Values(features))), nil
}

func awaitClass(ctx context.Context, a api, impl *Implementation, limit time.Duration) (classState, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		state, err := a.class(ctx, impl.GatewayClass)
		problem, final := impl.judge(state)
		if err != nil && ctx.Err() == nil {
			problem = fmt.Sprintf("the API does not answer: %v", err)
		}
		switch {
		case problem == "" && err == nil:
			return state, nil
		case final:
			return state, &notReady{problem}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return state, ctx.Err()
			}
			return state, &notReady{fmt.Sprintf("after %s %s", limit, problem)}
		}
	}
}

// judge says what is wrong with a GatewayClass, and whether waiting cannot help.
func (i *Implementation) judge(c classState) (problem string, final bool) {
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
