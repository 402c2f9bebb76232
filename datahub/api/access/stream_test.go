package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

// admitted is the context of a call that shows a token.
func admitted(t *testing.T, g *Guard, method, token string) context.Context {
	t.Helper()
	md := metadata.Pairs(AuthorizationHeader, Bearer(token))
	ctx := must(g.admit(metadata.NewIncomingContext(t.Context(), md), &tap.Info{FullMethodName: method, Header: md}))
	if _, err := g.admitted(ctx, method); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// A few of a principal's messages are on their way at one time; those of others do not wait for them.
func TestMessagesOfOnePrincipal(t *testing.T) {
	c, s := newClock(), &source{}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	s.be(nil, jose.JSONWebKey{Key: key.Public(), KeyID: "a"})
	g := newGuard(t, func(o *Options) {
		o.Issuers, o.Now, o.Limits.Call = []Issuer{{URL: "https://i.example", Keys: s.keys}}, c.now, time.Hour
	})
	const method = assayv1.NodeService_GetStatus_FullMethodName
	of := func(subject string) context.Context {
		return admitted(t, g, method, signed(t, jose.ES256, key, "a", c, func(p *claims) { p.Subject = subject }))
	}
	begun, release, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	slow := func(any) error { begun <- struct{}{}; <-release; return nil }
	for range messages {
		ctx := of("ada")
		go func() { ended <- g.decode(ctx, method, nil, slow) }()
		<-begun
	}
	unread := func(any) error { t.Error("one more was read"); return nil }
	ctx, cancel := context.WithCancel(of("ada"))
	cancel()
	if err := g.decode(ctx, method, nil, unread); status.Code(err) != codes.Canceled {
		t.Errorf("one more: %v", err)
	}
	quick := func(any) error { return nil }
	if err := g.decode(of("bob"), method, nil, quick); err != nil {
		t.Errorf("another's: %v", err)
	}
	close(release)
	for range messages {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if err := g.decode(of("ada"), method, nil, quick); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// serverStream is what an interceptor needs of a stream.
type serverStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s serverStream) Context() context.Context  { return s.ctx }
func (serverStream) SetHeader(metadata.MD) error { return nil }

// A stream ends when the key of its token is withdrawn, others go on.
func TestStreamsEndWithTheKeyOfTheirToken(t *testing.T) {
	c, s := newClock(), &source{}
	old, next := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	publish := func(ids ...string) {
		var keys []jose.JSONWebKey
		for _, id := range ids {
			keys = append(keys, jose.JSONWebKey{Key: map[string]*ecdsa.PrivateKey{"old": old, "next": next}[id].Public(), KeyID: id})
		}
		s.be(nil, keys...)
	}
	publish("old", "next")
	g := newGuard(t, func(o *Options) { o.Issuers, o.Now = []Issuer{{URL: "https://i.example", Keys: s.keys}}, c.now })
	g.again = time.Millisecond
	const method = assayv1.RequestService_WatchRequest_FullMethodName
	open := func(key any, id string) <-chan error {
		token := signed(t, jose.ES256, key, id, c, func(p *claims) { *p.Expiry += 3000 })
		stream, ended := serverStream{ctx: admitted(t, g, method, token)}, make(chan error, 1)
		go func() {
			ended <- g.stream(nil, stream, &grpc.StreamServerInfo{FullMethod: method}, func(_ any, s grpc.ServerStream) error {
				<-s.Context().Done()
				return s.Context().Err()
			})
		}()
		return ended
	}
	first, second := open(old, "old"), open(next, "next")
	publish("next")
	c.pass(keysFresh)
	if err := <-first; status.Code(err) != codes.Canceled {
		t.Errorf("of the key that was withdrawn: %v", err)
	}
	select {
	case err := <-second:
		t.Errorf("of the other key: %v", err)
	default:
	}
}
