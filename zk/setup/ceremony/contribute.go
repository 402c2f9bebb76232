package ceremony

import (
	"bufio"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/evaluation"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// ErrNothingToDo is the error for somebody who has contributed to every open part.
var ErrNothingToDo = errors.New("has contributed to every part that is open")

// Contribute verifies what was contributed to the parts that are open, and adds a contribution of the signer's to each that has none by them. An
// interrupted call can be repeated: finished contributions stay, and what this machine has verified or made (Marks) is not verified again.
//
// The secrets are drawn by the library from the operating system's generator and are not written anywhere. They stay in memory until the process ends:
// contribute on a machine without swap, and switch it off afterwards.
func (c *Ceremony) Contribute(ctx context.Context, signer crypto.Signer) ([]*transcript.Header, error) {
	who, err := c.whose(signer)
	if err != nil {
		return nil, err
	}
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	if second != nil {
		return nil, transcript.At(c.dir, transcript.Late.Errorf("every part is closed"))
	}
	stage := transcript.FirstStage
	if first != nil {
		stage = transcript.SecondStage
	}
	w := c.work(ctx, true)
	var made []*transcript.Header
	for _, name := range c.plan.Parts(stage) {
		h, err := c.contributeTo(w, name, first, who, signer)
		if err != nil {
			return made, err
		}
		if h != nil {
			made = append(made, h)
		}
	}
	if len(made) == 0 {
		return nil, fmt.Errorf("%s %w", who.ID, ErrNothingToDo)
	}
	return made, nil
}

func (c *Ceremony) whose(signer crypto.Signer) (*transcript.Contributor, error) {
	key, err := commit.NewPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	who := c.plan.Contributor(key.DeviceID())
	if who == nil {
		return nil, transcript.At(planFile, transcript.WrongContributor.Errorf("the key %s is nobody's who may contribute", key.DeviceID()))
	}
	return who, nil
}

// contributeTo returns nil if the part has a contribution by the signer.
func (c *Ceremony) contributeTo(w *work, name string, first *transcript.Closing, who *transcript.Contributor, signer crypto.Signer) (*transcript.Header, error) {
	p, err := c.part(name, first)
	if err != nil {
		return nil, err
	}
	chain, err := c.chain(name, first, nil)
	if err != nil || chain.Has(who.KeyDigest()) {
		return nil, err
	}
	h := &transcript.Header{Ceremony: c.id, Part: name, Previous: chain.Last(), Contributor: who.KeyDigest(), Number: uint32(chain.Number() + 1)}
	s, err := c.replay(w, p, chain.Headers())
	if err != nil {
		return nil, err
	}
	if err := s.bind(h.Binding()); err != nil {
		return nil, err
	}
	w.step(fmt.Sprintf("contributing to %s (%d bytes)", name, p.layout.bytes()+transcript.HeaderBytes), 0)
	s.contribute()
	if err := w.Err(); err != nil {
		return nil, err
	}
	if err := c.write(p, s, h, signer); err != nil {
		return nil, err
	}
	return h, c.mark(h.Digest())
}

// write puts a contribution in place: the body, and then the header in front of it, which needs the body's digest.
func (c *Ceremony) write(p *part, s state, h *transcript.Header, signer crypto.Signer) error {
	path := c.contributionPath(p.id, int(h.Number))
	err := createFile(path, func(f *os.File) error {
		if _, err := f.Seek(transcript.HeaderBytes, io.SeekStart); err != nil {
			return err
		}
		digest := sha256.New()
		out := bufio.NewWriterSize(f, 1<<20)
		if _, err := s.WriteTo(io.MultiWriter(out, digest)); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
		h.Body, h.BodyBytes = commit.Digest(digest.Sum(nil)), uint64(p.layout.bytes())
		if err := h.Sign(signer); err != nil {
			return err
		}
		_, err := f.WriteAt(h.Encode(), 0)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s was contributed meanwhile, contribute again: %w", path, err)
	}
	return err
}

// part is a part with what its contributions are verified by.
func (c *Ceremony) part(name string, first *transcript.Closing) (*part, error) {
	switch name {
	case transcript.SRSPart:
		return newSRSPart(c.plan.Powers), nil
	case transcript.PowersPart:
		return newPowersPart(c.plan.Domain), nil
	}
	p, err := c.circuitPart(name, first)
	if err != nil {
		return nil, err
	}
	return p.part, nil
}

func (c *Ceremony) circuitPart(name string, first *transcript.Closing) (*circuitPart, error) {
	if c.keys == nil {
		return nil, errors.New("no circuits: call Use")
	}
	for i := range c.keys.Circuits {
		if c.keys.Circuits[i].ID != name {
			continue
		}
		p, err := newCircuitPart(&c.keys.Circuits[i], c.plan.Circuits[i].Domain)
		if err != nil {
			return nil, err
		}
		p.part.start = func(w *work) (state, error) {
			powers, err := c.closedPowers(w, first)
			if err != nil {
				return nil, err
			}
			p.powers = powers.Cut(p.shape.domain)
			v, err := c.startOf(w, p, first, p.powers)
			if err != nil {
				return nil, err
			}
			return p.begin(v)
		}
		return p, nil
	}
	return nil, fmt.Errorf("no circuit %s in the plan", name)
}

// closedPowers are the powers of tau for the circuits with their closing value, read once in a call.
func (c *Ceremony) closedPowers(w *work, first *transcript.Closing) (*evaluation.Powers, error) {
	if c.powers != nil {
		return c.powers, nil
	}
	chain, err := c.chain(transcript.PowersPart, first, first)
	if err != nil {
		return nil, err
	}
	p, headers := newPowersPart(c.plan.Domain), chain.Headers()
	if _, err := c.verifyChain(w, p, headers); err != nil {
		return nil, err
	}
	path := c.contributionPath(p.id, len(headers))
	f, err := c.body(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	powers, digest, err := readPowers(w, w.reading(f, "reading "+c.short(path), p.layout.bytes()), c.plan.Domain, first.Of(p.id))
	if err == nil && digest != headers[len(headers)-1].Body {
		err = transcript.Damaged.Errorf("the body has changed meanwhile")
	}
	if err != nil {
		return nil, transcript.At(path, err)
	}
	c.powers = powers
	return powers, w.Err()
}
