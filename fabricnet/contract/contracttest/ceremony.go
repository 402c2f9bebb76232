package contracttest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// WithSigners gives every organisation a key, and returns the private halves.
func WithSigners(g ledger.Genesis) (*ledger.Genesis, map[string]crypto.Signer) {
	signers := map[string]crypto.Signer{}
	for i := range g.Organisations {
		d := committest.NewDevice(commit.Ed25519)
		g.Organisations[i].Key, signers[g.Organisations[i].ID] = d.Public.DER(), d.Key
	}
	return &g, signers
}

// Circuit stands for the constraint system of a circuit that ceremonies here are about.
func Circuit(id string) commit.Digest { return sha256.Sum256([]byte("constraints of " + id)) }

// CeremonyPlan lets some organisations contribute to the keys of chunks of ChunkSize and of fleets; two contributions are enough.
func CeremonyPlan(g *ledger.Genesis, name string, organisations ...string) *transcript.Plan {
	chunk, fleet := verify.ChunkCircuit(ChunkSize), verify.FleetCircuit
	plan := &transcript.Plan{
		Version: transcript.Version, Name: name, Ledger: g.ID(), Beacon: transcript.LedgerBeacon, Minimum: 2, Powers: 2 * ChunkSize, Domain: 1 << 15,
		Circuits: []transcript.CircuitPlan{{ID: chunk, Constraints: Circuit(chunk), Domain: 1 << 13}, {ID: fleet, Constraints: Circuit(fleet), Domain: 1 << 15}},
	}
	for _, id := range organisations {
		o, ok := g.Organisation(id)
		if !ok {
			panic("no organisation " + id)
		}
		plan.Contributors = append(plan.Contributors, transcript.Contributor{ID: id, Key: o.Key})
	}
	return plan
}

// Ceremony is one to which nobody contributes: its headers are signed, and the bodies that they name do not exist. A ledger does not see more of any.
type Ceremony struct {
	Plan    *transcript.Plan
	Signers map[string]crypto.Signer
	chains  map[string]*transcript.Chain
	// First and Second are the closings that Close made.
	First, Second *transcript.Closing
}

// NewCeremony begins one.
func NewCeremony(plan *transcript.Plan, signers map[string]crypto.Signer) *Ceremony {
	c := &Ceremony{Plan: plan, Signers: signers, chains: map[string]*transcript.Chain{}}
	c.begin(transcript.FirstStage)
	return c
}

func (c *Ceremony) begin(stage int) {
	for _, part := range c.Plan.Parts(stage) {
		c.chains[part] = c.Plan.NewChain(part, c.First)
	}
}

// ID is the plan's digest.
func (c *Ceremony) ID() commit.Digest { return c.Plan.Digest() }

// Next is a header that an organisation signs for the next contribution to a part, of a body that nobody made.
func (c *Ceremony) Next(part, organisation string) *transcript.Header {
	h := &transcript.Header{
		Ceremony: c.ID(), Part: part, Previous: c.chains[part].Last(), Number: uint32(c.chains[part].Number() + 1), BodyBytes: 1 << 10,
		Contributor: c.KeyOf(organisation),
	}
	rand.Read(h.Body[:]) //nolint:errcheck // never fails
	return c.Sign(h, organisation)
}

// KeyOf is what headers name an organisation's key by.
func (c *Ceremony) KeyOf(organisation string) commit.Digest {
	key, err := commit.NewPublicKey(c.Signers[organisation].Public())
	if err != nil {
		panic(err)
	}
	return key.DeviceID()
}

// Sign signs a header, whatever it says.
func (c *Ceremony) Sign(h *transcript.Header, organisation string) *transcript.Header {
	if err := h.Sign(c.Signers[organisation]); err != nil {
		panic(err)
	}
	return h
}

// Contribute goes on after a header of Next's.
func (c *Ceremony) Contribute(h *transcript.Header) []byte {
	if err := c.chains[h.Part].Add(h); err != nil {
		panic(err)
	}
	return h.Encode()
}

// Closing ends a stage where it stands, with the hash of a block.
func (c *Ceremony) Closing(stage int, number uint64, hash commit.Digest) *transcript.Closing {
	closing, err := c.Plan.NewClosing(stage, transcript.Beacon{Value: hash, Source: ledger.BlockSource(c.Plan.Ledger, number)}, c.chains)
	if err != nil {
		panic(err)
	}
	return closing
}

// Close goes on after a closing, and gives what is recorded of it.
func (c *Ceremony) Close(closing *transcript.Closing) []byte {
	if closing.Stage == transcript.FirstStage {
		c.First = closing
		c.begin(transcript.SecondStage)
	} else {
		c.Second = closing
	}
	return ledger.Encode(closing)
}

// Transcript is the digest of all of it.
func (c *Ceremony) Transcript() commit.Digest {
	return transcript.Digest(c.Plan, c.First, c.Second)
}

// FromCeremony has a key name a ceremony, as one that came out of it would.
func FromCeremony(k verify.PublishedKey, of commit.Digest) verify.PublishedKey {
	out := verify.NewPublishedKey(k.CircuitID, verify.CeremonySetup(of), k.Key)
	if out.SRS = k.SRS; k.CircuitID != verify.SRSKey {
		out.Circuit = Circuit(k.CircuitID)
	}
	return out
}
