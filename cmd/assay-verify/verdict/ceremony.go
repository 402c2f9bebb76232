package verdict

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// Ceremony is what a transcript says of how the keys were made, once it was found to be sound in itself and to be this ledger's.
type Ceremony struct {
	// ID is the plan's digest, Transcript what the keys' setup names.
	ID         commit.Digest `json:"id"`
	Transcript commit.Digest `json:"transcript"`
	Name       string        `json:"name"`
	// Rule says where the closing values were to come from.
	Rule string `json:"beacon_rule"`
	// Parts are what was contributed to.
	Parts        []string      `json:"parts"`
	Contributors []Contributor `json:"contributors"`
	// OwnersOnly are the parts to which nobody contributed but owners of fleets, who have proofs made about themselves.
	OwnersOnly []string  `json:"owners_only"`
	Closings   []Closing `json:"closings"`
	// Keys are the circuits whose pinned keys are the ceremony's.
	Keys []string `json:"keys"`
	// Consent is what the ledger asks for before it takes a key, and Eligible who may have given it.
	Consent  ledger.Quorum `json:"consent"`
	Eligible []string      `json:"eligible"`
}

// Contributor is an organisation that the plan lists, and the parts that it contributed to.
type Contributor struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Owner says that it is an owner of fleets.
	Owner bool     `json:"owner"`
	Parts []string `json:"parts"`
}

// Closing is the end of a stage.
type Closing struct {
	Stage  int           `json:"stage"`
	Beacon commit.Digest `json:"beacon"`
	Source string        `json:"source"`
	// Block is the number of the ledger's block whose hash it is, if the plan wants one.
	Block uint64 `json:"block,omitzero"`
}

// Pinned is what a transcript is held against: a ledger, up to a height, with the keys that were pinned on it by then.
type Pinned struct {
	Genesis *ledger.Genesis
	Height  uint64
	Keys    []verify.PublishedKey
}

// ReadCeremony checks a transcript in itself and against a ledger: that it is this ledger's, by its organisations, and that the pinned keys which name it are those that it names. FailureOf names what is
// wrong.
func ReadCeremony(b []byte, on Pinned) (*Ceremony, error) {
	file, err := transcript.ParseFile(b)
	if err != nil {
		return nil, because(CeremonyRefused, err)
	}
	record, err := file.Check()
	if err != nil {
		return nil, because(CeremonyRefused, err)
	}
	if record.Transcript.IsZero() || len(record.Keys) == 0 {
		return nil, because(CeremonyRefused, errors.New("the transcript is of a ceremony that is not finished"))
	}
	if err := partiesAre(file.Plan, on.Genesis); err != nil {
		return nil, because(CeremonyForeign, err)
	}
	c := newCeremony(file, record, on.Genesis)
	if c.Closings, err = closings(file, on.Height); err != nil {
		return nil, because(CeremonyForeign, err)
	}
	if c.Keys, err = keysOf(record, on.Keys); err != nil {
		return nil, because(CeremonyKeys, err)
	}
	return c, nil
}

// partiesAre holds a plan against the genesis: whose ledger it is for, and that every contributor is an organisation with the key that the genesis has of it.
func partiesAre(p *transcript.Plan, g *ledger.Genesis) error {
	if id := g.ID(); p.Ledger != id {
		return fmt.Errorf("the ceremony was held for ledger %s, not for %s", p.Ledger, id)
	}
	for i := range p.Contributors {
		c := &p.Contributors[i]
		o, ok := g.Organisation(c.ID)
		if !ok {
			return fmt.Errorf("the ceremony's contributor %q is not an organisation of the ledger", c.ID)
		}
		if !bytes.Equal(o.Key, c.Key) {
			return fmt.Errorf("the ceremony's contributor %s has another key than the ledger's organisation", c.ID)
		}
	}
	return nil
}

// closings are the ends of the stages. Values that are to be the ledger's own block hashes are held against its height: the keys of a ceremony are pinned after it.
func closings(file *transcript.File, height uint64) ([]Closing, error) {
	var out []Closing
	last := uint64(0)
	for _, end := range file.Closings {
		closing := Closing{Stage: end.Stage, Beacon: end.Beacon, Source: end.Source}
		if file.Plan.Beacon == transcript.LedgerBeacon {
			var err error
			if closing.Block, err = ledger.ParseBlockSource(file.Plan.Ledger, end.Source); err != nil {
				return nil, fmt.Errorf("the source of the closing value of stage %d %w", end.Stage, err)
			}
			if closing.Block <= last || closing.Block > height {
				return nil, fmt.Errorf("stage %d was closed with block %d, must be one after block %d and up to height %d, at which the keys were seen", end.Stage, closing.Block, last, height)
			}
			last = closing.Block
		}
		out = append(out, closing)
	}
	return out, nil
}

func newCeremony(file *transcript.File, record *transcript.Record, g *ledger.Genesis) *Ceremony {
	p := file.Plan
	c := &Ceremony{ID: record.Ceremony, Transcript: record.Transcript, Name: p.Name, Rule: p.Beacon, Consent: g.Quorum, OwnersOnly: []string{}, Eligible: []string{}, Keys: []string{}}
	c.Parts = slices.Concat(p.Parts(transcript.FirstStage), p.Parts(transcript.SecondStage))
	for i := range p.Contributors {
		o, _ := g.Organisation(p.Contributors[i].ID)
		of := Contributor{ID: o.ID, Name: o.Name, Owner: o.Has(ledger.RoleOwner), Parts: []string{}}
		for _, made := range record.Contributions {
			if made.Contributor == of.ID {
				of.Parts = append(of.Parts, made.Part)
			}
		}
		c.Contributors = append(c.Contributors, of)
	}
	for _, part := range c.Parts {
		if !slices.ContainsFunc(c.Contributors, func(by Contributor) bool { return !by.Owner && slices.Contains(by.Parts, part) }) {
			c.OwnersOnly = append(c.OwnersOnly, part)
		}
	}
	for i := range g.Organisations {
		if o := &g.Organisations[i]; !o.Has(ledger.RoleOwner) {
			c.Eligible = append(c.Eligible, o.ID)
		}
	}
	return c
}

// keysOf are the circuits whose pinned keys name the transcript. Each of them must be what the transcript names: the same bytes, from the same constraint system and SRS.
func keysOf(record *transcript.Record, pinned []verify.PublishedKey) ([]string, error) {
	setup := verify.CeremonySetup(record.Transcript)
	srs := record.Keys[0].Source
	ids := []string{}
	for i := range pinned {
		k := &pinned[i]
		if k.Setup != setup {
			continue
		}
		at := slices.IndexFunc(record.Keys, func(made transcript.KeyRecord) bool { return made.CircuitID == k.CircuitID })
		if at < 0 {
			return nil, fmt.Errorf("the key that is pinned for %s names the ceremony, which has made none for it", k.CircuitID)
		}
		made := &record.Keys[at]
		if k.Digest != made.Digest {
			return nil, fmt.Errorf("the key that is pinned for %s has the digest %s, the one that the transcript names has %s", k.CircuitID, k.Digest, made.Digest)
		}
		if k.CircuitID != verify.SRSKey && (k.Circuit != made.Source || k.SRS != srs) {
			return nil, fmt.Errorf("the key that is pinned for %s is for constraint system %s and SRS %s, the transcript's for %s and %s", k.CircuitID, k.Circuit, k.SRS, made.Source, srs)
		}
		ids = append(ids, k.CircuitID)
	}
	return ids, nil
}

// Made refuses a proof under a key that is not the ceremony's.
func (c *Ceremony) Made(proven *verify.Verdict) error {
	for _, k := range proven.Keys {
		if k.Setup != verify.CeremonySetup(c.Transcript) || !slices.Contains(c.Keys, k.CircuitID) {
			return because(CeremonyKeys, fmt.Errorf("the key for %s was not made in the ceremony with the transcript %s: its setup is %s", k.CircuitID, c.Transcript, k.Setup))
		}
	}
	return nil
}
