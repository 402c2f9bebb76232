package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	defaultPage = 50
	// maxPageBytes is about when a page ends for its size, whatever was asked for: what clients take by default is 4 MiB.
	maxPageBytes = 2 << 20
	// maxPosition bounds a position in a list: an owner's and a grant's id, or a digest.
	maxPosition  = 2*ledger.MaxID + 1
	tokenVersion = 1
	tokenMark    = 8
)

var errToken = errors.New("is not a next_page_token of a list with these restrictions")

// listing is a list with its restrictions, which a page token is for.
type listing struct{ name []byte }

func listOf(method string, restrictions ...string) listing {
	parts := make([][]byte, len(restrictions))
	for i, r := range restrictions {
		parts[i] = []byte(r)
	}
	name := sha256.Sum256(ledger.Tagged("assay/v1/page/"+method, parts...))
	return listing{name[:tokenMark]}
}

// token makes a page token of a position; the end has none.
func (l listing) token(position string) string {
	if position == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(append([]byte{tokenVersion}, l.name...), position...))
}

// position reads a page token; none is the beginning. It refuses those of another list.
func (l listing) position(field, token string) (string, error) {
	if token == "" {
		return "", nil
	}
	if len(token) > base64.RawURLEncoding.EncodedLen(1+tokenMark+maxPosition) {
		return "", invalid(field, errToken)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= 1+tokenMark || b[0] != tokenVersion || !bytes.Equal(b[1:1+tokenMark], l.name) {
		return "", invalid(field, errToken)
	}
	position := b[1+tokenMark:]
	for _, c := range position {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '/') {
			return "", invalid(field, errToken)
		}
	}
	return string(position), nil
}

func pageSize(asked int32) int {
	if asked <= 0 {
		return defaultPage
	}
	return min(int(asked), ledger.MaxPage)
}

// fit takes entries from the front until they are as large as a page may be, at least one. It returns the position to go on from: behind the last
// one taken, or next if all are.
func fit[T any, M proto.Message](entries []T, next string, render func(*T) (M, error), positionOf func(*T) string) ([]M, string, error) {
	out, size := make([]M, 0, len(entries)), 0
	for i := range entries {
		m, err := render(&entries[i])
		if err != nil {
			return nil, "", err
		}
		size += proto.Size(m)
		if i > 0 && size > maxPageBytes {
			return out, positionOf(&entries[i-1]), nil
		}
		out = append(out, m)
	}
	return out, next, nil
}
