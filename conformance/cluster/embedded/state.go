package embedded

import "time"

// State is what a cluster does.
type State string

// The states of a cluster.
const (
	Running  State = "running"
	Starting State = "starting"
	Dead     State = "dead" // killed; only its folder with the logs is left
	Absent   State = "absent"
)

// Status describes a cluster of this user.
type Status struct {
	Name       string    `json:"name"`
	State      State     `json:"state"`
	PID        int       `json:"pid,omitempty"` // of the process that holds it
	Since      time.Time `json:"since,omitzero"`
	Kubeconfig string    `json:"kubeconfig,omitempty"`
	Logs       string    `json:"logs,omitempty"`
}
