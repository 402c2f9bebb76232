package access

import (
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// sized is a message together with how long its encoding may be. The codec of a guarded server decodes nothing else, so that no message is decoded of which
// the guard did not say before how long it may be.
type sized struct {
	message any
	most    int
	// err says why it was not decoded. The codec returns none: grpc would make it an internal error.
	err error
}

var errUnsized = errors.New("a message that no guard has bounded")

// codec looks at the length of a message before it decodes it: a few KiB of a message may take a hundred times as much once decoded.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	s, ok := v.(*sized)
	if !ok {
		return errUnsized
	}
	if length := data.Len(); length > s.most {
		s.err = Refuse(codes.ResourceExhausted, ReasonTooLarge, "the message has %d bytes, at most %d", length, s.most)
	} else if c.CodecV2.Unmarshal(data, s.message) != nil {
		s.err = Refuse(codes.InvalidArgument, ReasonInvalid, "message: must be one of the method's, and not compressed")
	}
	return nil
}

// notPlain takes the place of the decompressor that a library somewhere in the program registered for all of it.
type notPlain struct{}

// Do gives what is no message, whatever it is given: an error would be an internal one.
func (notPlain) Do(io.Reader) ([]byte, error) { return []byte{0}, nil }
func (notPlain) Type() string                 { return "gzip" }

// decoded reads a message of a call by read, which is handed what the codec takes. Whoever has a few messages on their way waits with the next.
func decoded(ctx context.Context, c *call, message any, read func(any) error) error {
	select {
	case c.reading <- struct{}{}:
		defer func() { <-c.reading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	s := &sized{message: message, most: c.rule.MaxRequest}
	if err := read(s); err != nil {
		return err
	}
	return s.err
}

// Registrar registers services on a server that has the guard's options. Without it, the server reads no message.
func (g *Guard) Registrar(to grpc.ServiceRegistrar) grpc.ServiceRegistrar { return registrar{to, g} }

type registrar struct {
	grpc.ServiceRegistrar
	guard *Guard
}

// RegisterService registers a service whose calls are decided before their message is read. Streams do that where they take it.
func (r registrar) RegisterService(d *grpc.ServiceDesc, impl any) {
	wrapped := *d
	wrapped.Methods = slices.Clone(d.Methods)
	for i, m := range d.Methods {
		name := "/" + d.ServiceName + "/" + m.MethodName
		wrapped.Methods[i].Handler = func(impl any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			return m.Handler(impl, ctx, func(into any) error { return r.guard.decode(ctx, name, into, decode) }, interceptor)
		}
	}
	r.ServiceRegistrar.RegisterService(&wrapped, impl)
}

// decode reads the message of a call that was admitted. What ends here comes to no interceptor.
func (g *Guard) decode(ctx context.Context, method string, into any, decode func(any) error) (err error) {
	c, err := g.admitted(ctx, method)
	defer func() {
		if err != nil {
			g.ended(c, method, &err)
		}
	}()
	defer g.recovered(method, &err)
	if err != nil {
		return err
	}
	return decoded(ctx, c, into, decode)
}
