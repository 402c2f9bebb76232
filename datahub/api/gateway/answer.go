package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/access"
)

// marshaler is JSON with the fields' own names, and nothing in it that is not the message's.
type marshaler struct{ *runtime.JSONPb }

func newMarshaler() runtime.Marshaler {
	return &marshaler{&runtime.JSONPb{
		MarshalOptions:   protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true},
		UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false},
	}}
}

// StreamContentType is that of messages on lines of their own.
func (*marshaler) StreamContentType(any) string { return "application/x-ndjson" }

// NewDecoder reads one JSON value and nothing behind it.
func (m *marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(into any) error {
		b, err := io.ReadAll(r) // of a body that was bounded
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(b)) == 0 {
			return io.EOF
		}
		if !json.Valid(b) { // the decoder of messages stops behind the first value
			return errors.New("body: not one JSON value")
		}
		if err := m.Unmarshal(b, into); err != nil {
			return fmt.Errorf("body: %s", quoted.ReplaceAllString(err.Error(), "$1"))
		}
		return nil
	})
}

// quoted is where the decoder of messages says what is wrong and then quotes it. What is quoted may be a secret that was put in another form than it should have.
var quoted = regexp.MustCompile(`(?s)(invalid value for \S+ (?:field \S+|key)|unexpected token|unable to resolve):? .*`)

// refuse answers with a google.rpc.Status.
func refuse(w http.ResponseWriter, err error) {
	s, ok := status.FromError(err)
	if !ok {
		var own *runtime.HTTPStatusError
		if errors.As(err, &own) {
			s = status.Convert(own.Err)
		} else {
			s = status.Convert(access.Refuse(codes.Internal, access.ReasonInternal, "internal error"))
		}
	}
	h := w.Header()
	h.Del("Trailer")
	h.Del("Transfer-Encoding")
	h.Set("Content-Type", "application/json")
	if s.Code() == codes.Unauthenticated {
		h.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(httpCode(s))
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(proto.Message(s.Proto()))
	if err != nil {
		b = []byte(`{"code":13,"message":"internal error"}`)
	}
	_, _ = w.Write(b) // the client is gone if this fails
}

// httpCode is the status of HTTP, closer than the usual one where that is misleading.
func httpCode(s *status.Status) int {
	switch {
	case s.Code() == codes.Unimplemented:
		return http.StatusMethodNotAllowed
	case reason(s) == access.ReasonTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return runtime.HTTPStatusFromCode(s.Code())
}

func reason(s *status.Status) string {
	for _, d := range s.Details() {
		if info, ok := d.(interface{ GetReason() string }); ok {
			return info.GetReason()
		}
	}
	return ""
}
