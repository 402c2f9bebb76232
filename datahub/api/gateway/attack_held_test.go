package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/gateway"
	"github.com/assay-net/assay/datahub/api/issuer"
)

// patientBodies lets a body that is waited for take longer than any test.
func patientBodies(_ *access.Options, g *gateway.Options) { g.Bounds.Body = 10 * time.Minute }

// A body that is announced and does not come holds no connection: whoever is answered without it is answered at once, and the connection ends.
func TestAttackBodyThatNeverComes(t *testing.T) {
	slow(t)
	w := newWorld(t, patientBodies)
	rest := " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
	held := map[string]net.Conn{}
	for request, want := range map[string]string{
		"POST /docs/" + rest:                                "HTTP/1.1 405",
		"GET /docs/" + rest:                                 "HTTP/1.1 200",
		"GET /openapi.json" + rest:                          "HTTP/1.1 200",
		"GET /no/such/path" + rest:                          "HTTP/1.1 404",
		"DELETE /v1/status" + rest:                          "HTTP/1.1 400",
		"OPTIONS *" + rest:                                  "HTTP/1.1 400",
		"POST /v1/policies:check" + rest:                    "HTTP/1.1 401",
		"GET /v1/status" + rest + w.authorised():            "HTTP/1.1 400",
		"POST /v1/policies:check" + rest + w.authorised():   "HTTP/1.1 400", // of no type
		"POST /v1/policies:nothing" + rest + w.authorised(): "HTTP/1.1 404",
		"GET /owner/jwks.json HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n": "HTTP/1.1 200",
	} {
		c := w.connect(w.gateway.REST())
		held[request] = c
		_ = must(io.WriteString(c, request+"\r\n"))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("%q: got %q, %v, want %s", request, line, err, want)
		}
	}
	for request, c := range held {
		closed(t, request, c)
	}
}

func (w *world) authorised() string {
	return "Authorization: Bearer " + w.token(access.Viewer) + "\r\n"
}

// The listener that strangers took is soon anybody's again.
func TestAttackHeldListener(t *testing.T) {
	slow(t)
	w := newWorld(t, patientBodies, func(_ *access.Options, g *gateway.Options) { g.Bounds.Connections = 4 })
	for range 4 {
		c := w.connect(w.gateway.REST())
		_ = must(io.WriteString(c, "GET /docs/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n"))
	}
	until(t, "room", func() bool { return w.rest("GET", "/v1/status", w.token(access.Viewer), "").code == http.StatusOK })
}

// One caller's large bodies are few, whatever they announce, and keep nobody else waiting.
func TestAttackLargeBodiesOfOneCaller(t *testing.T) {
	w := newWorld(t, patientBodies)
	head := "POST /v1/proofs:verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n" + w.authorised() + "\r\n{"
	var refused atomic.Int64
	for range 10 {
		c := w.connect(w.gateway.REST())
		_ = must(io.WriteString(c, head))
		go func() {
			if line, _ := bufio.NewReader(c).ReadString('\n'); strings.HasPrefix(line, "HTTP/1.1 429") {
				refused.Add(1)
			}
		}()
	}
	until(t, "all but two refused", func() bool { return refused.Load() == 8 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a := w.rest("POST", "/v1/policies", w.tokenOf("bob", access.Administrator), `{"text":"`+strings.Repeat("a", 60<<10)+`"}`, func(r *http.Request) { *r = *r.WithContext(ctx); r.ContentLength = -1 })
	if a.code != http.StatusOK {
		t.Errorf("bob: %d %.120s", a.code, a.body)
	}
}

// Whom a method is not open to sends no body for it.
func TestAttackBodyWithoutTheRole(t *testing.T) {
	w := newWorld(t)
	c := w.connect(w.gateway.REST())
	_ = must(io.WriteString(c, "POST /v1/policies HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n"+w.authorised()+"\r\n{"))
	if line, err := bufio.NewReader(c).ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 403") {
		t.Errorf("%q, %v", line, err)
	}
}

// A stream ends with the token that opened it: that is the deadline of the call.
func TestStreamsEndWithTheirToken(t *testing.T) {
	w := newWorld(t)
	ends := make(chan time.Time, 1)
	w.services.on(func(ctx context.Context, _ string, _ func() error) error {
		end, _ := ctx.Deadline()
		ends <- end
		return nil
	})
	token := must(w.issuer.Mint(issuer.Claims{Subject: "ada", Audience: access.Audience("owner"), Roles: []access.Role{access.Auditor}, Lifetime: 10 * time.Minute}))
	last := time.Now().Add(10*time.Minute + access.Leeway)
	m := method(assayv1.AuditService_WatchAlerts_FullMethodName)
	stream := must(w.dial(nil).NewStream(with(token), streamDesc, fullName(m))) // without a deadline of the client's
	if err := errors.Join(stream.SendMsg(valid(m)), stream.RecvMsg(newMessage(m.Output()))); err != nil {
		t.Fatal(err)
	}
	if end := <-ends; end.After(last) || end.Before(last.Add(-time.Minute)) {
		t.Errorf("it ends at %s, its token at %s", end, last)
	}
}

// A peer's stream ends when its organisation publishes another CA, whether or not anybody calls afterwards; those of others go on.
func TestStreamsEndWithTheirCA(t *testing.T) {
	w := newWorld(t)
	old, next, rival := must(authority.Open(t.TempDir(), "lender", nil)), must(authority.Open(t.TempDir(), "lender", nil)), must(authority.Open(t.TempDir(), "rival", nil))
	w.mu.Lock()
	w.parties["rival"] = true
	w.mu.Unlock()
	w.publish("lender", old.Certificate())
	w.publish("rival", rival.Certificate())
	w.services.on(func(ctx context.Context, _ string, _ func() error) error { <-ctx.Done(); return ctx.Err() })
	m := method(assayv1.RequestService_WatchRequest_FullMethodName)
	watch := func(a *authority.Authority) <-chan error {
		ended := make(chan error, 1)
		conn := w.dial(must(a.Client()))
		go func() {
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			ended <- call(ctx, conn, m, valid(m))
		}()
		return ended
	}
	thief, other := watch(old), watch(rival)
	until(t, "both watch", func() bool { return w.services.count() == 2 })
	w.publish("lender", next.Certificate())
	select {
	case err := <-thief:
		wantCode(t, "the thief's", err, codes.Canceled)
	case <-time.After(patience):
		t.Error("the stream of the former CA goes on")
	}
	select {
	case err := <-other:
		t.Errorf("another organisation's stream ended: %v", err)
	default:
	}
}

// A key of the node's own issuer that is revoked is nobody's a moment later.
func TestRevokedKeysOfTheNodesOwnIssuer(t *testing.T) {
	var later atomic.Int64
	w := newWorld(t, shifted(&later), func(o *access.Options, _ *gateway.Options) { o.Issuers[0].Fresh = 2 * time.Second })
	token := w.token(access.Administrator)
	if a := w.rest("GET", "/v1/status", token, ""); a.code != http.StatusOK {
		t.Fatal(a)
	}
	if err := w.issuer.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	later.Store(int64(2 * time.Second))
	if a := w.rest("GET", "/v1/status", token, ""); a.code != http.StatusUnauthorized {
		t.Errorf("afterwards: %d %s", a.code, a.body)
	}
	if a := w.rest("GET", "/v1/status", w.token(access.Viewer), ""); a.code != http.StatusOK {
		t.Errorf("with the new key: %d %s", a.code, a.body)
	}
}
