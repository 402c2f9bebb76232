package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"golang.org/x/sync/semaphore"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
)

// calls turns requests of REST into calls of gRPC.
type calls struct {
	guard    *access.Guard
	bindings map[string]binding // by HTTP method and pattern
	large    *semaphore.Weighted
	wait     time.Duration
}

// binding is how a call looks in REST.
type binding struct {
	method string // full name
	rule   access.Rule
	body   string // the field that the body is, "*" for the message, "" for none
	input  protoreflect.MessageDescriptor
}

func newCalls(o *Options, to *grpc.ClientConn) (http.Handler, error) {
	c := &calls{guard: o.Guard, bindings: map[string]binding{}, large: semaphore.NewWeighted(largeBodies), wait: o.Bounds.Body}
	for name, m := range assayv1.Methods() {
		if err := c.bind(name, m); err != nil {
			return nil, err
		}
	}
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newMarshaler()),
		runtime.WithIncomingHeaderMatcher(incoming),
		runtime.WithOutgoingHeaderMatcher(outgoing),
		runtime.WithOutgoingTrailerMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithMiddlewares(c.middleware),
		runtime.WithErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
			refuse(w, err)
		}),
		runtime.WithRoutingErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, code int) {
			refuse(w, routing(code))
		}),
	)
	for _, register := range []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
		assayv1.RegisterFleetServiceHandler, assayv1.RegisterPolicyServiceHandler, assayv1.RegisterGrantServiceHandler, assayv1.RegisterRequestServiceHandler,
		assayv1.RegisterProofServiceHandler, assayv1.RegisterAuditServiceHandler, assayv1.RegisterNodeServiceHandler,
		assayv1.RegisterQueryServiceHandler, assayv1.RegisterSessionServiceHandler,
	} {
		if err := register(context.Background(), mux, to); err != nil {
			return nil, err
		}
	}
	return mux, nil
}

// bind reads the REST forms of a method.
func (c *calls) bind(name string, m protoreflect.MethodDescriptor) error {
	access, ok := access.RuleOf(name)
	if !ok {
		return fmt.Errorf("%s: has no rule of access", name)
	}
	http, ok := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || http == nil {
		return nil
	}
	for _, r := range append([]*annotations.HttpRule{http}, http.GetAdditionalBindings()...) {
		verb, path := verbAndPath(r)
		c.bindings[verb+" "+normal(path)] = binding{method: name, rule: access, body: r.GetBody(), input: m.Input()}
	}
	return nil
}

func verbAndPath(r *annotations.HttpRule) (verb, path string) {
	if p := r.GetPost(); p != "" {
		return http.MethodPost, p
	}
	return http.MethodGet, r.GetGet()
}

// normal writes a pattern as runtime.Pattern does.
func normal(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if path[i] == '}' && !strings.Contains(path[strings.LastIndexByte(path[:i], '{'):i], "=") {
			b.WriteString("=*")
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// middleware runs between routing and the generated handler, which reads the body before it calls. So who calls is looked at here already, and the body taken within
// the bound of its method.
func (c *calls) middleware(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		pattern, _ := runtime.HTTPPattern(r.Context())
		b, ok := c.bindings[r.Method+" "+pattern.String()]
		if !ok {
			refuse(w, access.Refuse(codes.PermissionDenied, access.ReasonForbidden, "%s: has no rule of access", pattern))
			return
		}
		giveBack, err := c.receive(w, r, &b, params)
		if err != nil {
			refuse(w, err)
			return
		}
		defer giveBack()
		next(w, r, params)
	}
}

// receive lets the guard look at who calls, then at the parameters, and takes the body. The call behind is one more of the caller's, so theirs for the time of
// reading is over by then.
func (c *calls) receive(w http.ResponseWriter, r *http.Request, b *binding, params map[string]string) (giveBack func(), err error) {
	large := b.large(r)
	read, done, err := c.guard.Receive(r.Context(), r.Header["Authorization"], b.method, large)
	if err != nil {
		return nil, err
	}
	defer read()
	if err := b.checkQuery(r.URL.RawQuery, params); err != nil {
		done()
		return nil, err
	}
	release, err := c.take(w, r, b, large)
	if err != nil {
		done()
		return nil, err
	}
	return func() { release(); done() }, nil
}

// large says whether a body is, or may be, one of those of which a few are taken at a time.
func (b *binding) large(r *http.Request) bool {
	return b.body != "" && (r.ContentLength < 0 || r.ContentLength > largeBody) && bodyBound(b.rule.MaxRequest) > largeBody
}

// take reads the body and puts what it read in its place.
func (c *calls) take(w http.ResponseWriter, r *http.Request, b *binding, large bool) (giveBack func(), err error) {
	giveBack = func() {}
	switch {
	case b.body == "" && (r.ContentLength != 0 || len(r.TransferEncoding) > 0):
		return nil, invalid("body: %s takes none", b.method)
	case b.body == "":
		return giveBack, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || kind != "application/json") {
		return nil, invalid("content-type: must be application/json")
	}
	most := bodyBound(b.rule.MaxRequest)
	if r.ContentLength > most {
		return nil, access.Refuse(codes.ResourceExhausted, access.ReasonTooLarge, "body: has %d bytes, at most %d", r.ContentLength, most)
	}
	if large {
		ctx, cancel := context.WithTimeout(r.Context(), c.wait)
		defer cancel()
		if err := c.large.Acquire(ctx, 1); err != nil {
			return nil, access.Refuse(codes.Unavailable, access.ReasonUnavailable, "too many large requests at once")
		}
		giveBack = func() { c.large.Release(1) }
	}
	content, err := c.read(w, r, most)
	if err != nil {
		giveBack()
		return nil, err
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(content)), int64(len(content)), nil
	return giveBack, nil
}

// read reads a body in time.
func (c *calls) read(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(c.wait)); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, access.Refuse(codes.ResourceExhausted, access.ReasonTooLarge, "body: has more than %d bytes", most)
	case err != nil:
		return nil, access.Refuse(codes.DeadlineExceeded, access.ReasonUnavailable, "body: not received in time")
	}
	w.Header().Del("Connection")
	// The deadline was the body's: the server goes on reading, to see when the client goes.
	return content, control.SetReadDeadline(time.Time{})
}

// bodyBound is how long the JSON of a message may be: bytes are base64 in it, and some characters of a text escaped. How long the message is, the guard looks at.
func bodyBound(message int) int64 { return 2*int64(message) + 1<<10 }

func invalid(format string, args ...any) error {
	return access.Refuse(codes.InvalidArgument, access.ReasonInvalid, format, args...)
}

func routing(code int) error {
	switch code {
	case http.StatusNotFound:
		return errNoPath
	case http.StatusMethodNotAllowed:
		return access.Refuse(codes.Unimplemented, access.ReasonInvalid, "method: not one of this path's")
	}
	return invalid("path: not one of this node's")
}

// incoming lets two headers through to the server. The gateway passes Authorization on by itself.
func incoming(name string) (string, bool) {
	switch lower := strings.ToLower(name); lower {
	case access.IdempotencyHeader, access.RequestIDHeader:
		return lower, true
	}
	return "", false
}

func outgoing(name string) (string, bool) {
	if strings.EqualFold(name, access.RequestIDHeader) {
		return access.RequestIDHeader, true
	}
	return "", false
}
