package ceremony

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/commit"
)

// headers reads the headers of a part's contributions and checks all that headers say: order, place, contributors, signatures, and the files' lengths.
func (c *Ceremony) headers(part string, first, closedBy *closing) ([]*Header, error) {
	n, err := c.count(part)
	if err != nil {
		return nil, err
	}
	if first == nil && n > 0 && part != srsPart && part != powersPart {
		return nil, at(part, Order.errorf("has contributions, but the first stage is not closed"))
	}
	if n == 0 && closedBy == nil {
		return nil, nil
	}
	previous := c.startDigest(part, first)
	var out []*Header
	seen := map[commit.Digest]bool{}
	for i := range n {
		path := c.contributionPath(part, i+1)
		h, err := c.header(path)
		if err == nil {
			err = c.checkHeader(h, part, i+1, previous, seen)
		}
		if err != nil {
			return nil, at(path, err)
		}
		out, previous = append(out, h), h.Digest()
	}
	if closedBy == nil {
		return out, nil
	}
	if end := closedBy.of(part); n != end.Contributions || previous != end.Last {
		return nil, at(part, Late.errorf("has %d contributions up to %s, was closed with %d up to %s", n, previous, end.Contributions, end.Last))
	}
	return out, nil
}

// header reads a file's header and compares the file's length with what it says.
func (c *Ceremony) header(path string) (*Header, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, Encoding.errorf("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	h, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	switch got := uint64(max(0, info.Size()-headerBytes)); {
	case got < h.BodyBytes:
		return nil, Truncated.errorf("has %d bytes after its header, must have %d", got, h.BodyBytes)
	case got > h.BodyBytes:
		return nil, Length.errorf("has %d bytes after its header, must have %d", got, h.BodyBytes)
	}
	return h, nil
}

func (c *Ceremony) checkHeader(h *Header, part string, number int, previous commit.Digest, seen map[commit.Digest]bool) error {
	if h.Ceremony != c.id {
		return OtherCeremony.errorf("is of ceremony %s, this is %s", h.Ceremony, c.id)
	}
	if h.Part != part {
		return OtherPart.errorf("is for %s, not for %s", h.Part, part)
	}
	who := c.plan.contributor(h.Contributor)
	if who == nil {
		return Contributor.errorf("the key %s is nobody's who may contribute", h.Contributor)
	}
	if err := who.key.Verify(h.unsigned(), h.Signature[:]); err != nil {
		return Signature.errorf("by %s: %w", who.ID, err)
	}
	if h.Number != uint32(number) || h.Previous != previous {
		return Order.errorf("is contribution %d after %s, must be %d after %s", h.Number, h.Previous, number, previous)
	}
	if seen[h.Contributor] {
		return Contributor.errorf("%s has contributed already", who.ID)
	}
	seen[h.Contributor] = true
	return nil
}

// replay verifies a part's contributions one after the other and returns the state after the last. With trusting, those that this machine has a mark of are
// not verified again; their bytes are still held against what was signed.
func (c *Ceremony) replay(w *work, p *part, headers []*Header, trusting bool) (state, error) {
	var s state
	seen := map[[g1Bytes]byte]int{}
	for i, h := range headers {
		path := c.contributionPath(p.id, i+1)
		found, err := c.scan(w, p, h, path)
		if err == nil {
			err = checkCopies(found, i+1, seen)
		}
		if err != nil {
			return nil, at(path, err)
		}
		if trusting && c.marked(h.Digest()) {
			s = nil
			continue
		}
		if s == nil {
			if s, err = c.stateAfter(w, p, headers[:i]); err != nil {
				return nil, err
			}
		}
		if s, err = c.verifyStep(w, p, s, h, found, path); err != nil {
			return nil, at(path, err)
		}
		if err := c.mark(h.Digest()); err != nil {
			return nil, err
		}
	}
	if s == nil {
		return c.stateAfter(w, p, headers)
	}
	return s, nil
}

// scan passes over a body once, with the memory of a buffer.
func (c *Ceremony) scan(w *work, p *part, h *Header, path string) (*scanned, error) {
	if want := uint64(p.layout.bytes()); h.BodyBytes != want {
		return nil, Length.errorf("the body has %d bytes, one for %s has %d", h.BodyBytes, p.id, want)
	}
	f, err := c.body(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	found, err := p.layout.scan(w.reading(f, "checking "+c.short(path), p.layout.bytes()))
	if err != nil {
		return nil, err
	}
	if found.digest != h.Body {
		return nil, Damaged.errorf("the body's SHA-256 is %s, signed was %s", found.digest, h.Body)
	}
	return found, nil
}

// body opens a contribution behind its header.
func (c *Ceremony) body(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(headerBytes, io.SeekStart); err != nil {
		f.Close() //nolint:errcheck // opened for reading
		return nil, err
	}
	return f, nil
}

func (c *Ceremony) short(path string) string {
	if rel, err := filepath.Rel(c.dir, path); err == nil {
		return rel
	}
	return path
}

// checkCopies compares what contributions are committed to by: one who repeats another's cannot know it.
func checkCopies(found *scanned, number int, seen map[[g1Bytes]byte]int) error {
	for _, p := range found.proofs {
		commitment := [g1Bytes]byte(p[:g1Bytes])
		if earlier, ok := seen[commitment]; ok {
			return Copy.errorf("repeats what contribution %d is committed to by", earlier)
		}
		seen[commitment] = number
	}
	return nil
}

// stateAfter is the start, or what the last contribution's body holds.
func (c *Ceremony) stateAfter(w *work, p *part, headers []*Header) (state, error) {
	if len(headers) == 0 {
		return p.start(w)
	}
	path := c.contributionPath(p.id, len(headers))
	s, err := c.read(w, p, headers[len(headers)-1], path)
	return s, at(path, err)
}

// read has the library read a body that was scanned before, and refuses one that is not what the library itself would write.
func (c *Ceremony) read(w *work, p *part, h *Header, path string) (state, error) {
	f, err := c.body(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	s := p.blank()
	in := w.reading(io.LimitReader(f, p.layout.bytes()), "reading "+c.short(path), p.layout.bytes())
	if _, err := s.ReadFrom(buffered(in)); err != nil {
		if w.Err() != nil {
			return nil, w.Err()
		}
		return nil, Point.errorf("%w", err)
	}
	written := sha256.New()
	if _, err := s.WriteTo(written); err != nil {
		return nil, err
	}
	if commit.Digest(written.Sum(nil)) != h.Body {
		return nil, Encoding.errorf("a point is not in its one encoding")
	}
	return s, nil
}

// verifyStep verifies one contribution and returns the state after it.
func (c *Ceremony) verifyStep(w *work, p *part, before state, h *Header, found *scanned, path string) (state, error) {
	if err := before.bind(c.binding(p.id, int(h.Number), h.Previous, h.Contributor)); err != nil {
		return nil, err
	}
	want, err := challengeAfter(before)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(want, found.challenge[:]) {
		return nil, Binding.errorf("its challenge is %x, must be %x: made for another place, contributor or ceremony", found.challenge, want)
	}
	if err := p.checkKnowledge(found.proofs, want); err != nil {
		return nil, err
	}
	next, err := c.read(w, p, h, path)
	if err != nil {
		return nil, err
	}
	w.step(fmt.Sprintf("verifying %s", c.short(path)), 0)
	if err := before.verify(next); err != nil {
		return nil, Update.errorf("%w", err)
	}
	return next, w.Err()
}
