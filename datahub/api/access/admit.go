package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"
)

// refusedWait is how long one who is refused may take to send the message: then the refusal is told in its place.
const refusedWait = time.Second

type callKey struct{}

// call is what is known of a call from its headers on.
type call struct {
	method    string
	rule      Rule
	known     bool // the method has a rule
	principal Principal
	began     time.Time
	// refusal says why the call is not admitted.
	refusal         error
	id, idempotency string
	authorised      atomic.Bool
	// end ends the call's context, and with it whatever is under way.
	end context.CancelFunc
}

// admit looks at a call when its headers have arrived. What is not admitted is refused by the interceptors, which is why nothing is returned here: a stream
// that a tap refuses keeps the timer of the deadline its client chose, and a client may choose a very distant one.
func (g *Guard) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	c := &call{method: info.FullMethodName, began: g.now()}
	c.rule, c.known = rules[c.method]
	wait := g.limits.Call
	if c.rule.Stream {
		wait = g.limits.Stream
	}
	giveBack, err := g.consider(ctx, c, info.Header)
	if err != nil {
		c.refusal, wait = err, min(refusedWait, wait)
	} else {
		context.AfterFunc(ctx, giveBack) // the server ends ctx with the stream
	}
	ctx, c.end = context.WithTimeout(ctx, wait)
	return context.WithValue(ctx, callKey{}, c), nil
}

// consider finds out who calls, and takes a place for them.
func (g *Guard) consider(ctx context.Context, c *call, md metadata.MD) (giveBack func(), err error) {
	defer g.recovered(c.method, &err) // nobody else would: this is the connection's own goroutine
	if err := c.readHeaders(md); err != nil {
		return nil, err
	}
	if c.principal, err = g.authenticate(ctx, c, md); err != nil {
		return nil, err
	}
	return g.shares.take(c.principal, c.rule.Stream, g.now())
}

func (g *Guard) authenticate(ctx context.Context, c *call, md metadata.MD) (Principal, error) {
	authorization := md.Get(AuthorizationHeader)
	chain, err := certificates(ctx)
	switch {
	case err != nil:
		return Principal{}, unauthenticated(err)
	case len(authorization) > 0 && len(chain) > 0:
		return Principal{}, unauthenticated(errors.New("show a token or a certificate, not both"))
	case len(authorization) > 0:
		return g.person(ctx, authorization)
	case len(chain) > 0:
		p, err := g.peers.verify(ctx, chain)
		if err != nil {
			return Principal{}, unauthenticated(err)
		}
		return p, nil
	case c.rule.Anonymous:
		return Principal{Kind: Anonymous}, nil
	}
	return Principal{}, unauthenticated(errors.New("show a token (authorization: Bearer …)"))
}

// certificates are what the client showed over TLS, with proof that it has the first one's key.
func certificates(ctx context.Context) ([]*x509.Certificate, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil, nil
	}
	if info.State.Version != tls.VersionTLS13 || !info.State.HandshakeComplete {
		return nil, errors.New("the connection is not of TLS 1.3")
	}
	return info.State.PeerCertificates, nil
}
