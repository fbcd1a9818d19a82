package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/causeway-gateway/causeway/routing"
)

// testService answers with what it got.
type testService struct {
	pb.UnimplementedTestServiceServer
	name string
}

func (s *testService) UnaryCall(ctx context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if v := md.Get("fail"); len(v) > 0 {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("why", "asked"))
		return nil, status.Error(codes.AlreadyExists, "as asked: 100%")
	}
	return &pb.SimpleResponse{Hostname: s.name, Username: strings.Join(md.Get("x-rule"), ","), Payload: r.Payload}, nil
}

func (s *testService) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: r.Payload}); err != nil {
			return err
		}
	}
}

func grpcBackend(t testing.TB, name string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterTestServiceServer(s, &testService{name: name})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return addrPortOf(l.Addr())
}

// gRPC passes with its streams and trailers; what goes nowhere has the status
// that GRPCRoute asks for.
func TestGRPC(t *testing.T) {
	rule := func(service, method string, a *routing.Action) *routing.Rule {
		return &routing.Rule{Match: routing.Match{Path: routing.PathMatch{Kind: routing.ExactPath, Value: "/" + service + "/" + method}}, Action: a,
			Origin: routing.Origin{Object: routing.ObjectRef{Kind: "GRPCRoute", Namespace: "default", Name: "g"}}}
	}
	invalid := backend("gone")
	invalid.Invalid = "there is none"
	noted := &routing.Action{Backends: []routing.Backend{backend("g")}, RequestHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "x-rule", Value: "1"}}},
		Mirrors: []routing.Mirror{{Backend: backend("g"), Percent: 100}}}
	service := pb.TestService_ServiceDesc.ServiceName
	addr := gateway(t, httpTable(
		rule(service, "UnaryCall", noted), rule(service, "FullDuplexCall", noted),
		rule(service, "EmptyCall", &routing.Action{Backends: []routing.Backend{invalid}}),
		rule(service, "CacheableUnaryCall", &routing.Action{Backends: []routing.Backend{backend("none")}}),
	), map[string][]netip.AddrPort{"default/g:80": {grpcBackend(t, "g")}})
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c := pb.NewTestServiceClient(conn)

	res, err := c.UnaryCall(ctx, &pb.SimpleRequest{Payload: &pb.Payload{Body: []byte("hello")}})
	if err != nil || res.Hostname != "g" || res.Username != "1" || string(res.Payload.Body) != "hello" {
		t.Errorf("unary call: %v %v", res, err)
	}
	var trailer metadata.MD
	_, err = c.UnaryCall(metadata.AppendToOutgoingContext(ctx, "fail", "1"), &pb.SimpleRequest{}, grpc.Trailer(&trailer))
	if s := status.Convert(err); s.Code() != codes.AlreadyExists || s.Message() != "as asked: 100%" || strings.Join(trailer.Get("why"), "") != "asked" {
		t.Errorf("failing call: %v, trailer %v", err, trailer)
	}

	stream, err := c.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // each answer comes before the next request is sent
		want := fmt.Sprint("message ", i)
		if err := stream.Send(&pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: []byte(want)}}); err != nil {
			t.Fatal(err)
		}
		if got, err := stream.Recv(); err != nil || string(got.Payload.Body) != want {
			t.Fatalf("%v %v, want %s", got, err, want)
		}
	}
	_ = stream.CloseSend()
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("end of the stream: %v", err)
	}

	for _, x := range []struct {
		reason string
		call   func() error
		want   codes.Code
	}{
		{"an invalid backend (GRPCRouteRule.BackendRefs)", func() error { _, err := c.EmptyCall(ctx, &pb.Empty{}); return err }, codes.Unavailable},
		{"no ready endpoint", func() error { _, err := c.CacheableUnaryCall(ctx, &pb.SimpleRequest{}); return err }, codes.Unavailable},
		{"no rule", func() error { _, err := c.UnimplementedCall(ctx, &pb.Empty{}); return err }, codes.Unimplemented},
	} {
		if err := x.call(); status.Code(err) != x.want {
			t.Errorf("%s: %v, want %v", x.reason, err, x.want)
		}
	}
}
