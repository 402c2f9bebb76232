package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/grpc/credentials"
)

// TokenSource gives a token that is valid now. It is asked for every call, so a source that has to fetch one keeps it.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// TokenFunc is a TokenSource.
type TokenFunc func(context.Context) (string, error)

// Token calls the function.
func (f TokenFunc) Token(ctx context.Context) (string, error) { return f(ctx) }

// Token is a token that stays the same.
func Token(token string) TokenSource {
	return TokenFunc(func(context.Context) (string, error) { return token, nil })
}

// maxToken bounds a token.
const maxToken = 8 << 10

// TokenFile reads a token from a file, for every call: whoever renews it replaces the file.
func TokenFile(path string) TokenSource {
	return TokenFunc(func(context.Context) (string, error) {
		file, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("reading token: %w", err)
		}
		defer file.Close() //nolint:errcheck // opened for reading
		b, err := io.ReadAll(io.LimitReader(file, maxToken+1))
		if err != nil {
			return "", fmt.Errorf("reading token: %w", err)
		}
		b = bytes.TrimSpace(b)
		if len(b) == 0 || len(b) > maxToken {
			return "", fmt.Errorf("reading token: %s must have 1 to %d bytes", path, maxToken)
		}
		return string(b), nil
	})
}

// bearer sends tokens, over TLS alone.
type bearer struct{ source TokenSource }

var errToken = errors.New("token: holds a character that a header may not")

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.source.Token(ctx)
	if err != nil {
		return nil, err
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return nil, errToken
		}
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

var _ credentials.PerRPCCredentials = bearer{}

// NewKey draws an idempotency key.
func NewKey() string {
	var key [16]byte
	rand.Read(key[:]) //nolint:errcheck // never fails
	return hex.EncodeToString(key[:])
}
