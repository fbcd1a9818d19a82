// Package redirect sends connections that pods make to addresses of Services
// to a proxy of the node. It owns one nftables table in the network namespace
// it runs in, which must be the node's, and needs CAP_NET_ADMIN there. It
// neither proxies nor knows what a Service is; which address a connection was
// made to the proxy asks the kernel (SO_ORIGINAL_DST).
package redirect
