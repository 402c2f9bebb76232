package gateway_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/server"
)

// services answer every call whose message is valid with an empty message, and remember who called.
type services struct {
	world *world

	mu    sync.Mutex
	calls []reached
	// handle is run in the handler; it may be nil.
	handle func(ctx context.Context, method string, send func() error) error
}

type reached struct {
	method    string
	principal access.Principal
	md        metadata.MD
	key       string
}

func (s *services) take() []reached {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// count is how many calls have come since they were taken.
func (s *services) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func (s *services) on(fn func(ctx context.Context, method string, send func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handle = fn
}

func (s *services) serve(ctx context.Context, method string, send func() error) error {
	p, _ := access.From(ctx)
	md, _ := metadata.FromIncomingContext(ctx)
	s.mu.Lock()
	s.calls = append(s.calls, reached{method, p, md, strings.Join(md.Get(access.IdempotencyHeader), ",")})
	handle := s.handle
	s.mu.Unlock()
	if handle == nil {
		return nil
	}
	return handle(ctx, method, send)
}

// methods are those of the table.
func methods() []protoreflect.MethodDescriptor {
	var all []protoreflect.MethodDescriptor
	for _, name := range access.Rules() {
		all = append(all, method(name))
	}
	return all
}

func method(full string) protoreflect.MethodDescriptor {
	name := protoreflect.FullName(bytes.ReplaceAll([]byte(full[1:]), []byte("/"), []byte(".")))
	return must(protoregistry.GlobalFiles.FindDescriptorByName(name)).(protoreflect.MethodDescriptor)
}

func fullName(m protoreflect.MethodDescriptor) string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}

func newMessage(d protoreflect.MessageDescriptor) proto.Message {
	return must(protoregistry.GlobalTypes.FindMessageByName(d.FullName())).New().Interface()
}

func (s *services) register(r grpc.ServiceRegistrar) {
	descs := map[protoreflect.ServiceDescriptor]*grpc.ServiceDesc{}
	for _, m := range methods() {
		parent := m.Parent().(protoreflect.ServiceDescriptor)
		d := descs[parent]
		if d == nil {
			d = &grpc.ServiceDesc{ServiceName: string(parent.FullName()), HandlerType: (*any)(nil)}
			descs[parent] = d
		}
		s.describe(d, m)
	}
	for _, d := range descs {
		r.RegisterService(d, s)
	}
}

// filled is an answer with as much data as a chunk has, if it has data at all.
func filled(m protoreflect.MethodDescriptor) proto.Message {
	message := newMessage(m.Output()).ProtoReflect()
	if data := message.Descriptor().Fields().ByName("data"); data != nil {
		message.Set(data, protoreflect.ValueOfBytes(make([]byte, 64<<10)))
	}
	return message.Interface()
}

func (s *services) describe(d *grpc.ServiceDesc, m protoreflect.MethodDescriptor) {
	name := fullName(m)
	if m.IsStreamingServer() {
		d.Streams = append(d.Streams, grpc.StreamDesc{StreamName: string(m.Name()), ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			in := newMessage(m.Input())
			if err := stream.RecvMsg(in); err != nil {
				return err
			}
			if err := server.Validate(in); err != nil {
				return err
			}
			if err := s.serve(stream.Context(), name, func() error { return stream.SendMsg(filled(m)) }); err != nil {
				return err
			}
			return stream.SendMsg(newMessage(m.Output()))
		}})
		return
	}
	d.Methods = append(d.Methods, grpc.MethodDesc{MethodName: string(m.Name()), Handler: func(impl any, ctx context.Context, decode func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
		in := newMessage(m.Input())
		if err := decode(in); err != nil {
			return nil, err
		}
		return i(ctx, in, &grpc.UnaryServerInfo{Server: impl, FullMethod: name}, func(ctx context.Context, _ any) (any, error) {
			if err := server.Validate(in); err != nil {
				return nil, err
			}
			return newMessage(m.Output()), s.serve(ctx, name, nil)
		})
	}})
}

// call makes a call of any method, and reads its answer to the end.
func call(ctx context.Context, c *grpc.ClientConn, m protoreflect.MethodDescriptor, in proto.Message) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if !m.IsStreamingServer() {
		return c.Invoke(ctx, fullName(m), in, newMessage(m.Output()))
	}
	stream, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, fullName(m))
	if err != nil {
		return err
	}
	if err := stream.SendMsg(in); err != nil && err != io.EOF {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		if err := stream.RecvMsg(newMessage(m.Output())); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
