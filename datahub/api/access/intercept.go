package access

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-net/assay/zk/commit"
)

func (g *Guard) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (response any, err error) {
	c, err := g.admitted(ctx, info.FullMethod)
	defer func() { g.ended(c, info.FullMethod, &err) }()
	defer g.recovered(info.FullMethod, &err)
	if err != nil {
		return nil, err
	}
	if err := grpc.SetHeader(ctx, metadata.Pairs(RequestIDHeader, c.id)); err != nil {
		return nil, internal()
	}
	if err := g.authorise(ctx, c, request); err != nil {
		return nil, err
	}
	response, err = handler(ctx, request)
	return response, err
}

func (g *Guard) stream(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	c, err := g.admitted(s.Context(), info.FullMethod)
	defer func() { g.ended(c, info.FullMethod, &err) }()
	defer g.recovered(info.FullMethod, &err)
	if err != nil {
		return err
	}
	if err := s.SetHeader(metadata.Pairs(RequestIDHeader, c.id)); err != nil {
		return internal()
	}
	if c.principal.Kind == Person {
		go g.followToken(s.Context(), c)
	}
	return handler(server, &guarded{ServerStream: s, guard: g, call: c})
}

// tokenAgain is how often the token of a stream is looked at again, which costs little while its issuer's keys are the same.
const tokenAgain = 10 * time.Second

// followToken ends a stream whose token is not good any more, or cannot be known to be: the key that signed it may have been withdrawn.
func (g *Guard) followToken(ctx context.Context, c *call) {
	token, err := bearer(metadata.ValueFromIncomingContext(ctx, AuthorizationHeader))
	again := time.NewTicker(g.again)
	defer again.Stop()
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			_, err = g.tokens.verify(ctx, nil, token)
		}
	}
	if ctx.Err() != nil {
		return // which is why it cannot be known
	}
	g.log.Info("a stream's token is not good any more", "method", c.method, "principal", c.principal.String(), "error", err)
	c.end()
}

// admitted is the call if it was admitted.
func (g *Guard) admitted(ctx context.Context, method string) (*call, error) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok || c.method != method {
		g.log.Error("a call came past admission: the server lacks options of the guard", "method", method)
		return nil, internal()
	}
	if c.refusal != nil {
		return c, c.refusal
	}
	return c, nil
}

// authorise decides with the message in hand, and lets the handler know who calls.
func (g *Guard) authorise(ctx context.Context, c *call, request any) error {
	if err := examine(request); err != nil {
		return err
	}
	if c.principal.Kind == Peer && c.rule.Peers == PartyPeers {
		if err := g.isParty(ctx, c, request); err != nil {
			return err
		}
	}
	c.authorised.Store(true)
	return nil
}

func (g *Guard) isParty(ctx context.Context, c *call, request any) error {
	forbidden := Refuse(codes.PermissionDenied, ReasonForbidden, "%s: organisation %s neither asked the request nor answers it", c.method, c.principal.Organisation)
	digest, ok := requestOf(request)
	switch {
	case g.party == nil:
		return forbidden
	case !ok:
		return Refuse(codes.InvalidArgument, ReasonInvalid, "request: must be 64 hexadecimal digits")
	}
	is, err := g.party(ctx, digest, c.principal.Organisation)
	if err != nil {
		g.log.Warn("whether an organisation is party to a request is not known", "request", digest, "error", err)
		return Refuse(codes.Unavailable, ReasonUnavailable, "the ledger cannot be read")
	}
	if !is {
		return forbidden
	}
	return nil
}

// requestOf reads a message's field "request".
func requestOf(message any) (digest commit.Digest, ok bool) {
	m, ok := message.(proto.Message)
	if !ok {
		return digest, false
	}
	r := m.ProtoReflect()
	field := r.Descriptor().Fields().ByName("request")
	if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() {
		return digest, false
	}
	err := digest.UnmarshalText([]byte(r.Get(field).String()))
	return digest, err == nil
}

// guarded is a stream whose message is examined when the handler takes it, and whose reader must keep up.
type guarded struct {
	grpc.ServerStream
	guard    *Guard
	call     *call
	received bool
}

func (s *guarded) RecvMsg(message any) error {
	if err := decoded(s.Context(), s.call, message, s.ServerStream.RecvMsg); err != nil {
		return err
	}
	if s.received {
		return Refuse(codes.InvalidArgument, ReasonInvalid, "message: only one is taken")
	}
	s.received = true
	return s.guard.authorise(s.Context(), s.call, message)
}

var errSlowReader = errors.New("the reader does not keep up")

// SendMsg ends the call, and the connection if it is the client's own, when a message is not taken in time. The rest of the stream's data would wait for
// room on the connection for as long as the client keeps it open.
func (s *guarded) SendMsg(message any) error {
	timer := time.AfterFunc(s.guard.limits.Send, func() {
		s.guard.log.Info("a stream's reader does not keep up", "method", s.call.method, "principal", s.call.principal.String())
		s.call.end()
		if p, ok := peer.FromContext(s.Context()); ok {
			if own, ok := p.Addr.(Connection); ok {
				own.Cut()
			}
		}
	})
	err := s.ServerStream.SendMsg(message)
	if !timer.Stop() {
		return Refuse(codes.ResourceExhausted, ReasonTooMany, "%v", errSlowReader)
	}
	return err
}

// Connection is an address that knows its connection: a listener whose connections' remote addresses are Connections lets a guard end those of readers that
// do not keep up.
type Connection interface{ Cut() }

// recovered turns a panic of a handler into an error that says nothing about it.
func (g *Guard) recovered(method string, err *error) {
	if r := recover(); r != nil {
		g.log.Error("a call panicked", "method", method, "panic", r, "stack", string(debug.Stack()))
		*err = internal()
	}
}

// ended accounts for a call and makes its error presentable.
func (g *Guard) ended(c *call, method string, err *error) {
	said := presentable(*err)
	o := Observation{Code: status.Code(said)}
	id := ""
	if c != nil {
		o.Principal, o.Duration, id = c.principal, g.now().Sub(c.began), c.id
		if c.known {
			o.Method = method
		}
	}
	g.observe(o)
	attributes := []any{"method", method, "principal", o.Principal.String(), "id", id, "code", o.Code.String(), "duration", o.Duration}
	switch o.Code {
	case codes.Internal:
		g.log.Error("a call failed", append(attributes, "error", *err)...)
	case codes.PermissionDenied:
		g.log.Info("a call was refused", attributes...)
	default:
		g.log.Debug("call", attributes...)
	}
	*err = said
}
