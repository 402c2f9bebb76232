package ceremony

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// part is a chain of contributions of its own, each an update of the state before.
type part struct {
	id     string
	layout layout
	// prefix and domains are what the library hashes with the challenge of each proof, in the order of the body.
	prefix  string
	domains []byte
	// blank is a state to be read into; start is the one that the first contribution changes.
	blank func() state
	start func(*work) (state, error)
}

// state is what contributions change: the library's object.
type state interface {
	io.WriterTo
	io.ReaderFrom
	// bind puts a digest in the place of the challenge that this state was made with. The library hashes all of a state into the next challenge, so what
	// follows is bound to the digest.
	bind(commit.Digest) error
	contribute()
	// verify is the library's check of the step from here to next.
	verify(next state) error
}

// challengeAfter is what the library takes for the challenge of the step from a state.
func challengeAfter(s state) ([]byte, error) {
	h := sha256.New()
	_, err := s.WriteTo(h)
	return h.Sum(nil), err
}

// checkKnowledge checks each proof of knowledge by itself, so that one that is missing is named.
func (p *part) checkKnowledge(proofs [][proofBytes]byte, challenge []byte) error {
	for i := range proofs {
		var u mpcsetup.UpdateProof
		if _, err := u.ReadFrom(bytes.NewReader(proofs[i][:])); err != nil {
			return transcript.Point.Errorf("proof %d: %w", i, err)
		}
		if err := u.Verify(append([]byte(p.prefix), challenge...), p.domains[i]); err != nil {
			return transcript.Knowledge.Errorf("proof %d: %w", i, err)
		}
	}
	return nil
}

// work is one call's context, whom it tells about its steps, and whether it trusts marks.
type work struct {
	context.Context
	Step
	trusting bool
}

// work begins a call. It forgets what an earlier call may have believed a mark for.
func (c *Ceremony) work(ctx context.Context, trusting bool) *work {
	c.powers = nil
	return &work{ctx, c.Step, trusting}
}

// Step is told what begins, and in how many bytes it will be done or 0 if that cannot be said. What it returns is told how many are done; it may be nil.
type Step func(title string, total int64) func(done int64)

func (w *work) step(title string, total int64) func(int64) {
	if w.Step != nil {
		if done := w.Step(title, total); done != nil {
			return done
		}
	}
	return func(int64) {}
}

// reading ends with the context and tells how far it is.
type reading struct {
	*work
	io.Reader
	done func(int64)
	n    int64
}

func (w *work) reading(r io.Reader, title string, total int64) *reading {
	return &reading{w, r, w.step(title, total), 0}
}

func (r *reading) Read(b []byte) (int, error) {
	if err := r.Err(); err != nil {
		return 0, err
	}
	n, err := r.Reader.Read(b)
	r.n += int64(n)
	r.done(r.n)
	return n, err
}
