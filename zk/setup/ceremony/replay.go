package ceremony

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// chain reads the headers of a part's contributions and checks all that headers say: order, place, contributors, signatures, and the files' lengths.
func (c *Ceremony) chain(part string, first, closedBy *transcript.Closing) (*transcript.Chain, error) {
	n, err := c.count(part)
	if err != nil {
		return nil, err
	}
	out := c.plan.NewChain(part, first)
	for i := range n {
		path := c.contributionPath(part, i+1)
		h, err := c.header(path)
		if err == nil {
			err = out.Add(h)
		}
		if err != nil {
			return nil, transcript.At(path, err)
		}
	}
	if closedBy == nil {
		return out, nil
	}
	return out, transcript.At(part, out.CheckEnd(closedBy))
}

// header reads a file's header and compares the file's length with what it says.
func (c *Ceremony) header(path string) (*transcript.Header, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, transcript.Encoding.Errorf("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b := make([]byte, transcript.HeaderBytes)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, transcript.Truncated.Errorf("file has %d bytes, a header has %d", info.Size(), len(b))
	}
	h, err := transcript.ParseHeader(b)
	if err != nil {
		return nil, err
	}
	switch got := uint64(max(0, info.Size()-transcript.HeaderBytes)); {
	case got < h.BodyBytes:
		return nil, transcript.Truncated.Errorf("has %d bytes after its header, must have %d", got, h.BodyBytes)
	case got > h.BodyBytes:
		return nil, transcript.Length.Errorf("has %d bytes after its header, must have %d", got, h.BodyBytes)
	}
	return h, nil
}

// replay verifies a part's contributions and returns the state after the last.
func (c *Ceremony) replay(w *work, p *part, headers []*transcript.Header) (state, error) {
	s, err := c.verifyChain(w, p, headers)
	if s == nil && err == nil {
		return c.stateAfter(w, p, headers)
	}
	return s, err
}

// verifyChain verifies a part's contributions one after the other. Where marks are trusted, those that this machine has a mark of are not verified again; their
// bytes are still held against what was signed. It returns the state after the last if that one was verified, or nil.
func (c *Ceremony) verifyChain(w *work, p *part, headers []*transcript.Header) (state, error) {
	var s state
	seen := map[[g1Bytes]byte]int{}
	for i, h := range headers {
		path := c.contributionPath(p.id, i+1)
		found, err := c.scan(w, p, h, path)
		if err == nil {
			err = checkCopies(found, i+1, seen)
		}
		if err != nil {
			return nil, transcript.At(path, err)
		}
		if w.trusting && c.marked(h.Digest()) {
			s = nil
			continue
		}
		if s == nil {
			if s, err = c.stateAfter(w, p, headers[:i]); err != nil {
				return nil, err
			}
		}
		if s, err = c.verifyStep(w, p, s, h, found, path); err != nil {
			return nil, transcript.At(path, err)
		}
		if err := c.mark(h.Digest()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// scan passes over a body once, with the memory of a buffer.
func (c *Ceremony) scan(w *work, p *part, h *transcript.Header, path string) (*scanned, error) {
	if want := uint64(p.layout.bytes()); h.BodyBytes != want {
		return nil, transcript.Length.Errorf("the body has %d bytes, one for %s has %d", h.BodyBytes, p.id, want)
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
		return nil, transcript.Damaged.Errorf("the body's SHA-256 is %s, signed was %s", found.digest, h.Body)
	}
	return found, nil
}

// body opens a contribution behind its header.
func (c *Ceremony) body(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(transcript.HeaderBytes, io.SeekStart); err != nil {
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
			return transcript.Copy.Errorf("repeats what contribution %d is committed to by", earlier)
		}
		seen[commitment] = number
	}
	return nil
}

// stateAfter is the start, or what the last contribution's body holds.
func (c *Ceremony) stateAfter(w *work, p *part, headers []*transcript.Header) (state, error) {
	if len(headers) == 0 {
		return p.start(w)
	}
	path := c.contributionPath(p.id, len(headers))
	s, err := c.read(w, p, headers[len(headers)-1], path)
	return s, transcript.At(path, err)
}

// read has the library read a body that was scanned before, and refuses one that is not what the library itself would write.
func (c *Ceremony) read(w *work, p *part, h *transcript.Header, path string) (state, error) {
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
		return nil, transcript.Point.Errorf("%w", err)
	}
	written := sha256.New()
	if _, err := s.WriteTo(written); err != nil {
		return nil, err
	}
	if commit.Digest(written.Sum(nil)) != h.Body {
		return nil, transcript.Encoding.Errorf("a point is not in its one encoding")
	}
	return s, nil
}

// verifyStep verifies one contribution and returns the state after it.
func (c *Ceremony) verifyStep(w *work, p *part, before state, h *transcript.Header, found *scanned, path string) (state, error) {
	if err := before.bind(h.Binding()); err != nil {
		return nil, err
	}
	want, err := challengeAfter(before)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(want, found.challenge[:]) {
		return nil, transcript.Binding.Errorf("its challenge is %x, must be %x: made for another place, contributor or ceremony", found.challenge, want)
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
		return nil, transcript.Update.Errorf("%w", err)
	}
	return next, w.Err()
}
