package ledgertest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// servesAttestations asks everybody for the attestations of every anchor: those who endorsed it have them, and nobody else.
func (s *suite) servesAttestations(t *testing.T) {
	for key, a := range s.anchored {
		for _, org := range s.all {
			kept, err := s.Attestations(t, org, a.args.Root)
			if !slices.Contains(a.receipt.Endorsers, org) {
				if err := wrongCode(ledger.NotFound, fmt.Sprintf("attestations of chunk %d of %s, which %s did not endorse", key.chunk, key.fleet, org), err); err != nil {
					t.Error(err)
				}
				continue
			}
			if diff := cmp.Diff(a.attestations, kept); err != nil || diff != "" {
				t.Errorf("attestations of chunk %d of %s at %s: %v %s", key.chunk, key.fleet, org, err, diff)
			}
		}
	}
	if err := wrongCode(ledger.NotFound, "attestations of no anchor", second(s.Attestations(t, s.regulator, commit.Digest{1}))); err != nil {
		t.Error(err)
	}
}

// showsNoAttestation looks for the attestations in all that the ledger said, and in the blocks as they are stored.
func (s *suite) showsNoAttestation(t *testing.T) {
	secrets := s.secrets(t)
	for _, said := range s.log.said {
		reportSecret(t, secrets, "something that the ledger said", said)
	}
	head := must[ledger.Head](t)(s.as(s.owner).Head(s.ctx))
	blocks, found := 0, 0
	root := s.anchored[anchorKey{s.closed, s.over, 0}].args.Root.String()
	s.Blocks(t, s.log.start+1, head.Height, func(block []byte) {
		blocks++
		reportSecret(t, secrets, fmt.Sprintf("block %d", s.log.start+uint64(blocks)), block)
		if bytes.Contains(block, []byte(root)) || bytes.Contains(block, []byte(base64.StdEncoding.EncodeToString([]byte(root)))) {
			found++
		}
	})
	if blocks != int(head.Height-s.log.start) || found == 0 {
		t.Errorf("%d blocks were shown from %d to %d, an anchor's root was found in %d", blocks, s.log.start+1, head.Height, found)
	}
}

// secrets are the parts of every attestation of an anchor.
func (s *suite) secrets(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for key, a := range s.anchored {
		for i, b := range a.attestations {
			parsed := parse(t, b)
			point := parsed.C.Bytes()
			for name, part := range map[string][]byte{"attestation": b, "commitment": point[:], "proof": parsed.Proof.Bytes(), "signature": parsed.Signature} {
				out[fmt.Sprintf("%s %d of chunk %d of %s at epoch %d", name, i, key.chunk, key.fleet, key.epoch)] = part
			}
		}
	}
	return out
}

// reportSecret looks for secrets as they are and in the two ways in which text has bytes.
func reportSecret(t *testing.T, secrets map[string][]byte, where string, b []byte) {
	t.Helper()
	for name, secret := range secrets {
		for _, form := range [][]byte{secret, []byte(base64.StdEncoding.EncodeToString(secret)), []byte(hex.EncodeToString(secret))} {
			if bytes.Contains(b, form) {
				t.Errorf("%s is in %s", name, where)
			}
		}
	}
}
