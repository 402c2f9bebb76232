package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

const (
	// TransientAttestations is the one key of transient input that a call may have, and only FnAnchor: the chunk's attestations as
	// JoinAttestations writes them.
	TransientAttestations = "attestations"
	// MaxTransient bounds it.
	MaxTransient = commit.MaxSize * (2 + commit.MaxAttestation)
)

// JoinAttestations writes each attestation behind its length in two bytes, big-endian. It panics on one that is longer than commit.MaxAttestation.
func JoinAttestations(attestations [][]byte) []byte {
	var out []byte
	for _, a := range attestations {
		if len(a) > commit.MaxAttestation {
			panic(fmt.Sprintf("attestation of %d bytes", len(a)))
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(a)))
		out = append(out, a...)
	}
	return out
}

// SplitAttestations reads what JoinAttestations writes: at most commit.MaxSize attestations, none empty or longer than commit.MaxAttestation. The
// results share the input's memory.
func SplitAttestations(b []byte) ([][]byte, error) {
	if len(b) > MaxTransient {
		return nil, fmt.Errorf("attestations: have %d bytes, at most %d", len(b), MaxTransient)
	}
	var out [][]byte
	for len(b) > 0 {
		if len(out) == commit.MaxSize {
			return nil, fmt.Errorf("attestations: more than %d", commit.MaxSize)
		}
		if len(b) < 2 {
			return nil, fmt.Errorf("attestation %d: cut short", len(out))
		}
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 || n > commit.MaxAttestation || n > len(b)-2 {
			return nil, fmt.Errorf("attestation %d: length %d, %d bytes are left and at most %d are taken", len(out), n, len(b)-2, commit.MaxAttestation)
		}
		out = append(out, b[2:2+n:2+n])
		b = b[2+n:]
	}
	return out, nil
}
