package transcript

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// A contribution's file is a header of fixed length and a body. The header is, in this order: the tag, the ceremony, the part's name, the digest of the
// header before, the SHA-256 of the contributor's key, the SHA-256 of the body (32 bytes each; the tag and the name are padded with zeros), the
// number of the contribution (4 bytes, big-endian), the length of the body (8 bytes), and the signature over all that, 64 bytes.
const (
	unsignedBytes = 6*32 + 4 + 8
	HeaderBytes   = unsignedBytes + commit.SignatureBytes
	// MaxBody bounds the length of a body that a header may claim. It is above that of any part: a circuit's has 32 bytes for each wire, of which the library
	// has 2^32 at most, and for each of 2^20 places; those of the first stage are smaller still.
	MaxBody = 1 << 38
)

// Header says what a contribution is and who vouches for it.
type Header struct {
	Ceremony    commit.Digest
	Part        string
	Previous    commit.Digest
	Contributor commit.Digest
	Body        commit.Digest
	Number      uint32
	BodyBytes   uint64
	Signature   [commit.SignatureBytes]byte
}

func (h *Header) unsigned() []byte {
	b := make([]byte, 0, HeaderBytes)
	b = append(b, padded(tagContribution)...)
	b = append(b, h.Ceremony[:]...)
	b = append(b, padded(h.Part)...)
	for _, d := range []commit.Digest{h.Previous, h.Contributor, h.Body} {
		b = append(b, d[:]...)
	}
	b = binary.BigEndian.AppendUint32(b, h.Number)
	return binary.BigEndian.AppendUint64(b, h.BodyBytes)
}

func padded(s string) []byte {
	var b [partBytes]byte
	copy(b[:], s)
	return b[:]
}

// Encode is the header's one encoding, of [HeaderBytes] bytes.
func (h *Header) Encode() []byte { return append(h.unsigned(), h.Signature[:]...) }

// Digest names the contribution, and through Previous all before it.
func (h *Header) Digest() commit.Digest {
	t := commit.NewTranscript(tagContribution, h.Ceremony)
	t.Bytes(h.Encode())
	return t.Digest()
}

// Binding is what the contribution's proofs of knowledge are made for: its place and who makes it.
func (h *Header) Binding() commit.Digest {
	t := commit.NewTranscript(tagBinding, h.Ceremony)
	t.Bytes([]byte(h.Part))
	t.Uint(uint64(h.Number))
	t.Bytes(h.Previous[:])
	t.Bytes(h.Contributor[:])
	return t.Digest()
}

// Sign signs everything that the header says.
func (h *Header) Sign(signer crypto.Signer) error {
	signature, err := commit.Sign(signer, h.unsigned())
	if err != nil {
		return err
	}
	if len(signature) != len(h.Signature) {
		return fmt.Errorf("signature has %d bytes, must have %d", len(signature), len(h.Signature))
	}
	copy(h.Signature[:], signature)
	return nil
}

// ParseHeader reads exactly [HeaderBytes] bytes. It does not verify the signature: [Chain.Add] does.
func ParseHeader(b []byte) (*Header, error) {
	if len(b) < HeaderBytes {
		return nil, Truncated.Errorf("%d bytes, a header has %d", len(b), HeaderBytes)
	}
	if len(b) > HeaderBytes {
		return nil, Length.Errorf("%d bytes, a header has %d", len(b), HeaderBytes)
	}
	next := func(n int) []byte {
		part := b[:n]
		b = b[n:]
		return part
	}
	if !bytes.Equal(next(32), padded(tagContribution)) {
		return nil, Encoding.Errorf("not a contribution")
	}
	h := &Header{Ceremony: commit.Digest(next(32))}
	h.Part = string(bytes.TrimRight(next(partBytes), "\x00"))
	if err := checkPart(h.Part); err != nil {
		return nil, Encoding.Errorf("%w", err)
	}
	h.Previous, h.Contributor, h.Body = commit.Digest(next(32)), commit.Digest(next(32)), commit.Digest(next(32))
	h.Number, h.BodyBytes = binary.BigEndian.Uint32(next(4)), binary.BigEndian.Uint64(next(8))
	if h.BodyBytes > MaxBody {
		return nil, Length.Errorf("promises a body of %d bytes, at most %d", h.BodyBytes, uint64(MaxBody))
	}
	h.Signature = [commit.SignatureBytes]byte(next(commit.SignatureBytes))
	return h, nil
}
