package ocmf

import (
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
)

// maxSignature bounds a signature's bytes: two scalars of 48 bytes with room for zeros in front and long lengths.
const maxSignature = 256

// Signature is a record's signature section.
type Signature struct {
	// Algorithm is SA as written, ECDSA-secp256r1-SHA256 where it is left out.
	Algorithm string
	// Data are the bytes of SD; nil if they are missing or cannot be decoded.
	Data []byte
}

func decodeSignature(text, encoding string) ([]byte, error) {
	if len(text) > 4*maxSignature {
		return nil, errors.New("too long")
	}
	text = withoutSpace(text)
	var b []byte
	var err error
	switch encoding {
	case "", "hex":
		b, err = hex.DecodeString(text)
	case "base64":
		b, err = decodeBase64(text)
	default:
		return nil, errors.New("unknown encoding")
	}
	if err != nil || len(b) == 0 || len(b) > maxSignature {
		return nil, errors.New("cannot be decoded")
	}
	return b, nil
}

func decodeBase64(text string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

func withoutSpace(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, text)
}

var errSignatureForm = errors.New("signature is neither DER nor r and s side by side")

// scalars are r and s of a signature for a curve of the given order. Meters write DER with lengths longer than need be and with
// integers whose top bit is set but which are not negative, and some write r and s without DER: all are taken. Whether s is in the
// upper half does not matter: (r, s) and (r, n−s) say the same of the same bytes, and nothing here tells records apart by signature.
func scalars(b []byte, size int, order *big.Int) (r, s *big.Int, err error) {
	r, s, ok := derScalars(b)
	if !ok {
		if len(b) != 2*size {
			return nil, nil, errSignatureForm
		}
		r, s = new(big.Int).SetBytes(b[:size]), new(big.Int).SetBytes(b[size:])
	}
	for _, v := range []*big.Int{r, s} {
		if v.Sign() == 0 || v.Cmp(order) >= 0 {
			return nil, nil, errors.New("signature has a scalar out of range")
		}
	}
	return r, s, nil
}

func derScalars(b []byte) (r, s *big.Int, ok bool) {
	body, rest, ok := tlv(b, asn1.TagSequence|0x20)
	if !ok || len(rest) != 0 {
		return nil, nil, false
	}
	rBytes, body, ok := tlv(body, asn1.TagInteger)
	if !ok {
		return nil, nil, false
	}
	sBytes, body, ok := tlv(body, asn1.TagInteger)
	if !ok || len(body) != 0 {
		return nil, nil, false
	}
	return new(big.Int).SetBytes(rBytes), new(big.Int).SetBytes(sBytes), true
}

// tlv takes one element with this tag off b. Lengths may be in the short form or in the long one, of up to four bytes, minimal or not.
func tlv(b []byte, tag byte) (body, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	length, b := int(b[1]), b[2:]
	if length >= 0x80 {
		n := length - 0x80
		if n == 0 || n > 4 || n > len(b) {
			return nil, nil, false
		}
		length = 0
		for _, c := range b[:n] {
			length = length<<8 | int(c)
		}
		b = b[n:]
	}
	if length == 0 || length > len(b) {
		return nil, nil, false
	}
	return b[:length], b[length:], true
}

// encodeDER is the one DER form of r and s, for libraries that take nothing else.
func encodeDER(r, s *big.Int) ([]byte, error) {
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}
