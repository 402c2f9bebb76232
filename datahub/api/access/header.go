package access

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// Names of the headers that count, as metadata of gRPC and, in any case of letters, as HTTP headers.
const (
	AuthorizationHeader = "authorization"
	IdempotencyHeader   = "idempotency-key"
	RequestIDHeader     = "x-request-id"
	// MaxHeader bounds an idempotency key or a request's id.
	MaxHeader = 128
)

// readHeaders takes the call's id, its caller's or one of the node's own, and looks at the idempotency key, which is the handlers' to use.
func (c *call) readHeaders(md metadata.MD) (err error) {
	if _, err = header(md, IdempotencyHeader); err != nil {
		return err
	}
	if c.id, err = header(md, RequestIDHeader); err != nil {
		return err
	}
	if c.id == "" {
		c.id = newID()
	}
	return nil
}

// header reads a header that may be given once, of letters, digits and "-._:".
func header(md metadata.MD, name string) (string, error) {
	values := md.Get(name)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", Refuse(codes.InvalidArgument, ReasonInvalid, "%s: given %d times, at most once", name, len(values))
	}
	if !Plain(values[0]) {
		return "", Refuse(codes.InvalidArgument, ReasonInvalid, "%s: must be 1 to %d letters, digits or -._:", name, MaxHeader)
	}
	return values[0], nil
}

// Plain reports whether a header that a caller chooses, an idempotency key or an id, may be as it is.
func Plain(v string) bool {
	if v == "" || len(v) > MaxHeader {
		return false
	}
	for i := range len(v) {
		c := v[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == ':') {
			return false
		}
	}
	return true
}

func newID() string {
	b := make([]byte, 8)
	rand.Read(b) //nolint:errcheck // it never fails
	return hex.EncodeToString(b)
}

// Bearer is the value of the Authorization header that shows a token.
func Bearer(token string) string { return fmt.Sprintf("Bearer %s", token) }
