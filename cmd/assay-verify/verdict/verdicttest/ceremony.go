package verdicttest

import (
	"crypto/sha256"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// Heights of the blocks that the ceremony's stages are said to be closed with.
const (
	FirstBlock  = 5
	SecondBlock = 9
)

// Plan is of a ceremony in which every organisation may contribute, to the circuits of an export's keys.
func Plan(t *ledger.Trust) *transcript.Plan {
	p := &transcript.Plan{
		Version: transcript.Version, Name: "Keys of the test consortium", Ledger: t.Ledger, Beacon: transcript.LedgerBeacon, Minimum: 2, Powers: 1 << 12, Domain: 1 << 15,
	}
	for i := range t.Genesis.Organisations {
		o := &t.Genesis.Organisations[i]
		p.Contributors = append(p.Contributors, transcript.Contributor{ID: o.ID, Key: o.Key})
	}
	for i := range t.Keys {
		if id := t.Keys[i].CircuitID; id != verify.SRSKey {
			p.Circuits = append(p.Circuits, transcript.CircuitPlan{ID: id, Constraints: sourceOf(id), Domain: p.Domain})
		}
	}
	return p
}

// sourceOf stands for the digest of a constraint system, or of the SRS.
func sourceOf(id string) commit.Digest { return sha256.Sum256([]byte("source of " + id)) }

// Ceremony makes a transcript by the plan, of contributions by some organisations, and relabels the export's keys as what came out. Names, order and signatures are as they should be; the mathematics is
// not there: no transcript shows it, and no export.
func Ceremony(p *transcript.Plan, t *ledger.Trust, by ...string) (*transcript.File, error) {
	chains := map[string]*transcript.Chain{}
	first, err := stage(p, chains, nil, transcript.FirstStage, FirstBlock, by)
	if err != nil {
		return nil, err
	}
	second, err := stage(p, chains, first, transcript.SecondStage, SecondBlock, by)
	if err != nil {
		return nil, err
	}
	setup := verify.CeremonySetup(transcript.Digest(p, first, second))
	var made []transcript.KeyRecord
	for i := range t.Keys {
		k := verify.NewPublishedKey(t.Keys[i].CircuitID, setup, t.Keys[i].Key)
		if k.CircuitID != verify.SRSKey {
			k.SRS, k.Circuit = sourceOf(verify.SRSKey), sourceOf(k.CircuitID)
		}
		t.Keys[i] = k
		made = append(made, transcript.KeyRecord{CircuitID: k.CircuitID, Digest: k.Digest, Source: sourceOf(k.CircuitID)})
	}
	Sign(t)
	return transcript.NewFile(p, chains, first, second, made), nil
}

// stage has everybody contribute to every part and closes it with the hash of a block.
func stage(p *transcript.Plan, chains map[string]*transcript.Chain, first *transcript.Closing, number int, block uint64, by []string) (*transcript.Closing, error) {
	for _, part := range p.Parts(number) {
		chain := p.NewChain(part, first)
		for i := range p.Contributors {
			c := &p.Contributors[i]
			if !slices.Contains(by, c.ID) {
				continue
			}
			h := &transcript.Header{
				Ceremony: p.Digest(), Part: part, Previous: chain.Last(), Contributor: c.KeyDigest(), Body: sha256.Sum256([]byte(part + " by " + c.ID)), Number: uint32(chain.Number() + 1), BodyBytes: 1 << 20,
			}
			if err := h.Sign(Key(c.ID)); err != nil {
				return nil, err
			}
			if err := chain.Add(h); err != nil {
				return nil, err
			}
		}
		chains[part] = chain
	}
	return p.NewClosing(number, transcript.Beacon{Value: commit.Digest{byte(block)}, Source: ledger.BlockSource(p.Ledger, block)}, chains)
}
