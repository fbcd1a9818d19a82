package serve

import (
	"context"
	"crypto/tls"
	"errors"
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

// Read implements [net.Conn].
func (c *recordingConn) Read(p []byte) (int, error) {
	if len(c.read) >= maxHello {
		return 0, errors.New("no ClientHello in the first 64 KiB")
	}
	n, err := c.in.Conn.Read(p[:min(len(p), maxHello-len(c.read))])
	c.read = append(c.read, p[:n]...)
	return n, err
}

// Write implements [net.Conn]: nothing is sent.
func (c *recordingConn) Write(p []byte) (int, error) { return len(p), nil }

// Close implements [net.Conn]: it ends the reading, not the connection.
func (c *recordingConn) Close() error { return c.in.SetDeadline(time.Unix(1, 0)) }

// LocalAddr implements [net.Conn].
func (c *recordingConn) LocalAddr() net.Addr { return c.in.LocalAddr() }

// RemoteAddr implements [net.Conn].
func (c *recordingConn) RemoteAddr() net.Addr { return c.in.RemoteAddr() }

// SetDeadline implements [net.Conn].
func (c *recordingConn) SetDeadline(t time.Time) error { return c.in.SetDeadline(t) }

// SetReadDeadline implements [net.Conn].
func (c *recordingConn) SetReadDeadline(t time.Time) error { return c.in.SetReadDeadline(t) }

// SetWriteDeadline implements [net.Conn].
func (c *recordingConn) SetWriteDeadline(time.Time) error { return nil }
