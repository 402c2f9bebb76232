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

	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/assay-net/assay/zk/commit"
)

// ErrNothingToDo is the error for somebody who has contributed to every open part.
var ErrNothingToDo = errors.New("has contributed to every part that is open")

// Contribute verifies what was contributed to the parts that are open, and adds a contribution of the signer's to each that has none by them. An
// interrupted call can be repeated: finished contributions stay, and what this machine has verified (Marks) is not verified again.
//
// The secrets are drawn by the library from the operating system's generator and are not written anywhere. They stay in memory until the process ends:
// contribute on a machine without swap, and switch it off afterwards.
func (c *Ceremony) Contribute(ctx context.Context, signer crypto.Signer) ([]*Header, error) {
	who, err := c.whose(signer)
	if err != nil {
		return nil, err
	}
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	if second != nil {
		return nil, at(c.dir, Late.errorf("every part is closed"))
	}
	stage := firstStage
	if first != nil {
		stage = secondStage
	}
	w := &work{ctx, c.Step}
	var made []*Header
	for _, name := range c.partNames(stage) {
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

func (c *Ceremony) whose(signer crypto.Signer) (*ContributorPlan, error) {
	key, err := commit.NewPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	who := c.plan.contributor(key.DeviceID())
	if who == nil {
		return nil, at(planFile, Contributor.errorf("the key %s is nobody's who may contribute", key.DeviceID()))
	}
	return who, nil
}

// contributeTo returns nil if the part has a contribution by the signer.
func (c *Ceremony) contributeTo(w *work, name string, first *closing, who *ContributorPlan, signer crypto.Signer) (*Header, error) {
	p, err := c.part(name, first, true)
	if err != nil {
		return nil, err
	}
	headers, err := c.headers(name, first, nil)
	if err != nil {
		return nil, err
	}
	h := &Header{Ceremony: c.id, Part: name, Previous: c.startDigest(name, first), Contributor: who.key.DeviceID(), Number: uint32(len(headers) + 1)}
	for _, earlier := range headers {
		if earlier.Contributor == h.Contributor {
			return nil, nil
		}
		h.Previous = earlier.Digest()
	}
	s, err := c.replay(w, p, headers, true)
	if err != nil {
		return nil, err
	}
	if err := s.bind(c.binding(name, int(h.Number), h.Previous, h.Contributor)); err != nil {
		return nil, err
	}
	w.step(fmt.Sprintf("contributing to %s (%d bytes)", name, p.layout.bytes()+headerBytes), 0)
	s.contribute()
	if err := w.Err(); err != nil {
		return nil, err
	}
	return h, c.write(p, s, h, signer)
}

// write puts a contribution in place: the body, and then the header in front of it, which needs the body's digest.
func (c *Ceremony) write(p *part, s state, h *Header, signer crypto.Signer) error {
	path := c.contributionPath(p.id, int(h.Number))
	err := createFile(path, func(f *os.File) error {
		if _, err := f.Seek(headerBytes, io.SeekStart); err != nil {
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
		if err := h.sign(signer); err != nil {
			return err
		}
		_, err := f.WriteAt(h.encode(), 0)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s was contributed meanwhile, contribute again: %w", path, err)
	}
	return err
}

// part is a part with what its contributions are verified by.
func (c *Ceremony) part(name string, first *closing, trusting bool) (*part, error) {
	switch name {
	case srsPart:
		return newSRSPart(c.plan.Powers), nil
	case powersPart:
		return newPowersPart(c.plan.Domain), nil
	}
	p, err := c.circuitPart(name, first, trusting)
	if err != nil {
		return nil, err
	}
	return p.part, nil
}

func (c *Ceremony) circuitPart(name string, first *closing, trusting bool) (*circuitPart, error) {
	if c.keys == nil {
		return nil, errors.New("no circuits: call Use")
	}
	for i := range c.keys.Circuits {
		if c.keys.Circuits[i].ID == name {
			return newCircuitPart(&c.keys.Circuits[i], c.plan.Circuits[i].Domain, func(w *work) (*mpcsetup.SrsCommons, error) {
				return c.sealedPowers(w, first, trusting)
			})
		}
	}
	return nil, fmt.Errorf("no circuit %s in the plan", name)
}

// sealedPowers are the powers of tau for the circuits after their closing, made once.
func (c *Ceremony) sealedPowers(w *work, first *closing, trusting bool) (*mpcsetup.SrsCommons, error) {
	if c.commons != nil {
		return c.commons, nil
	}
	headers, err := c.headers(powersPart, first, first)
	if err != nil {
		return nil, err
	}
	s, err := c.replay(w, newPowersPart(c.plan.Domain), headers, trusting)
	if err != nil {
		return nil, err
	}
	w.step(fmt.Sprintf("applying the closing value to %s", powersPart), 0)
	c.commons = s.(*powersState).seal(first.of(powersPart))
	return c.commons, w.Err()
}
