package access

import (
	"context"
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

// IdempotencyKey is what a caller gave so that the same call again has no other effect, or "" if nothing was given.
func IdempotencyKey(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.idempotency
	}
	return ""
}

// RequestID names a call in logs: the caller's name for it, or one of the node's own.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.id
	}
	return ""
}

// readHeaders takes the idempotency key and the id.
func (c *call) readHeaders(md metadata.MD) error {
	var err error
	if c.idempotency, err = header(md, IdempotencyHeader); err != nil {
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
	if v := values[0]; !plain(v) {
		return "", Refuse(codes.InvalidArgument, ReasonInvalid, "%s: must be 1 to %d letters, digits or -._:", name, MaxHeader)
	}
	return values[0], nil
}

func plain(v string) bool {
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
