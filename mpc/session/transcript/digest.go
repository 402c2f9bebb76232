package transcript

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// ID names a session: see [Opening.ID].
type ID [32]byte

// Digest is SHA-256 of something that an entry stands for.
type Digest [32]byte

func (id ID) String() string                { return hex.EncodeToString(id[:]) }
func (id ID) MarshalText() ([]byte, error)  { return []byte(id.String()), nil }
func (id *ID) UnmarshalText(b []byte) error { return parse(id[:], "session", b) }

// ParseID reads 64 lower-case hexadecimal digits.
func ParseID(text string) (ID, error) {
	var id ID
	err := id.UnmarshalText([]byte(text))
	return id, err
}

func (d Digest) String() string                { return hex.EncodeToString(d[:]) }
func (d Digest) IsZero() bool                  { return d == Digest{} }
func (d Digest) MarshalText() ([]byte, error)  { return []byte(d.String()), nil }
func (d *Digest) UnmarshalText(b []byte) error { return parse(d[:], "digest", b) }

// parse takes the one text that String writes.
func parse(to []byte, what string, text []byte) error {
	if len(text) != 2*len(to) {
		return fmt.Errorf("%s: %d characters, want %d hexadecimal digits", what, len(text), 2*len(to))
	}
	for i, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("%s: character %d is not a lower-case hexadecimal digit", what, i)
		}
	}
	_, err := hex.Decode(to, text)
	return err
}

// Hash is SHA-256 over a domain and fields, each with its length before it, so that no two lists of fields are the same bytes.
func Hash(domain string, fields ...[]byte) Digest {
	h := sha256.New()
	h.Write(field([]byte(domain)))
	for _, f := range fields {
		h.Write(field(f))
	}
	return Digest(h.Sum(nil))
}

func field(b []byte) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(b)), uint64(len(b))), b...)
}
