package ledgertest

import (
	"slices"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/zk/commit"
)

// forged are attestations of a chunk of which one is not what it should be. elsewhere are those of another chunk.
func (s *suite) forged(t *testing.T, key anchorKey, good, elsewhere [][]byte) map[string][][]byte {
	t.Helper()
	place := s.place(key.fleet, key.chunk, key.epoch)
	slots := s.active(t, key.fleet, key.chunk, key.epoch)
	first, d, neighbour := slots[0].Slot, s.device(slots[0].Enrolment.Device), s.device(slots[1].Enrolment.Device)
	before, otherLedger := s.place(key.fleet, key.chunk, key.epoch-1), place
	otherLedger.Ledger = commit.Digest{9}
	put := func(a []byte) [][]byte { return append([][]byte{a}, good[1:]...) }
	attest := func(p commit.ChunkPlace, slot uint32, d contracttest.Device) [][]byte {
		return put(contracttest.Attest(s.SRS, p, slot, d))
	}
	return map[string][][]byte{
		"of another epoch":              attest(before, first, d),
		"of another slot":               attest(place, first+20, d),
		"of another chunk":              attest(s.place(key.fleet, key.chunk+1, key.epoch), first, d),
		"of another fleet":              attest(s.place(s.closed, key.chunk, key.epoch), first, d),
		"of another ledger":             attest(otherLedger, first, d),
		"of a neighbour":                attest(place, first, neighbour),
		"of a device that has no slot":  attest(place, first, s.draw(s.maker, 1)[0]),
		"with a bad signature":          put(badSignature(t, good[0])),
		"with another's proof":          put(s.otherProof(t, d, good[0], good[1])),
		"that reaches into a neighbour": put(s.ontoNeighbour(t, d, good[0], slots[1].Slot)),
		"twice":                         slices.Insert(slices.Clone(good), 1, good[0]),
		"out of order":                  append(slices.Clone(good[1:]), good[0]),
		"all of another chunk":          elsewhere,
		"garbage":                       put([]byte("attestation")),
	}
}

func parse(t *testing.T, encoded []byte) *commit.Attestation {
	t.Helper()
	return must[*commit.Attestation](t)(commit.ParseAttestation(encoded))
}

func badSignature(t *testing.T, encoded []byte) []byte {
	t.Helper()
	a := parse(t, encoded)
	a.Signature[5] ^= 1
	return a.Marshal()
}

// otherProof is signed by the device, with the proof of another attestation.
func (s *suite) otherProof(t *testing.T, d contracttest.Device, encoded, other []byte) []byte {
	t.Helper()
	a := parse(t, encoded)
	a.Proof = parse(t, other).Proof
	return s.signed(t, d, a)
}

// ontoNeighbour adds a multiple of another slot's base to the commitment.
func (s *suite) ontoNeighbour(t *testing.T, d contracttest.Device, encoded []byte, slot uint32) []byte {
	t.Helper()
	a := parse(t, encoded)
	base := s.SRS.G1(int(slot))
	a.C.Add(&a.C, &base)
	return s.signed(t, d, a)
}

func (s *suite) signed(t *testing.T, d contracttest.Device, a *commit.Attestation) []byte {
	t.Helper()
	a.Signature = must[[]byte](t)(commit.Sign(d.Key, a.SigningBytes(s.Genesis.ID(), s.SRS.Digest())))
	return a.Marshal()
}
