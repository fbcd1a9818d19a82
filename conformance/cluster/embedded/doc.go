// Package embedded runs a Kubernetes cluster on a Linux machine with nothing
// but kernel namespaces: no Docker, no root, no image registry. A real etcd,
// kube-apiserver and kube-controller-manager run in user, network, mount and
// process namespaces of their own; each pod is a set of local programs in a
// network namespace of its own, run by a small node agent.
//
// The package owns the outside: the folder and lock of each cluster, the
// process that holds the namespaces, and the ways in. Package node is the
// inside, package agent the pods, package services the Service addresses.
//
// Nothing survives the process that called [Up]: the first process of the
// namespaces dies with it, by kill -9 too, and the kernel ends the rest. The
// lock of a cluster is held by that first process, so a free lock means that
// the namespaces are gone.
//
// A program that uses this package re-executes itself: its main function has
// to begin with [Main].
package embedded
