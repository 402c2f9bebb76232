package verify_test

import (
	"bytes"
	"math/big"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// encodings are bundles that are no bundle, and proofs that are no proof.
func (m *vectorMaker) encodings() {
	m.add("empty", []byte{}, nil, nil, verify.BundleEncoding)
	m.add("cut short", m.raw[:len(m.raw)-1], nil, nil, verify.BundleEncoding)
	m.add("a byte too many", append(bytes.Clone(m.raw), 0), nil, nil, verify.BundleEncoding)
	m.add("another version", bytes.Replace(m.raw, []byte("assay-bundle/v1"), []byte("assay-bundle/v2"), 1), nil, nil, verify.BundleEncoding)
	m.add("length of the array in a byte", append([]byte{0x98, 6}, m.raw[1:]...), nil, nil, verify.BundleEncoding)
	m.add("array of indefinite length", append(append([]byte{0x9f}, m.raw[1:]...), 0xff), nil, nil, verify.BundleEncoding)
	m.add("a result that is neither true nor false", bytes.Replace(m.raw, []byte{0x82, 0xf5, 0xf4}, []byte{0x82, 0xf5, 0xf6}, 1), nil, nil, verify.BundleEncoding)
	m.changed("chunks in another order", func(b *verify.Bundle) { b.Chunks[0], b.Chunks[1] = b.Chunks[1], b.Chunks[0] }, verify.BundleEncoding)
	m.add("population with a leading zero", bytes.Replace(m.raw, []byte{0x83, 0x41, 0x78}, []byte{0x83, 0x42, 0, 0x78}, 1), nil, nil, verify.BundleEncoding)
	m.changed("total of eleven bytes", func(b *verify.Bundle) { b.Disclosed[1].Lsh(bigOne, 80) }, verify.BundleEncoding)
	s := m.statement.Canonical()
	head := func(n int) []byte { return item(2, uint64(n), 2) }
	m.add("statement with a space", bytes.Replace(m.raw, append(head(len(s)), s...), append(append(head(len(s)+1), ' '), s...), 1), nil, nil, verify.StatementInvalid)
	m.add("statement of another version", bytes.Replace(m.raw, []byte("assay-statement/v1"), []byte("assay-statement/v2"), 1), nil, nil, verify.StatementInvalid)
	m.badProofs("chunk 2", chunkFields, m.bundle.Chunks[0].Proof.Marshal())
	m.badProofs("fleet proof", fleetFields, m.bundle.Fleet[0].Marshal())
}

// badProofs puts bad points and scalars into one place each of a proof.
func (m *vectorMaker) badProofs(of string, fields []field, proof []byte) {
	bad := map[string]map[string][]byte{"g1": badG1(m.t), "g2": badG2(m.t), "scalar": badScalars()}
	seen := map[string]bool{}
	for _, f := range fields {
		for _, name := range sortedKeys(bad[f.kind]) {
			if seen[f.kind+name] {
				continue // one place is enough for each
			}
			changed := bytes.Clone(proof)
			copy(changed[f.start:], bad[f.kind][name])
			m.add(of+": "+f.name+": "+name, bytes.Replace(m.raw, proof, changed, 1), nil, nil, verify.ProofEncoding)
			seen[f.kind+name] = len(bad[f.kind]) > 3
		}
	}
}

func (m *vectorMaker) otherFacts() {
	for _, c := range []struct {
		name    string
		change  func(f *verify.Facts)
		failure verify.Failure
	}{
		{"facts: an unknown schema", func(f *verify.Facts) { f.Schema = "battery/v0" }, verify.FactsInvalid},
		{"facts: chunks out of order", func(f *verify.Facts) { f.Chunks[0].Index = 5 }, verify.FactsInvalid},
		{"facts: a size that is none", func(f *verify.Facts) { f.Chunks[0].Size = 65 }, verify.FactsInvalid},
		{"facts: more attested than enrolled", func(f *verify.Facts) { f.Chunks[0].Attested = f.Chunks[0].Enrolled + 1 }, verify.FactsInvalid},
		{"facts: anchored without a commitment", func(f *verify.Facts) { f.Chunks[0].Commitment = nil }, verify.FactsInvalid},
		{"facts: attested without an anchor", func(f *verify.Facts) { f.Chunks[4].Attested = 1 }, verify.FactsInvalid},
		{"facts: classes that do not add up", func(f *verify.Facts) { f.Chunks[0].Classes["module"]-- }, verify.FactsInvalid},
		{"facts: enrolled that do not add up", func(f *verify.Facts) { f.Enrolled++ }, verify.FactsInvalid},
		{"facts of another fleet", func(f *verify.Facts) { f.Fleet = "fleet-b" }, verify.SubjectMismatch},
		{"facts of another epoch", func(f *verify.Facts) { f.Epoch = 1<<64 - 1 }, verify.SubjectMismatch},
		{"facts of another schema", func(f *verify.Facts) { f.Schema = "charger/v1" }, verify.SubjectMismatch},
		{"nobody attested", func(f *verify.Facts) {
			for i := range f.Chunks {
				f.Chunks[i].Anchored, f.Chunks[i].Attested, f.Chunks[i].Commitment = false, 0, nil
			}
		}, verify.CoverageTooLow},
		{"coverage too low", func(f *verify.Facts) {
			f.Chunks[4].Enrolled, f.Chunks[4].Classes, f.Enrolled = 100, map[string]uint32{"gateway": 100}, f.Enrolled+95
		}, verify.CoverageTooLow},
		{"a chunk that the ledger does not anchor", func(f *verify.Facts) {
			f.Chunks[1].Anchored, f.Chunks[1].Attested, f.Chunks[1].Commitment = false, 0, nil
		}, verify.ChunksMismatch},
		{"a chunk of another index", func(f *verify.Facts) { f.Chunks[0].Index = 1 }, verify.ChunksMismatch},
		{"a commitment that is no point", func(f *verify.Facts) { f.Chunks[0].Commitment = make([]byte, 31) }, verify.AnchorInvalid},
		{"a commitment at infinity", func(f *verify.Facts) { f.Chunks[1].Commitment = f.Chunks[3].Commitment }, verify.AnchorInvalid},
		{"another chunk's commitment", func(f *verify.Facts) { f.Chunks[0].Commitment = f.Chunks[1].Commitment }, verify.MaskRejected},
		{"another ledger", func(f *verify.Facts) { f.Ledger[31] ^= 1 }, verify.MaskRejected},
		{"a chunk of another size", func(f *verify.Facts) { f.Chunks[0].Size = 256 }, verify.MaskRejected},
		{"a size without a key", func(f *verify.Facts) { f.Chunks[0].Size = 1024 }, verify.KeyUnknown},
		{"one attested more than proven", func(f *verify.Facts) { f.Chunks[0].Attested++ }, verify.PopulationDiffer},
	} {
		f := cloned(m.t, m.facts)
		c.change(f)
		m.add(c.name, m.raw, f, nil, c.failure)
	}
	s := asked()
	s.KeyClasses = []string{"module"}
	b, _, err := m.prove(&cheat{statement: s})
	if err != nil {
		m.t.Fatal(err)
	}
	m.add("a key class that is not accepted", marshalled(m.t, b), nil, nil, verify.KeyClassRefused)
}

func (m *vectorMaker) otherKeys() {
	for _, id := range []string{verify.SRSKey, verify.ChunkCircuit(size), verify.FleetCircuit} {
		var rest []verify.PublishedKey
		for _, k := range m.published {
			if k.CircuitID != id {
				rest = append(rest, k)
			}
		}
		m.add("no key for "+id, m.raw, nil, rest, verify.KeyUnknown)
		m.add("revoked: "+id, m.raw, nil, m.withStatus(verify.StateRevoked, id), verify.KeyRevoked)
		m.add("valid: retired: "+id, m.raw, nil, m.withStatus(verify.StateRetired, id), "")
	}
	m.add("valid: a key that was not used is revoked", m.raw, nil, m.withStatus(verify.StateRevoked, verify.ChunkCircuit(256)), "")
	m.add("all revoked", m.raw, nil, m.withStatus(verify.StateRevoked, verify.CircuitIDs()...), verify.KeyRevoked)
	// Keys of the right shape that no proof was made with.
	rekeyed := func(id string, change func(key []byte)) []verify.PublishedKey {
		keys := append([]verify.PublishedKey{}, m.published...)
		for i, k := range keys {
			if k.CircuitID == id {
				key := bytes.Clone(k.Key)
				change(key)
				keys[i] = verify.NewPublishedKey(id, k.Setup, key)
			}
		}
		return keys
	}
	negateG1 := func(at int) func(key []byte) { return func(key []byte) { key[at] ^= 0x40 } }
	m.add("an SRS of another digest", m.raw, nil, rekeyed(verify.SRSKey, func(key []byte) { key[0] ^= 1 }), verify.MaskRejected)
	m.add("a chunk key with another alpha", m.raw, nil, rekeyed(verify.ChunkCircuit(size), negateG1(0)), verify.ChunkRejected)
	m.add("a fleet key with another first point", m.raw, nil, rekeyed(verify.FleetCircuit, negateG1(224)), verify.FleetRejected)
}

func (m *vectorMaker) otherProofs() {
	for _, c := range []struct {
		name    string
		change  func(p *verify.ChunkProof)
		failure verify.Failure
	}{
		{"M negated", func(p *verify.ChunkProof) { p.M.Neg(&p.M) }, verify.MaskRejected},
		{"R negated", func(p *verify.ChunkProof) { p.Mask.R.Neg(&p.Mask.R) }, verify.MaskRejected},
		{"first response off by one", func(p *verify.ChunkProof) { increment(&p.Mask.Zx) }, verify.MaskRejected},
		{"second response zero", func(p *verify.ChunkProof) { p.Mask.Zr.SetZero() }, verify.MaskRejected},
		{"A negated", func(p *verify.ChunkProof) { p.Groth16.Ar.Neg(&p.Groth16.Ar) }, verify.ChunkRejected},
		{"B negated", func(p *verify.ChunkProof) { p.Groth16.Bs.Neg(&p.Groth16.Bs) }, verify.ChunkRejected},
		{"C negated", func(p *verify.ChunkProof) { p.Groth16.Krs.Neg(&p.Groth16.Krs) }, verify.ChunkRejected},
		{"D negated", func(p *verify.ChunkProof) { p.Groth16.Commitments[0].Neg(&p.Groth16.Commitments[0]) }, verify.ChunkRejected},
		{"commitments exchanged", func(p *verify.ChunkProof) {
			d := p.Groth16.Commitments
			d[0], d[1] = d[1], d[0]
		}, verify.ChunkRejected},
		{"commitments that cancel", func(p *verify.ChunkProof) { p.Groth16.Commitments[1].Neg(&p.Groth16.Commitments[0]) }, verify.ChunkRejected},
		{"proof of knowledge negated", func(p *verify.ChunkProof) { p.Groth16.CommitmentPok.Neg(&p.Groth16.CommitmentPok) }, verify.ChunkRejected},
		{"y off by one", func(p *verify.ChunkProof) { increment(&p.Y) }, verify.ChunkRejected},
		{"T of nothing", func(p *verify.ChunkProof) { p.T = verify.UnusedInput() }, verify.ChunkRejected},
		{"quotient negated", func(p *verify.ChunkProof) { p.Opening.Neg(&p.Opening) }, verify.OpeningRejected},
		{"quotient the generator", func(p *verify.ChunkProof) { _, _, p.Opening, _ = bn254.Generators() }, verify.OpeningRejected},
	} {
		m.changed("chunk 5: "+c.name, func(b *verify.Bundle) { c.change(b.Chunks[1].Proof) }, c.failure)
	}
	m.changed("a chunk's proof for another chunk", func(b *verify.Bundle) { b.Chunks[1].Proof = b.Chunks[0].Proof }, verify.MaskRejected)
	m.changed("a chunk left out", func(b *verify.Bundle) { b.Chunks = b.Chunks[:2] }, verify.ChunksMismatch)
	m.changed("no fleet proof", func(b *verify.Bundle) { b.Fleet = nil }, verify.ChainLength)
	m.changed("two fleet proofs", func(b *verify.Bundle) { b.Fleet = append(b.Fleet, b.Fleet[0]) }, verify.ChainLength)
	m.changed("fleet's A negated", func(b *verify.Bundle) { b.Fleet[0].Groth16.Ar.Neg(&b.Fleet[0].Groth16.Ar) }, verify.FleetRejected)
	m.changed("fleet's T of nothing", func(b *verify.Bundle) { b.Fleet[0].T = verify.UnusedInput() }, verify.FleetRejected)
	// A question that was changed after it was answered.
	m.changed("another coverage asked", func(b *verify.Bundle) { b.Statement.MinimumCoverage = "60.0" }, verify.MaskRejected)
	m.changed("another nonce", func(b *verify.Bundle) { b.Statement.Nonce = strings.Repeat("ab", statement.NonceBytes) }, verify.MaskRejected)
	// M cancels the anchored commitment, so that C + M is infinity.
	m.changed("M against the commitment", func(b *verify.Bundle) {
		c, err := commit.ParsePoint(m.facts.Chunks[0].Commitment)
		if err != nil {
			m.t.Fatal(err)
		}
		b.Chunks[0].Proof.M.Neg(&c)
	}, verify.MaskRejected)
	// Of two faults the first in the order of the checks counts, whichever proof it is in.
	m.changed("two faults: opening before mask", func(b *verify.Bundle) {
		b.Chunks[0].Proof.Opening.Neg(&b.Chunks[0].Proof.Opening)
		b.Chunks[2].Proof.M.Neg(&b.Chunks[2].Proof.M)
	}, verify.OpeningRejected)
	m.changed("two faults: proof before results", func(b *verify.Bundle) {
		b.Holds = nil
		increment(&b.Chunks[2].Proof.Y)
	}, verify.ChunkRejected)
}

func (m *vectorMaker) otherResults() {
	m.changed("a result too few", func(b *verify.Bundle) { b.Holds = b.Holds[:1] }, verify.ResultsMismatch)
	m.changed("a total too many", func(b *verify.Bundle) { b.Disclosed = append(b.Disclosed, bigOne) }, verify.ResultsMismatch)
	m.changed("no totals", func(b *verify.Bundle) { b.Disclosed = nil }, verify.ResultsMismatch)
	m.changed("population of one more", func(b *verify.Bundle) { b.Disclosed[0].Add(b.Disclosed[0], bigOne) }, verify.PopulationDiffer)
	m.changed("population beyond 64 bits", func(b *verify.Bundle) { b.Disclosed[0].Add(b.Disclosed[0], new(big.Int).Lsh(bigOne, 64)) }, verify.PopulationDiffer)
	m.changed("a claim that holds is said not to", func(b *verify.Bundle) { b.Holds[0] = false }, verify.FleetRejected)
	m.changed("a claim that does not hold is said to", func(b *verify.Bundle) { b.Holds[1] = true }, verify.FleetRejected)
	m.changed("value of a cent more", func(b *verify.Bundle) { b.Disclosed[1].Add(b.Disclosed[1], bigOne) }, verify.FleetRejected)
	m.changed("totals exchanged", func(b *verify.Bundle) { b.Disclosed[1], b.Disclosed[2] = b.Disclosed[2], b.Disclosed[1] }, verify.FleetRejected)
}

func increment(s *fr.Element) {
	one := fr.One()
	s.Add(s, &one)
}

// withStatus are all keys, some of them no longer active.
func (m *vectorMaker) withStatus(state verify.KeyState, ids ...string) []verify.PublishedKey {
	keys := append([]verify.PublishedKey{}, m.published...)
	for i := range keys {
		if slices.Contains(ids, keys[i].CircuitID) {
			keys[i].Status = verify.KeyStatus{State: state, Reason: "the ceremony's second round <was> repeated", Time: 1_790_000_000}
		}
	}
	return keys
}
