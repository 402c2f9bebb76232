package server

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// registrar registers services with every handler wrapped: behind whatever interceptors the grpc.Server has, callers are known, messages are checked and errors become statuses. So it
// does not depend on which interceptors these are.
type registrar struct {
	to     grpc.ServiceRegistrar
	server *Server
	// anybody: the service is for callers of whom nothing is known, too.
	anybody bool
}

// known refuses a call of which it is not known who makes it.
func (r registrar) known(ctx context.Context) error {
	if r.anybody {
		return nil
	}
	_, err := r.server.caller(ctx)
	return err
}

// RegisterService registers a service under its own description, with the handlers wrapped.
func (r registrar) RegisterService(d *grpc.ServiceDesc, impl any) {
	wrapped := *d
	wrapped.Methods = slices.Clone(d.Methods)
	for i := range wrapped.Methods {
		wrapped.Methods[i].Handler = r.unary(d.Methods[i].Handler)
	}
	wrapped.Streams = slices.Clone(d.Streams)
	for i := range wrapped.Streams {
		wrapped.Streams[i].Handler = r.stream(d.ServiceName+"/"+d.Streams[i].StreamName, d.Streams[i].Handler)
	}
	r.to.RegisterService(&wrapped, impl)
}

func (r registrar) unary(handler grpc.MethodHandler) grpc.MethodHandler {
	return func(impl any, ctx context.Context, decode func(any) error, outer grpc.UnaryServerInterceptor) (any, error) {
		return handler(impl, ctx, decode, func(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			inner := func(ctx context.Context, request any) (any, error) {
				answer, err := r.call(ctx, info.FullMethod, request, next)
				return answer, r.server.status(ctx, info.FullMethod, err)
			}
			if outer == nil {
				return inner(ctx, request)
			}
			return outer(ctx, request, info, inner)
		})
	}
}

func (r registrar) call(ctx context.Context, method string, request any, next grpc.UnaryHandler) (any, error) {
	if err := r.known(ctx); err != nil {
		return nil, err
	}
	message, ok := request.(proto.Message)
	if !ok {
		return nil, errFault
	}
	if err := Validate(message); err != nil {
		return nil, err
	}
	done, err := r.server.claimKey(ctx, method, message)
	if err != nil {
		return nil, err
	}
	answer, err := next(ctx, request)
	done(err == nil)
	return answer, err
}

func (r registrar) stream(method string, handler grpc.StreamHandler) grpc.StreamHandler {
	return func(impl any, stream grpc.ServerStream) error {
		return r.server.status(stream.Context(), method, handler(impl, checkedStream{stream, r}))
	}
}

// checkedStream checks what it receives, and from whom: a guard knows that with the message.
type checkedStream struct {
	grpc.ServerStream
	registrar registrar
}

func (s checkedStream) RecvMsg(into any) error {
	if err := s.ServerStream.RecvMsg(into); err != nil {
		return err
	}
	if err := s.registrar.known(s.Context()); err != nil {
		return err
	}
	message, ok := into.(proto.Message)
	if !ok {
		return errFault
	}
	return Validate(message)
}
