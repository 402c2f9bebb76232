package transcript_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestRandomOrder has parties write what they like, when they like. Whatever of it is recorded, a session goes through its phases in order; its inputs stand from the close on, and its openers from the
// activation on; there are at least three inputs in what is opened; and reading it again gives the same.
func TestRandomOrder(t *testing.T) {
	order := []transcript.Phase{transcript.Keys, transcript.Preparation, transcript.Collection, transcript.Activation, transcript.Switching, transcript.Answer, transcript.Answered, transcript.Aborted}
	rapid.Check(t, func(r *rapid.T) {
		tr, err := transcript.New(id, opening())
		if err != nil {
			r.Fatal(err)
		}
		s := &story{Transcript: tr}
		pending := slices.Concat(script(), script())
		for i := range pending {
			s.tell(r, pending, i)
			at := slices.Index(order, tr.Phase())
			if at < s.phase {
				r.Fatalf("phase %s after %s", tr.Phase(), order[s.phase])
			}
			s.phase = at
			s.compare(r, at >= 3 && tr.Phase() != transcript.Aborted)
		}
		again, err := transcript.Read(id, opening(), s.recorded)
		if err != nil || again.Phase() != tr.Phase() || !slices.Equal(again.Openers(), tr.Openers()) {
			r.Fatalf("read again: error %v", err)
		}
	})
}

type story struct {
	*transcript.Transcript
	phase    int
	recorded []transcript.Entry
	inputs   []string
	active   []byte
}

// tell offers one of the next few entries of the script, or a change of it.
func (s *story) tell(r *rapid.T, pending []transcript.Entry, i int) {
	j := min(len(pending)-1, i+rapid.IntRange(0, 3).Draw(r, "ahead"))
	pending[i], pending[j] = pending[j], pending[i]
	e := pending[i]
	e.At = start + rapid.Int64Range(0, 200).Draw(r, "at")
	switch rapid.IntRange(0, 40).Draw(r, "change") {
	case 0:
		e.Digest = transcript.Digest{}
	case 1:
		e.Party = rapid.SampledFrom([]string{"a", "b", "c", "d", "reg", "rec", "x"}).Draw(r, "party")
	case 2:
		e.Detail = rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(r, "detail")
	case 3:
		e.Round = rapid.SampledFrom(transcript.Rounds()).Draw(r, "round")
	}
	err := s.Add(e)
	if err == nil {
		s.recorded = append(s.recorded, e)
	}
	if first := s.Recorded(e.Party, e.Round); errors.Is(err, transcript.ErrRecorded) != (err != nil && first != nil && !first.Same(&e) && e.CheckForm() == nil) {
		r.Fatalf("%v: error %v, recorded %v", e, err, first)
	}
}

func (s *story) compare(r *rapid.T, closed bool) {
	if !closed {
		return
	}
	if s.inputs == nil {
		s.inputs = s.Inputs()
	}
	if len(s.inputs) < 3 || !slices.Equal(s.inputs, s.Inputs()) {
		r.Fatalf("inputs %v, at the close %v", s.Inputs(), s.inputs)
	}
	e := s.Recorded("rec", transcript.Activate)
	if s.active == nil && e != nil {
		s.active = e.Detail
	}
	if e != nil && !slices.Equal(s.active, e.Detail) {
		r.Fatalf("active %v, and before %v", e.Detail, s.active)
	}
}
