package ceremony

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/assay-net/assay/zk/commit"
)

// A contribution's file is a header of fixed length and a body. The header is, in this order: the tag, the ceremony, the part's name, the digest of the
// header before, the SHA-256 of the contributor's key, the SHA-256 of the body (32 bytes each; the tag and the name are padded with zeros), the
// number of the contribution (4 bytes, big-endian), the length of the body (8 bytes), and the signature over all that, 64 bytes.
const (
	unsignedBytes = 6*32 + 4 + 8
	headerBytes   = unsignedBytes + commit.SignatureBytes
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
	b := make([]byte, 0, headerBytes)
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

func (h *Header) encode() []byte { return append(h.unsigned(), h.Signature[:]...) }

// Digest names the contribution, and through Previous all before it.
func (h *Header) Digest() commit.Digest {
	t := commit.NewTranscript(tagContribution, h.Ceremony)
	t.Bytes(h.encode())
	return t.Digest()
}

func (h *Header) sign(signer crypto.Signer) error {
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

// readHeader reads the fixed number of bytes and nothing more.
func readHeader(r io.Reader) (*Header, error) {
	b := make([]byte, headerBytes)
	if n, err := io.ReadFull(r, b); err != nil {
		return nil, Truncated.errorf("file has %d bytes, a header has %d", n, headerBytes)
	}
	return parseHeader(b)
}

// parseHeader takes headerBytes bytes.
func parseHeader(b []byte) (*Header, error) {
	next := func(n int) []byte {
		part := b[:n]
		b = b[n:]
		return part
	}
	if !bytes.Equal(next(32), padded(tagContribution)) {
		return nil, Encoding.errorf("not a contribution")
	}
	h := &Header{Ceremony: commit.Digest(next(32))}
	name := next(partBytes)
	h.Part = string(bytes.TrimRight(name, "\x00"))
	if err := checkPart(h.Part); err != nil {
		return nil, Encoding.errorf("%w", err)
	}
	h.Previous, h.Contributor, h.Body = commit.Digest(next(32)), commit.Digest(next(32)), commit.Digest(next(32))
	h.Number, h.BodyBytes = binary.BigEndian.Uint32(next(4)), binary.BigEndian.Uint64(next(8))
	h.Signature = [commit.SignatureBytes]byte(next(commit.SignatureBytes))
	return h, nil
}
