package ceremony

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/assay-net/assay/zk/commit"
)

// Beacon is a value that nobody could know or choose when the last contribution was made: the hash of a later block, of the channel and number that the
// plan's beacon rule leads to.
type Beacon struct {
	Value commit.Digest
	// Source says what it is, so that anyone can look it up.
	Source string
}

func (b *Beacon) check() error {
	if b.Value.IsZero() {
		return BeaconUnfit.errorf("the closing value is zero")
	}
	if err := checkText(b.Source); err != nil {
		return BeaconUnfit.errorf("the closing value's source %w", err)
	}
	return nil
}

// closing ends the parts of a stage. After it nothing is added to them.
type closing struct {
	Ceremony commit.Digest `json:"ceremony"`
	Stage    int           `json:"stage"`
	Beacon   commit.Digest `json:"beacon"`
	Source   string        `json:"source"`
	Parts    []closedPart  `json:"parts"`
}

type closedPart struct {
	Part          string        `json:"part"`
	Contributions int           `json:"contributions"`
	Last          commit.Digest `json:"last"`
}

const maxClosing = 16 << 10

// closed is a part's end.
type closed struct {
	closedPart
	beacon commit.Digest
	digest commit.Digest // what the sealed state is bound to
}

// of finds a part's end. It panics if the stage does not have the part.
func (c *closing) of(part string) *closed {
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
		return &closed{p, c.Beacon, t.Digest()}
	}
	panic("no part " + part + " in this stage")
}

// newClosing ends a stage's parts where they stand.
func (c *Ceremony) newClosing(stage int, b *Beacon, chains map[string][]*Header) (*closing, error) {
	out := &closing{Ceremony: c.id, Stage: stage, Beacon: b.Value, Source: b.Source}
	for _, part := range c.partNames(stage) {
		headers := chains[part]
		if len(headers) < c.plan.Minimum {
			return nil, at(part, TooFew.errorf("%d contributions, the plan demands %d", len(headers), c.plan.Minimum))
		}
		out.Parts = append(out.Parts, closedPart{part, len(headers), headers[len(headers)-1].Digest()})
	}
	return out, b.check()
}

// readClosing returns nil if the stage is open.
func (c *Ceremony) readClosing(stage int) (*closing, error) {
	path := c.closingPath(stage)
	b, err := readFile(path, maxClosing)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := new(closing)
	if err := decodeJSON(b, out); err != nil {
		return nil, at(path, Encoding.errorf("%w", err))
	}
	return out, at(path, c.checkClosing(stage, out))
}

func (c *Ceremony) checkClosing(stage int, out *closing) error {
	if out.Ceremony != c.id {
		return OtherCeremony.errorf("closes ceremony %s, this is %s", out.Ceremony, c.id)
	}
	names := c.partNames(stage)
	if out.Stage != stage || len(out.Parts) != len(names) {
		return OtherPart.errorf("closes stage %d with %d parts, want stage %d with %d", out.Stage, len(out.Parts), stage, len(names))
	}
	for i, p := range out.Parts {
		if p.Part != names[i] {
			return OtherPart.errorf("part %d is %.64q, must be %s", i, p.Part, names[i])
		}
		if p.Contributions < c.plan.Minimum || p.Contributions > len(c.plan.Contributors) {
			return TooFew.errorf("%s has %d contributions, must have %d to %d", p.Part, p.Contributions, c.plan.Minimum, len(c.plan.Contributors))
		}
	}
	return (&Beacon{out.Beacon, out.Source}).check()
}

// closings reads both; the second may be nil, or both.
func (c *Ceremony) closings() (first, second *closing, err error) {
	if first, err = c.readClosing(firstStage); err != nil {
		return nil, nil, err
	}
	if second, err = c.readClosing(secondStage); err != nil {
		return nil, nil, err
	}
	if second != nil && first == nil {
		return nil, nil, at(c.closingPath(secondStage), Order.errorf("the first stage is not closed"))
	}
	if second != nil && second.Beacon == first.Beacon {
		return nil, nil, at(c.closingPath(secondStage), BeaconUnfit.errorf("the closing value is the first stage's, which everybody knew before"))
	}
	return first, second, nil
}

func (c *Ceremony) writeClosing(out *closing) error {
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	path := c.closingPath(out.Stage)
	err = createFile(path, func(f *os.File) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s was closed meanwhile: %w", path, err)
	}
	return err
}

// transcript names all of a closed ceremony.
func (c *Ceremony) transcript(first, second *closing) commit.Digest {
	t := commit.NewTranscript(tagTranscript, c.id)
	for _, stage := range []*closing{first, second} {
		for _, p := range stage.Parts {
			digest := stage.of(p.Part).digest
			t.Bytes(digest[:])
		}
	}
	return t.Digest()
}
