package verify_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// ceremonyMaker holds a ceremony of three, without the mathematics.
type ceremonyMaker struct {
	t       *testing.T
	signers map[commit.Digest]crypto.Signer // by the digest of their keys
	ids     []commit.Digest
	out     []ceremonyVector
}

func newCeremonyMaker(t *testing.T) *ceremonyMaker {
	return &ceremonyMaker{t: t, signers: map[commit.Digest]crypto.Signer{}}
}

func makeCeremonyVectors(t *testing.T) []ceremonyVector {
	m := newCeremonyMaker(t)
	good := m.file(nil, nil)
	m.add("valid", good, "")
	for _, c := range ceremonyChanges {
		changed := m.parsed(m.encoded(good))
		c.change(m, changed)
		m.add(c.name, changed, c.failure)
	}
	for _, c := range planChanges {
		m.add("plan: "+c.name, m.file(c.change, nil), c.failure)
	}
	m.respelled(m.encoded(good))
	return m.out
}

func (m *ceremonyMaker) add(name string, f *transcript.File, failure transcript.Fault) {
	m.t.Helper()
	m.raw(name, m.encoded(f), failure)
}

func (m *ceremonyMaker) raw(name string, file []byte, failure transcript.Fault) {
	m.t.Helper()
	v := ceremonyVector{Name: name, Transcript: file, Failure: verify.Failure(failure)}
	record, got, err := v.check(m.t)
	if got != v.Failure {
		m.t.Errorf("%s: failure is %q (%v), want %q", name, got, err, failure)
	}
	v.Record = record
	m.out = append(m.out, v)
}

// must panics: who makes changes at random recovers from those that cannot be made.
func (m *ceremonyMaker) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (m *ceremonyMaker) encoded(f *transcript.File) []byte {
	m.t.Helper()
	b, err := f.Encode()
	m.must(err)
	return b
}

func (m *ceremonyMaker) parsed(b []byte) *transcript.File {
	m.t.Helper()
	f, err := transcript.ParseFile(b)
	m.must(err)
	return f
}

// plan is of three organisations, of which one has a P-256 key.
func (m *ceremonyMaker) plan() *transcript.Plan {
	p := &transcript.Plan{
		Version: transcript.Version, Name: `Keys of "A & <B>", ½ 电池`, Ledger: commit.Digest{7}, Beacon: transcript.LedgerBeacon, Minimum: 2, Powers: 8194, Domain: 1 << 18,
		Circuits: []transcript.CircuitPlan{{ID: "chunk-64/v1", Constraints: commit.Digest{64}, Domain: 1 << 16}, {ID: "fleet-64/v1", Constraints: commit.Digest{65}, Domain: 1 << 18}},
	}
	p256, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{2}, 32))
	m.must(err)
	m.ids = nil
	for i, signer := range []crypto.Signer{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), p256, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))} {
		der, err := x509.MarshalPKIXPublicKey(signer.Public())
		m.must(err)
		c := transcript.Contributor{ID: []string{"owner", "lender", regulator}[i], Key: der}
		m.signers[c.KeyDigest()], m.ids = signer, append(m.ids, c.KeyDigest())
		p.Contributors = append(p.Contributors, c)
	}
	return p
}

// contributors are who contributed to each part, in order, if nobody is left out of the plan.
var contributors = map[string][]int{transcript.SRSPart: {0, 1}, transcript.PowersPart: {1, 2, 0}, "chunk-64/v1": {2, 0}}

// file is of a whole ceremony. A plan may be changed before it begins and a header before it is signed; a plan that is none is put into the file of a ceremony
// that never had it.
func (m *ceremonyMaker) file(changePlan func(p *transcript.Plan), changeHeader func(h *transcript.Header)) *transcript.File {
	m.t.Helper()
	plan := m.plan()
	if changePlan != nil {
		changePlan(plan)
		if plan.Check() != nil {
			out := m.file(nil, nil)
			out.Plan = plan
			return out
		}
	}
	chains := map[string]*transcript.Chain{}
	m.stage(plan, chains, transcript.FirstStage, nil, changeHeader)
	first, err := plan.NewClosing(transcript.FirstStage, transcript.Beacon{Value: commit.Digest{0xb1}, Source: "block 12 of channel <a>"}, chains)
	m.must(err)
	m.stage(plan, chains, transcript.SecondStage, first, changeHeader)
	second, err := plan.NewClosing(transcript.SecondStage, transcript.Beacon{Value: commit.Digest{0xb2}, Source: "block 34 of channel <a>"}, chains)
	m.must(err)
	keys := []transcript.KeyRecord{{CircuitID: transcript.SRSPart, Digest: commit.Digest{0xd0}, Source: commit.Digest{0x50}}}
	for i, c := range plan.Circuits {
		keys = append(keys, transcript.KeyRecord{CircuitID: c.ID, Digest: commit.Digest{0xd1, byte(i)}, Source: c.Constraints})
	}
	return transcript.NewFile(plan, chains, first, second, keys)
}

func (m *ceremonyMaker) stage(plan *transcript.Plan, chains map[string]*transcript.Chain, stage int, first *transcript.Closing, change func(h *transcript.Header)) {
	m.t.Helper()
	for _, part := range plan.Parts(stage) {
		chain := plan.NewChain(part, first)
		who := contributors[part]
		if who == nil {
			who = []int{1, 0}
		}
		for _, i := range who {
			m.must(chain.Add(m.header(plan, chain, part, m.ids[i], change)))
		}
		chains[part] = chain
	}
}

// header is the next contribution to a part.
func (m *ceremonyMaker) header(plan *transcript.Plan, chain *transcript.Chain, part string, who commit.Digest, change func(h *transcript.Header)) *transcript.Header {
	m.t.Helper()
	h := &transcript.Header{
		Ceremony: plan.Digest(), Part: part, Previous: chain.Last(), Contributor: who, Number: uint32(chain.Number() + 1), BodyBytes: 1 << 20,
		Body: sha256.Sum256(fmt.Appendf(nil, "%s %d", part, chain.Number())),
	}
	if change != nil {
		change(h)
	}
	m.must(h.Sign(m.signers[who]))
	return h
}

// resigned changes a header in a file, and has its contributor sign it, if that is one.
func (m *ceremonyMaker) resigned(f *transcript.File, part, i int, change func(h *transcript.Header)) {
	m.t.Helper()
	h, err := transcript.ParseHeader(f.Parts[part].Headers[i])
	m.must(err)
	change(h)
	signer := m.signers[h.Contributor]
	if signer == nil {
		signer = m.signers[m.ids[0]]
	}
	m.must(h.Sign(signer))
	f.Parts[part].Headers[i] = h.Encode()
}

// further contributes to a part once more.
func (m *ceremonyMaker) further(f *transcript.File, part, who int) {
	m.t.Helper()
	var first *transcript.Closing
	if len(f.Closings) > 0 {
		first = f.Closings[0]
	}
	chain := f.Plan.NewChain(f.Parts[part].Part, first)
	for _, b := range f.Parts[part].Headers {
		h, err := transcript.ParseHeader(b)
		m.must(err)
		m.must(chain.Add(h))
	}
	f.Parts[part].Headers = append(f.Parts[part].Headers, m.header(f.Plan, chain, f.Parts[part].Part, m.ids[who], nil).Encode())
}
