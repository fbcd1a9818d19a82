//go:build linux

package agent

import (
	"context"
	"fmt"
	goruntime "runtime"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// port is where the API server looks for logs and exec.
const port = 10250

// register writes the node's object. It is ready for good: no controller that
// watches nodes runs, and when the node goes so does all else.
func (a *agent) register(ctx context.Context) error {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: a.Node,
			Labels: map[string]string{
				corev1.LabelHostname:   a.Node,
				corev1.LabelOSStable:   goruntime.GOOS,
				corev1.LabelArchStable: goruntime.GOARCH,
			},
		},
	}
	if err := a.client.Create(ctx, node); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("register the node: %w", err)
	}
	before := node.DeepCopy()
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(int64(goruntime.NumCPU()), resource.DecimalSI),
		corev1.ResourceMemory: resource.MustParse("8Gi"), // nothing is limited or counted
		corev1.ResourcePods:   resource.MustParse("1000"),
	}
	now := metav1.Now()
	node.Status = corev1.NodeStatus{
		Capacity: capacity, Allocatable: capacity,
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: a.IP.String()},
			{Type: corev1.NodeHostName, Address: a.Node},
		},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: port}},
		NodeInfo: corev1.NodeSystemInfo{
			OperatingSystem: goruntime.GOOS, Architecture: goruntime.GOARCH,
			ContainerRuntimeVersion: "causeway://local", KubeletVersion: "v1.37.2", OSImage: "local programs",
		},
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "AgentReady", Message: "pods run as local programs",
			LastHeartbeatTime: now, LastTransitionTime: now,
		}},
	}
	if err := a.client.Status().Patch(ctx, node, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("register the node: %w", err)
	}
	// The API server sets the taint of a node that is not ready yet, and a
	// controller that does not run here would take it away.
	before = node.DeepCopy()
	node.Spec.Taints = nil
	if err := a.client.Patch(ctx, node, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("register the node: %w", err)
	}
	<-ctx.Done()
	return nil
}
