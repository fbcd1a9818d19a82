package serve

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

func isGRPC(r *http.Request) bool {
	ct := r.Header.Get("Content-Type")
	return ct == "application/grpc" || strings.HasPrefix(ct, "application/grpc+") || strings.HasPrefix(ct, "application/grpc;")
}

// answersGRPC reports whether the gateway's own answer is one of gRPC: the
// client speaks it and no HTTPRoute, whose answers are HTTP statuses, took the
// request.
func answersGRPC(r *http.Request, d *routing.Decision) bool {
	return isGRPC(r) && (d.Why == nil || d.Why.Origin.Object.Kind == "GRPCRoute")
}

// grpcCodes are the gRPC codes of HTTP statuses
// (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md),
// but for 500: "When a GRPCBackendRef is invalid, UNAVAILABLE statuses MUST be
// returned" (GRPCRouteRule.BackendRefs).
var grpcCodes = map[int]int{
	400: 13, // INTERNAL
	401: 16, // UNAUTHENTICATED
	403: 7,  // PERMISSION_DENIED
	404: 12, // UNIMPLEMENTED
	429: 14, // UNAVAILABLE
	500: 14,
	502: 14,
	503: 14,
	504: 14,
}

// answerGRPC sends a response that has trailers only
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses).
func answerGRPC(w http.ResponseWriter, status int, message string) {
	code, ok := grpcCodes[status]
	if !ok {
		code = 2 // UNKNOWN
	}
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(code))
	h.Set("Grpc-Message", url.PathEscape(message))
	w.WriteHeader(http.StatusOK)
}
