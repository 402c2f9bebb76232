package transcript

import "github.com/assay-net/assay/zk/commit"

// Record is what a transcript says, for showing and comparing: every digest, who contributed, the closing values, and the keys. What is recorded on a ledger when
// it happens gives the order that files cannot show: every contribution to a stage must be on the ledger before the block whose hash closes the stage.
type Record struct {
	// Ceremony is the plan's digest, which every contributor has signed.
	Ceremony      commit.Digest        `json:"ceremony"`
	Contributions []ContributionRecord `json:"contributions"`
	Closings      []ClosingRecord      `json:"closings"`
	// Transcript names everything above, once all is closed; the keys' setup names it. Zero before.
	Transcript commit.Digest `json:"transcript"`
	Keys       []KeyRecord   `json:"keys"`
}

// ContributionRecord is one contribution. Digest covers body, place, contributor and signature, and all contributions before.
type ContributionRecord struct {
	Part        string        `json:"part"`
	Number      int           `json:"number"`
	Contributor string        `json:"contributor"`
	Digest      commit.Digest `json:"digest"`
	Body        commit.Digest `json:"body"`
	Bytes       int64         `json:"bytes"`
	Signature   []byte        `json:"signature"`
}

// ClosingRecord is the end of one part.
type ClosingRecord struct {
	Part          string        `json:"part"`
	Contributions int           `json:"contributions"`
	Last          commit.Digest `json:"last"`
	Beacon        commit.Digest `json:"beacon"`
	Source        string        `json:"source"`
	Digest        commit.Digest `json:"digest"`
}

// KeyRecord is a finished key.
type KeyRecord struct {
	CircuitID string `json:"circuit_id"`
	Setup     string `json:"setup"`
	// Digest is the published key's.
	Digest commit.Digest `json:"digest"`
	// Source is the constraint system's digest, or the SRS's.
	Source commit.Digest `json:"source"`
	// Kept says that the cache folder holds the proving key, or the SRS, that belongs to it.
	Kept bool `json:"kept"`
}

// NewRecord gathers it in the order of the parts. The closings may be nil.
func NewRecord(plan *Plan, chains map[string]*Chain, first, second *Closing, keys []KeyRecord) *Record {
	r := &Record{Ceremony: plan.Digest(), Contributions: []ContributionRecord{}, Closings: []ClosingRecord{}, Keys: append([]KeyRecord{}, keys...)}
	for _, stage := range []int{FirstStage, SecondStage} {
		for _, part := range plan.Parts(stage) {
			if chain := chains[part]; chain != nil {
				for _, h := range chain.Headers() {
					r.Contributions = append(r.Contributions, plan.Contribution(h))
				}
			}
		}
	}
	for _, closing := range []*Closing{first, second} {
		if closing == nil {
			continue
		}
		for _, p := range closing.Parts {
			end := closing.Of(p.Part)
			r.Closings = append(r.Closings, ClosingRecord{p.Part, p.Contributions, p.Last, end.Beacon, closing.Source, end.Digest})
		}
	}
	if second != nil {
		r.Transcript = Digest(plan, first, second)
	}
	return r
}

// Contribution is the record of one contribution of the plan's.
func (p *Plan) Contribution(h *Header) ContributionRecord {
	r := ContributionRecord{
		Part: h.Part, Number: int(h.Number), Digest: h.Digest(), Body: h.Body, Bytes: int64(h.BodyBytes) + HeaderBytes, Signature: h.Signature[:],
	}
	if who := p.Contributor(h.Contributor); who != nil {
		r.Contributor = who.ID
	}
	return r
}
