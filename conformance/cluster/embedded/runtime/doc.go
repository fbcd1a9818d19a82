// Package runtime runs programs as containers do: in a root folder, a network
// and a host name of their own, with kernel namespaces and nothing else. It is
// to the node agent what containerd is to the kubelet, and knows neither pods
// nor images. It limits no resources and keeps no one from reading what the
// user may read of the system's own folders: it separates, it does not protect.
package runtime
