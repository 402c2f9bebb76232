package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/gateway"
)

// Those of the bounds of time that a test is about are so short that it can wait for them. The others are as they are: on a busy machine a handshake takes its time.
func shortCalls(o *access.Options, _ *gateway.Options)  { o.Limits.Call = 500 * time.Millisecond }
func shortBodies(_ *access.Options, g *gateway.Options) { g.Bounds.Body = 500 * time.Millisecond }
func shortSends(o *access.Options, g *gateway.Options) {
	o.Limits.Send, g.Bounds.Write = time.Second, time.Second
}

func (w *world) connect(address net.Addr) *tls.Conn {
	w.Helper()
	c := must(tls.Dial("tcp", address.String(), &tls.Config{RootCAs: w.authority.Pool(), NextProtos: []string{"h2", "http/1.1"}}))
	w.Cleanup(func() { _ = c.Close() })
	return c
}

// closed waits until the other side ends a connection.
func closed(t *testing.T, what string, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, c)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		t.Errorf("%s: the connection stays", what)
	}
}

func TestAttackSlowHandshakeAndHeaders(t *testing.T) {
	slow(t)
	w := newWorld(t, func(_ *access.Options, g *gateway.Options) { g.Bounds.Headers = 3 * time.Second })
	held := map[string]net.Conn{}
	for name, address := range map[string]net.Addr{"rest": w.gateway.REST(), "grpc": w.gateway.GRPC()} {
		held[name+": no handshake"] = must(net.Dial("tcp", address.String()))
		halfway := must(net.Dial("tcp", address.String()))
		_ = must(halfway.Write([]byte{0x16, 0x03, 0x01}))
		held[name+": a part of a handshake"] = halfway
	}
	headers := w.connect(w.gateway.REST())
	_ = must(io.WriteString(headers, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: "))
	held["a part of the headers"] = headers
	preface := w.connect(w.gateway.GRPC())
	_ = must(io.WriteString(preface, "PRI * HTTP/2.0\r\n"))
	held["a part of the preface"] = preface
	for what, c := range held {
		defer c.Close()
		closed(t, what, c)
	}
}

func TestAttackSlowBody(t *testing.T) {
	w := newWorld(t, shortBodies)
	head := "POST /v1/proofs:verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\nAuthorization: Bearer "
	for token, want := range map[string]string{w.token(access.Viewer): "HTTP/1.1 504", "none": "HTTP/1.1 401"} {
		c := w.connect(w.gateway.REST())
		_ = must(io.WriteString(c, head+token+"\r\n\r\n{"))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("got %q, %v, want %s", line, err, want)
		}
		closed(t, "a slow body", c)
	}
	wantNothingReached(t, w)
}

// A call whose message does not come ends: soon if its caller is nobody, at the deadline otherwise.
func TestAttackSlowMessage(t *testing.T) {
	slow(t)
	w := newWorld(t, shortCalls)
	for _, token := range []string{"", w.token(access.Viewer)} {
		for _, name := range []string{assayv1.ProofService_VerifyBundle_FullMethodName, assayv1.RequestService_WatchRequest_FullMethodName} {
			if token != "" && name == assayv1.RequestService_WatchRequest_FullMethodName {
				continue // a stream may be as old as its bound
			}
			stream, err := w.dial(nil).NewStream(with(token), streamDesc, name)
			if err != nil {
				t.Fatal(err)
			}
			err = stream.RecvMsg(newMessage(method(name).Output()))
			wantCode(t, name, err, codes.Unauthenticated, codes.DeadlineExceeded)
		}
	}
	wantNothingReached(t, w)
}

// stalled asks for a stream by REST and reads nothing of it.
func (w *world) stalled() {
	w.Helper()
	c := w.connect(w.gateway.REST())
	if err := c.NetConn().(*net.TCPConn).SetReadBuffer(4096); err != nil {
		w.Fatal(err)
	}
	_ = must(io.WriteString(c, "GET /v1/proofs/"+digest+"/bundle HTTP/1.1\r\nHost: localhost\r\n"+w.authorised()+"\r\n"))
}

// A reader who stops is cut off, and the handler that sends to it ends.
func TestAttackSlowReaderOfAStream(t *testing.T) {
	slow(t)
	w := newWorld(t, shortSends)
	ended := make(chan error, 2)
	w.services.on(func(ctx context.Context, _ string, send func() error) error {
		if send == nil {
			return nil
		}
		for {
			if err := send(); err != nil {
				ended <- err
				return err
			}
		}
	})
	name := assayv1.ProofService_DownloadBundle_FullMethodName
	conn := w.dial(nil)
	stream, err := conn.NewStream(with(w.token(access.Viewer)), streamDesc, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SendMsg(valid(method(name))); err != nil {
		t.Fatal(err)
	}
	wantEnded(t, "gRPC", ended)
	// What was sent waits on the connection for its reader, so the connection goes too.
	until(t, "the connection's end", func() bool { return conn.GetState() != connectivity.Ready })
	w.stalled()
	wantEnded(t, "REST", ended)
	// Others are served as before, on the server behind REST too.
	w.services.on(nil)
	if a := w.rest("GET", "/v1/status", w.token(access.Viewer), ""); a.code != http.StatusOK {
		t.Errorf("afterwards: %d %s", a.code, a.body)
	}
	wantCode(t, "afterwards", w.statusAs(access.Viewer), codes.OK)
}

// A reader who stops does not keep the connection either: the only one that its host may have is free again.
func TestAttackSlowReaderHoldsNoConnection(t *testing.T) {
	slow(t)
	w := newWorld(t, shortSends, func(_ *access.Options, g *gateway.Options) { g.Bounds.PerHost = 1 })
	w.services.on(func(_ context.Context, _ string, send func() error) error {
		for send != nil {
			if err := send(); err != nil {
				return err
			}
		}
		return nil
	})
	w.stalled()
	until(t, "the call", func() bool { return w.services.count() == 1 })
	until(t, "room for another", func() bool { return w.rest("GET", "/v1/status", w.token(access.Viewer), "").code == http.StatusOK })
}

func (w *world) statusAs(role access.Role) error {
	m := method(status1)
	return call(with(w.token(role)), w.dial(nil), m, valid(m))
}

func wantEnded(t *testing.T, what string, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err == nil {
			t.Errorf("%s: ended without an error", what)
		}
	case <-time.After(patience):
		t.Fatalf("%s: the handler still sends", what)
	}
}

// A stream of which nothing is sent for longer than any write may take goes on.
func TestQuietStreamsGoOn(t *testing.T) {
	slow(t)
	w := newWorld(t, shortSends)
	w.services.on(func(ctx context.Context, _ string, send func() error) error {
		for range 2 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(1500 * time.Millisecond):
			}
			if err := send(); err != nil {
				return err
			}
		}
		return nil
	})
	a := w.rest("GET", "/v1/requests/"+digest+":watch", w.token(access.Viewer), "")
	if a.code != http.StatusOK || strings.Count(a.body, "\n") != 3 || strings.Contains(a.body, "error") {
		t.Errorf("by REST: %d %q", a.code, a.body)
	}
	m := method(assayv1.RequestService_WatchRequest_FullMethodName)
	wantCode(t, "by gRPC", call(with(w.token(access.Viewer)), w.dial(nil), m, valid(m)), codes.OK)
}

func TestStreamsAreCounted(t *testing.T) {
	w := newWorld(t, func(o *access.Options, _ *gateway.Options) { o.Limits.Streams, o.Limits.Calls = 3, 5 })
	w.services.on(func(ctx context.Context, _ string, _ func() error) error {
		<-ctx.Done()
		return ctx.Err()
	})
	m := method(assayv1.RequestService_WatchRequest_FullMethodName)
	conn, token := w.dial(nil), w.token(access.Viewer)
	ctx, cancel := context.WithCancel(with(token))
	defer cancel()
	for range 3 {
		stream, err := conn.NewStream(ctx, streamDesc, fullName(m))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(valid(m)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "three streams", func() bool { return w.services.count() == 3 })
	err := call(with(token), conn, m, valid(m))
	wantCode(t, "a fourth", err, codes.ResourceExhausted)
	if a := w.rest("GET", "/v1/requests/"+digest+":watch", token, ""); a.code != http.StatusTooManyRequests {
		t.Errorf("a fourth by REST: %d %s", a.code, a.body)
	}
	cancel()
	w.services.on(nil)
	until(t, "room again", func() bool { return call(with(token), conn, m, valid(m)) == nil })
}

func TestDeadlines(t *testing.T) {
	slow(t)
	w := newWorld(t, shortCalls, func(o *access.Options, _ *gateway.Options) { o.Limits.Stream = 400 * time.Millisecond })
	w.services.on(func(ctx context.Context, _ string, _ func() error) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("a call without a deadline")
		}
		<-ctx.Done()
		return ctx.Err()
	})
	conn := w.dial(nil)
	for _, name := range []string{status1, assayv1.RequestService_WatchRequest_FullMethodName} {
		m := method(name)
		wantCode(t, name, call(with(w.token(access.Viewer)), conn, m, valid(m)), codes.DeadlineExceeded)
	}
	if a := w.rest("GET", "/v1/status", w.token(access.Viewer), ""); a.code != http.StatusGatewayTimeout {
		t.Errorf("by REST: %d %s", a.code, a.body)
	}
	// A client's deadline that is closer counts.
	ctx, cancel := context.WithTimeout(with(w.token(access.Viewer)), 50*time.Millisecond)
	defer cancel()
	m := method(status1)
	wantCode(t, "the client's", call(ctx, conn, m, valid(m)), codes.DeadlineExceeded)
}

// The bound of a body is not one of the call that it is of.
func TestCallMayTakeLongerThanItsBody(t *testing.T) {
	slow(t)
	w := newWorld(t, shortBodies)
	w.services.on(func(ctx context.Context, _ string, _ func() error) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
			return nil
		}
	})
	if a := w.rest("POST", "/v1/policies:check", w.token(access.Viewer), `{"text":"permit"}`); a.code != http.StatusOK {
		t.Errorf("%d %s", a.code, a.body)
	}
}

func TestClientThatGoesEndsItsCall(t *testing.T) {
	w := newWorld(t, everything)
	ended := make(chan error, 1)
	w.services.on(func(ctx context.Context, _ string, _ func() error) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	c := w.connect(w.gateway.REST())
	_ = must(io.WriteString(c, "GET /v1/requests/"+digest+":watch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+w.token(access.Viewer)+"\r\n\r\n"))
	until(t, "the call", func() bool { return w.services.count() == 1 })
	_ = c.Close()
	wantEnded(t, "REST", ended)
}
