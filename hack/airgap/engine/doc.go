// Package engine runs a Docker engine in mount, network, process, host name,
// IPC and control group namespaces of its own, beside one command. The engine
// comes from Debian packages that are unpacked into the cache and not
// installed. When the command ends, or whoever waits for it, the kernel ends
// everything in the process namespace; what lies on disk goes then, or with
// the next start.
//
// Three processes take part, all of the same executable: the outer one makes
// the namespaces and cleans up; the inner one, process 1, mounts what a
// namespace needs, starts the engine and then the command; and a wrapper
// around the OCI runtime takes out of each container's configuration what root
// is not allowed here.
package engine
