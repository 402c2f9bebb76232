package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"
)

// refusedWait bounds a call that is refused. It ends as soon as anybody gets to it, with its message unread.
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
	refusal    error
	id         string
	authorised atomic.Bool
	// reading has room for the messages that may be on their way to the principal's calls.
	reading chan struct{}
	// end ends the call's context, and with it whatever is under way.
	end context.CancelFunc
}

// admit looks at a call when its headers have arrived. What is not admitted is refused behind it, which is why nothing is returned here: a stream that a tap
// refuses keeps the timer of the deadline its client chose, and a client may choose a very distant one. One whose deadline is over keeps it, too.
func (g *Guard) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	c := &call{method: info.FullMethodName, began: g.now()}
	c.rule, c.known = rules[c.method]
	wait := g.limits.Call
	if c.rule.Stream {
		wait = g.limits.Stream
	}
	giveBack, err := g.consider(ctx, c, info.Header)
	switch {
	case err != nil:
		c.refusal, wait, giveBack = err, min(refusedWait, wait), func() {}
	case !c.principal.Until.IsZero():
		wait = max(min(wait, c.principal.Until.Sub(g.now())), time.Millisecond)
	}
	context.AfterFunc(ctx, giveBack) // the server ends ctx with the stream
	ctx, c.end = context.WithTimeout(ctx, wait)
	if c.refusal == nil && c.principal.Kind == Peer {
		leave := g.peers.serving(c.principal.Organisation, c.principal.ca, c.end)
		context.AfterFunc(ctx, leave)
	}
	return context.WithValue(ctx, callKey{}, c), nil
}

// consider finds out who calls, takes a place for them, and decides whether the method is open to them.
func (g *Guard) consider(ctx context.Context, c *call, md metadata.MD) (giveBack func(), err error) {
	defer g.recovered(c.method, &err) // nobody else would: this is the connection's own goroutine
	if err := c.readHeaders(md); err != nil {
		return nil, err
	}
	if c.principal, err = g.authenticate(ctx, c, md); err != nil {
		return nil, err
	}
	place, err := g.shares.take(c.principal, c.method, &c.rule, g.now())
	if err != nil {
		return nil, err
	}
	if err := g.open(c.method, c.principal); err != nil {
		place.giveBack()
		return nil, err
	}
	c.reading = place.reading
	return place.giveBack, nil
}

// open decides by the table.
func (g *Guard) open(method string, p Principal) error {
	rule, known := rules[method]
	if !known {
		return Refuse(codes.PermissionDenied, ReasonForbidden, "%s: has no rule of access", method)
	}
	if err := rule.decide(p, &g.own); err != nil {
		return Refuse(codes.PermissionDenied, ReasonForbidden, "%s: %v", method, err)
	}
	return nil
}

// Receive is asked before the body of a person's call is read, which is not a call yet: whether the one value of the Authorization header that the context's peer sent
// shows a token that is good now, whether its holder may make the call, has calls left in this second, and has a place. The place is among their calls until read is
// called, and, if the body is large, among the few large ones of theirs until done is called. The server behind decides again.
func (g *Guard) Receive(ctx context.Context, authorization []string, method string, large bool) (read, done func(), err error) {
	p, err := g.person(ctx, authorization)
	if err != nil {
		return nil, nil, err
	}
	if err := g.open(method, p); err != nil {
		return nil, nil, err
	}
	return g.shares.receive(p, large, g.now())
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
		p, err := g.peers.verify(ctx, g.attempts, chain)
		if err != nil {
			return Principal{}, unauthenticated(err)
		}
		return p, nil
	case c.rule.Anonymous:
		return Principal{Kind: Anonymous, host: hostOf(ctx)}, nil
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

// hostOf is the host of a context's peer.
func hostOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return Host(p.Addr)
	}
	return ""
}

// Host is what callers are told apart by of whom nothing else is known: the address of IPv4, or the network of IPv6, of which one host has many. What has no such address
// has no host.
func Host(at net.Addr) string {
	a, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return ""
	}
	host := a.Addr().Unmap().WithZone("")
	if host.Is6() {
		return netip.PrefixFrom(host, 64).Masked().String()
	}
	return host.String()
}
