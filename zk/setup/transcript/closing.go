package transcript

import (
	"encoding/json"

	"github.com/assay-net/assay/zk/commit"
)

// Beacon is a closing value: the hash of a block, of the channel and number that the plan's beacon rule leads to.
type Beacon struct {
	Value commit.Digest
	// Source says what it is, so that anyone can look it up.
	Source string
}

// Check refuses a value or a source that cannot be one.
func (b *Beacon) Check() error {
	if b.Value.IsZero() {
		return BeaconUnfit.Errorf("the closing value is zero")
	}
	if err := checkText(b.Source); err != nil {
		return BeaconUnfit.Errorf("the closing value's source %w", err)
	}
	return nil
}

// Closing ends the parts of a stage. After it nothing is added to them.
type Closing struct {
	Ceremony commit.Digest `json:"ceremony"`
	Stage    int           `json:"stage"`
	Beacon   commit.Digest `json:"beacon"`
	Source   string        `json:"source"`
	Parts    []ClosedPart  `json:"parts"`
}

// ClosedPart is how far a part has come.
type ClosedPart struct {
	Part          string        `json:"part"`
	Contributions int           `json:"contributions"`
	Last          commit.Digest `json:"last"`
}

// MaxClosing bounds a closing's JSON.
const MaxClosing = 16 << 10

// End is how a part was closed.
type End struct {
	ClosedPart
	Beacon commit.Digest
	// Digest is what the sealed state is bound to.
	Digest commit.Digest
}

// Of finds a part's end. It returns nil if the stage does not have the part.
func (c *Closing) Of(part string) *End {
	for _, p := range c.Parts {
		if p.Part != part {
			continue
		}
		t := commit.NewTranscript(tagClosing, c.Ceremony)
		t.Bytes([]byte(p.Part))
		t.Uint(uint64(p.Contributions))
		t.Bytes(p.Last[:])
		t.Bytes([]byte(c.Source))
		t.Bytes(c.Beacon[:])
		return &End{p, c.Beacon, t.Digest()}
	}
	return nil
}

// NewClosing ends a stage's parts where they stand.
func (p *Plan) NewClosing(stage int, b Beacon, chains map[string]*Chain) (*Closing, error) {
	out := &Closing{Ceremony: p.Digest(), Stage: stage, Beacon: b.Value, Source: b.Source}
	parts := p.Parts(stage)
	if len(parts) == 0 {
		return nil, OtherPart.Errorf("stage is %d, must be %d or %d", stage, FirstStage, SecondStage)
	}
	for _, part := range parts {
		chain := chains[part]
		if chain == nil || chain.Number() < p.Minimum {
			n := 0
			if chain != nil {
				n = chain.Number()
			}
			return nil, At(part, TooFew.Errorf("%d contributions, the plan demands %d", n, p.Minimum))
		}
		out.Parts = append(out.Parts, ClosedPart{part, chain.Number(), chain.Last()})
	}
	return out, b.Check()
}

// ParseClosing reads a closing of at most [MaxClosing] bytes. Whether it is a plan's, [Plan.CheckClosing] says.
func ParseClosing(b []byte) (*Closing, error) {
	if len(b) > MaxClosing {
		return nil, Length.Errorf("has %d bytes, at most %d", len(b), MaxClosing)
	}
	c := new(Closing)
	if err := decodeJSON("closing", b, MaxClosing, c); err != nil {
		return nil, Encoding.Errorf("%w", err)
	}
	return c, nil
}

// Encode is the closing's JSON.
func (c *Closing) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", "  ")
	return append(b, '\n'), err
}

// CheckClosing says whether a closing ends this stage of the plan. It does not know the contributions: [Chain.CheckEnd] holds them against it.
func (p *Plan) CheckClosing(stage int, c *Closing) error {
	if id := p.Digest(); c.Ceremony != id {
		return OtherCeremony.Errorf("closes ceremony %s, this is %s", c.Ceremony, id)
	}
	names := p.Parts(stage)
	if len(names) == 0 || c.Stage != stage || len(c.Parts) != len(names) {
		return OtherPart.Errorf("closes stage %d with %d parts, want stage %d with %d", c.Stage, len(c.Parts), stage, len(names))
	}
	for i, part := range c.Parts {
		if part.Part != names[i] {
			return OtherPart.Errorf("part %d is %.64q, must be %s", i, part.Part, names[i])
		}
		if part.Contributions < p.Minimum || part.Contributions > len(p.Contributors) {
			return TooFew.Errorf("%s has %d contributions, must have %d to %d", part.Part, part.Contributions, p.Minimum, len(p.Contributors))
		}
	}
	return (&Beacon{c.Beacon, c.Source}).Check()
}

// CheckClosings says whether the closings end the plan's stages. Both may be nil, and the second.
func (p *Plan) CheckClosings(first, second *Closing) error {
	if first == nil && second != nil {
		return At("closing 2", Order.Errorf("the first stage is not closed"))
	}
	if first != nil {
		if err := p.CheckClosing(FirstStage, first); err != nil {
			return At("closing 1", err)
		}
	}
	if second == nil {
		return nil
	}
	if err := p.CheckClosing(SecondStage, second); err != nil {
		return At("closing 2", err)
	}
	return At("closing 2", CheckSecondBeacon(first, second.Beacon))
}

// CheckSecondBeacon refuses the first stage's closing value for the second.
func CheckSecondBeacon(first *Closing, value commit.Digest) error {
	if value == first.Beacon {
		return BeaconUnfit.Errorf("the closing value is the first stage's, which everybody knew before")
	}
	return nil
}

// Digest names all of a closed ceremony: its plan, both closings, and through them every contribution.
func Digest(plan *Plan, first, second *Closing) commit.Digest {
	t := commit.NewTranscript(tagTranscript, plan.Digest())
	for _, stage := range []*Closing{first, second} {
		for _, p := range stage.Parts {
			digest := stage.Of(p.Part).Digest
			t.Bytes(digest[:])
		}
	}
	return t.Digest()
}

// SetupName is what keys out of a ceremony with this transcript say that they come from.
func SetupName(transcript commit.Digest) string { return "ceremony:" + transcript.String() }
