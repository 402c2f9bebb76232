package ceremony

import "github.com/assay-net/assay/zk/commit"

// Record is what a ledger has to hold of a ceremony so that a relying party with the files can say whether they are the files: every digest, who
// contributed, the closing values, and the keys. What is recorded when it happens gives the order that files cannot show: every contribution to a stage
// must be on the ledger before the block whose hash closes the stage.
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
	// Digest is the published key's, [verify.KeyDigest].
	Digest commit.Digest `json:"digest"`
	// Source is the constraint system's digest, or the SRS's.
	Source commit.Digest `json:"source"`
	// Kept says that the cache folder holds the proving key, or the SRS, that belongs to it.
	Kept bool `json:"kept"`
}

// record gathers it in the order of the parts.
func (c *Ceremony) record(chains map[string][]*Header, first, second *closing, keys []KeyRecord) *Record {
	r := &Record{Ceremony: c.id, Contributions: []ContributionRecord{}, Closings: []ClosingRecord{}, Keys: append([]KeyRecord{}, keys...)}
	for _, stage := range []int{firstStage, secondStage} {
		for _, part := range c.partNames(stage) {
			for _, h := range chains[part] {
				r.Contributions = append(r.Contributions, c.contributionRecord(h))
			}
		}
	}
	for _, end := range []*closing{first, second} {
		if end == nil {
			continue
		}
		for _, p := range end.Parts {
			at := end.of(p.Part)
			r.Closings = append(r.Closings, ClosingRecord{p.Part, p.Contributions, p.Last, end.Beacon, end.Source, at.digest})
		}
	}
	if second != nil {
		r.Transcript = c.transcript(first, second)
	}
	return r
}

func (c *Ceremony) contributionRecord(h *Header) ContributionRecord {
	return ContributionRecord{
		Part: h.Part, Number: int(h.Number), Contributor: c.plan.contributor(h.Contributor).ID,
		Digest: h.Digest(), Body: h.Body, Bytes: int64(h.BodyBytes) + headerBytes, Signature: h.Signature[:],
	}
}

// Recorded is the record of one contribution that [Ceremony.Contribute] made.
func (c *Ceremony) Recorded(h *Header) ContributionRecord { return c.contributionRecord(h) }
