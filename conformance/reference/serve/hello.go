package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// maxHello bounds what is read to find a ClientHello.
const maxHello = 64 << 10

// errHello ends the handshake that only reads the ClientHello.
var errHello = errors.New("the ClientHello was read")

// peekHello reads the ClientHello without answering it: the server name in it
// says which listener takes the connection (RFC 6066 section 3). The bytes are
// read again from in.
func peekHello(ctx context.Context, in *inbound) (*tls.ClientHelloInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	var hello *tls.ClientHelloInfo
	rec := &recordingConn{in: in}
	// crypto/tls parses it; every write, the alert at the end among them, is
	// dropped.
	err := tls.Server(rec, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			hello = h
			return nil, errHello
		},
	}).HandshakeContext(ctx)
	// HandshakeContext interrupts by a deadline in the past.
	_ = in.SetDeadline(time.Time{}) // a closed connection shows at the next read
	in.seen = rec.read
	if hello == nil {
		return nil, err
	}
	return hello, nil
}

// recordingConn keeps what is read and writes nothing.
type recordingConn struct {
	in   *inbound
	read []byte
}

func (c *recordingConn) Read(p []byte) (int, error) {
	if len(c.read) >= maxHello {
		return 0, errors.New("no ClientHello in the first 64 KiB")
	}
	n, err := c.in.Conn.Read(p[:min(len(p), maxHello-len(c.read))])
	c.read = append(c.read, p[:n]...)
	return n, err
}

func (c *recordingConn) Write(p []byte) (int, error)        { return len(p), nil }
func (c *recordingConn) Close() error                       { return c.in.SetDeadline(time.Unix(1, 0)) }
func (c *recordingConn) LocalAddr() net.Addr                { return c.in.LocalAddr() }
func (c *recordingConn) RemoteAddr() net.Addr               { return c.in.RemoteAddr() }
func (c *recordingConn) SetDeadline(t time.Time) error      { return c.in.SetDeadline(t) }
func (c *recordingConn) SetReadDeadline(t time.Time) error  { return c.in.SetReadDeadline(t) }
func (c *recordingConn) SetWriteDeadline(t time.Time) error { return nil }

var _ io.ReadWriteCloser = (*recordingConn)(nil)
