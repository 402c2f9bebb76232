package verify_test

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// mutateBytes changes some bytes, whatever they are.
func mutateBytes(_ *testing.T, m *mutant) {
	if len(m.bundle) == 0 {
		return
	}
	at, n := m.rng.IntN(len(m.bundle)), 1+m.rng.IntN(4)
	rest := m.bundle[min(at+n, len(m.bundle)):]
	noise := make([]byte, n)
	for i := range noise {
		noise[i] = byte(m.rng.Uint32())
	}
	switch m.rng.IntN(5) {
	case 0, 1:
		m.bundle[at] ^= 1 << m.rng.IntN(8)
	case 2:
		m.bundle = slices.Concat(m.bundle[:at], noise, m.bundle[at:])
	case 3:
		m.bundle = slices.Concat(m.bundle[:at], rest)
	case 4:
		m.bundle = slices.Concat(m.bundle[:at], noise, rest)
	}
	m.did(fmt.Sprintf("bytes at %d", at))
}

// mutateProof replaces a point or a scalar by another that is well-formed.
func mutateProof(t *testing.T, m *mutant) {
	b := m.parsed()
	if b == nil || len(b.Chunks) == 0 || len(b.Fleet) == 0 {
		return
	}
	p, f := pick(m.rng, b.Chunks).Proof, pick(m.rng, b.Fleet)
	points := []*bn254.G1Affine{
		&p.Groth16.Ar, &p.Groth16.Krs, &p.Groth16.Commitments[0], &p.Groth16.Commitments[1], &p.Groth16.CommitmentPok, &p.M, &p.Mask.R, &p.Opening, &f.Groth16.Ar, &f.Groth16.Krs,
	}
	scalars := []*fr.Element{&p.Mask.Zx, &p.Mask.Zr, &p.Y, &p.T, &f.T}
	switch m.rng.IntN(6) {
	case 0, 1, 2:
		at := m.rng.IntN(len(points))
		m.mutatePoint(points[at], *pick(m.rng, points))
		m.did(fmt.Sprintf("point %d", at))
	case 3, 4:
		at := m.rng.IntN(len(scalars))
		m.mutateScalar(scalars[at], *pick(m.rng, scalars))
		m.did(fmt.Sprintf("scalar %d", at))
	case 5:
		g := pick(m.rng, []*bn254.G2Affine{&p.Groth16.Bs, &f.Groth16.Bs})
		g.Neg(g)
		m.did("B negated")
	}
	m.bundle = marshalled(t, b)
}

func (m *mutant) mutatePoint(p *bn254.G1Affine, other bn254.G1Affine) {
	switch m.rng.IntN(4) {
	case 0:
		p.Neg(p)
	case 1:
		*p = other
	case 2:
		*p = generatorTimes(1 + uint64(m.rng.IntN(3)))
	case 3:
		if p.Add(p, &other); p.IsInfinity() {
			*p = other
		}
	}
}

func (m *mutant) mutateScalar(s *fr.Element, other fr.Element) {
	switch m.rng.IntN(4) {
	case 0:
		increment(s)
	case 1:
		*s = other
	case 2:
		s.SetUint64(uint64(m.rng.IntN(2)))
	case 3:
		s.Neg(s)
	}
}

// mutateEncoding puts a bad encoding into a proof.
func mutateEncoding(t *testing.T, m *mutant) {
	b := m.parsed()
	if b == nil || len(b.Chunks) == 0 || len(b.Fleet) == 0 {
		return
	}
	proof, fields := pick(m.rng, b.Chunks).Proof.Marshal(), chunkFields
	if m.rng.IntN(3) == 0 {
		proof, fields = pick(m.rng, b.Fleet).Marshal(), fleetFields
	}
	f := pick(m.rng, fields)
	bad := map[string]map[string][]byte{"g1": badG1(t), "g2": badG2(t), "scalar": badScalars()}[f.kind]
	name := pick(m.rng, sortedKeys(bad))
	changed := bytes.Clone(proof)
	copy(changed[f.start:], bad[name])
	m.bundle = bytes.Replace(m.bundle, proof, changed, 1)
	m.did(f.name + " " + name)
}

// mutateStatement writes another document in the statement's place.
func mutateStatement(t *testing.T, m *mutant) {
	b := m.parsed()
	if b == nil {
		return
	}
	old := b.Statement.Canonical()
	document := bytes.Clone(old)
	switch m.rng.IntN(3) {
	case 0:
		c := pick(m.rng, changedStatements)
		s := asked()
		if c.change(s); b.Statement.Schema == s.Schema {
			s.Fleet, s.Epoch = b.Statement.Fleet, b.Statement.Epoch
		}
		document = s.Canonical()
		m.did("statement: " + c.name)
	case 1:
		c := pick(m.rng, respelledStatements)
		document = bytes.Replace(document, []byte(c.old), []byte(c.new), 1)
		m.did("statement: " + c.name)
	case 2:
		at := m.rng.IntN(len(document))
		document[at] = pick(m.rng, []byte(`0123456789"{}[],:.- aeZ\<`+"\x00\x7f\xff"))
		m.did(fmt.Sprintf("statement: byte %d", at))
	}
	head := func(d []byte) []byte {
		size := 2
		if len(d) < 256 {
			size = 1
		}
		return append(item(2, uint64(len(d)), size), d...)
	}
	m.bundle = bytes.Replace(m.bundle, head(old), head(document), 1)
}

// mutateResults changes what is said to have come out.
func mutateResults(t *testing.T, m *mutant) {
	b := m.parsed()
	if b == nil {
		return
	}
	switch at := m.rng.IntN(6); {
	case at == 0 && len(b.Holds) > 0:
		i := m.rng.IntN(len(b.Holds))
		b.Holds[i] = !b.Holds[i]
	case at == 1:
		b.Holds = append(b.Holds, m.rng.IntN(2) == 0)
	case at == 2 && len(b.Holds) > 0:
		b.Holds = b.Holds[1:]
	case at == 3 && len(b.Disclosed) > 0:
		d := pick(m.rng, b.Disclosed)
		d.Add(d, bigOne)
	case at == 4 && len(b.Disclosed) > 0:
		pick(m.rng, b.Disclosed).Lsh(bigOne, uint(m.rng.IntN(2*statement.ValueBits)))
	default:
		b.Disclosed = append(b.Disclosed, new(big.Int))
	}
	m.bundle = marshalled(t, b)
	m.did("results")
}

// mutateFacts changes what the ledger says.
func mutateFacts(_ *testing.T, m *mutant) {
	if len(m.facts.Chunks) == 0 {
		return
	}
	c := &m.facts.Chunks[m.rng.IntN(len(m.facts.Chunks))]
	changes := map[string]func(){
		"index":       func() { c.Index += uint32(m.rng.IntN(3)) - 1 },
		"size":        func() { c.Size = pick(m.rng, []uint32{64, 256, 1024, 4096, 65, 0}) },
		"attested":    func() { c.Attested += uint32(m.rng.IntN(3)) - 1 },
		"anchored":    func() { c.Anchored = !c.Anchored },
		"commitment":  func() { c.Commitment = m.anotherCommitment() },
		"enrolled":    func() { c.Enrolled++; m.facts.Enrolled++; c.Classes = map[string]uint32{"module": c.Enrolled} },
		"classes":     func() { c.Classes = map[string]uint32{"Ω": 1, "module": c.Enrolled - 1} },
		"no classes":  func() { c.Classes = nil },
		"ledger":      func() { m.facts.Ledger[m.rng.IntN(32)] ^= 1 },
		"epoch":       func() { m.facts.Epoch = m.rng.Uint64() },
		"fleet":       func() { m.facts.Fleet += "x" },
		"schema":      func() { m.facts.Schema = pick(m.rng, []string{"battery/v1", "charger/v1", "battery/v2", ""}) },
		"sum":         func() { m.facts.Enrolled += m.rng.Uint64N(2) },
		"owner":       func() { m.facts.Owner = "<another>\u2028" },
		"retired":     func() { m.facts.Retired = m.rng.Uint64() },
		"transaction": func() { c.TxID = "\x01\"" },
		"height":      func() { c.Height = m.rng.Uint64() },
		"root":        func() { c.Root = commit.Digest{9} },
		"no chunks":   func() { m.facts.Chunks = nil },
		"unanchored":  func() { c.Anchored, c.Attested, c.Commitment = false, 0, nil },
	}
	name := pick(m.rng, sortedKeys(changes))
	changes[name]()
	m.did("facts: " + name)
}

func (m *mutant) anotherCommitment() []byte {
	p := generatorTimes(1 + uint64(m.rng.IntN(5)))
	b := p.Bytes()
	return pick(m.rng, [][]byte{b[:], b[:31], make([]byte, 32), {}, m.facts.Chunks[0].Commitment})
}

// mutateKeys changes keys so that their digests are their own, or not.
func mutateKeys(_ *testing.T, m *mutant) {
	if len(m.keys) == 0 {
		return
	}
	at := m.rng.IntN(len(m.keys))
	k := m.keys[at]
	k.Key = bytes.Clone(k.Key)
	switch m.rng.IntN(9) {
	case 0:
		m.keys = slices.Delete(m.keys, at, at+1)
	case 1:
		m.keys = append(m.keys, k)
	case 2:
		k.Key[m.rng.IntN(len(k.Key))] ^= 1 << m.rng.IntN(8)
	case 3, 4:
		i := 32 * m.rng.IntN(len(k.Key)/32)
		k.Key[i] ^= 0x40 // the other y, if a point begins here
		k = verify.NewPublishedKey(k.CircuitID, k.Setup, k.Key)
	case 5:
		k.Key[m.rng.IntN(len(k.Key))] ^= 1 << m.rng.IntN(8)
		k = verify.NewPublishedKey(k.CircuitID, k.Setup, k.Key)
	case 6:
		k = verify.NewPublishedKey(pick(m.rng, append(verify.CircuitIDs(), "chunk-65/v1")), k.Setup, k.Key)
	case 7:
		k = verify.NewPublishedKey(k.CircuitID, pick(m.rng, []string{"", "ceremony:", verify.CeremonySetup(k.Digest), verify.SetupUnsafe}), k.Key)
	case 8:
		k.SRS, k.Circuit = m.facts.Ledger, k.Digest
		k.Status = verify.KeyStatus{
			State:  pick(m.rng, []verify.KeyState{verify.StateRetired, verify.StateRevoked, verify.StateActive, "", "x"}),
			Reason: pick(m.rng, []string{"", "superseded", "a\tb", strings.Repeat("é", 256), strings.Repeat("é", 257)}), Time: pick(m.rng, []int64{0, -1, 1_700_000_000, 1 << 40}),
		}
	}
	if at < len(m.keys) {
		m.keys[at] = k
	}
	m.did(fmt.Sprintf("key %d", at))
}

// mutateOrder puts proofs in other places.
func mutateOrder(t *testing.T, m *mutant) {
	b := m.parsed()
	if b == nil || len(b.Chunks) == 0 {
		return
	}
	at := m.rng.IntN(len(b.Chunks))
	switch m.rng.IntN(5) {
	case 0:
		b.Chunks = slices.Delete(b.Chunks, at, at+1)
	case 1:
		b.Chunks[at].Proof = pick(m.rng, b.Chunks).Proof
	case 2:
		b.Chunks[at].Index = pick(m.rng, b.Chunks).Index + uint32(m.rng.IntN(2))
	case 3:
		b.Fleet = append(b.Fleet, b.Fleet...)
	case 4:
		b.Chunks = append(b.Chunks, verify.IndexedChunkProof{Index: b.Chunks[len(b.Chunks)-1].Index + 1, Proof: b.Chunks[at].Proof})
	}
	m.bundle = marshalled(t, b)
	m.did("order")
}
