package verify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// TestVerifiersAgreeOnCeremonies changes transcript files: their text, what they say, and headers that are signed again.
func TestVerifiersAgreeOnCeremonies(t *testing.T) {
	v := startSecond(t)
	m := newCeremonyMaker(t)
	good := m.encoded(m.file(nil, nil))
	corpus := readVectors(t, "ceremonies.json", makeCeremonyVectors)
	seen := map[verify.Failure]int{}
	for i := range uint64(3 * *mutants) {
		number := *mutantsFrom + i
		rng := rand.New(rand.NewPCG(number, 0xce4e))
		c := ceremonyVector{Name: fmt.Sprint("ceremony ", number)}
		switch rng.IntN(3) {
		case 0:
			c.Transcript = respell(rng, pick(rng, corpus).Transcript, good)
		case 1:
			f := m.parsed(good)
			m.resign(rng, f)
			c.Transcript = m.encoded(f)
		default:
			c.Transcript = m.mixed(rng, good)
		}
		record, failure, err := c.check(t)
		var got ceremonyAnswer
		if err := v.Ask(ceremonyQuestion{"ceremony", c.Transcript}, &got); err != nil {
			t.Fatal(err)
		}
		if got.Failure != failure {
			t.Errorf("%s: failure is %q here (%v) and %q there (%s):\n%s", c.Name, failure, err, got.Failure, got.Why, c.Transcript)
		} else if failure == "" {
			if diff := cmp.Diff(normal(t, record), normal(t, got.Record)); diff != "" {
				t.Errorf("%s: %s\n%s", c.Name, diff, c.Transcript)
			}
		}
		seen[failure]++
	}
	t.Logf("%d transcripts: %v", 3**mutants, seen)
	if *mutants >= 100 && len(seen) < 8 {
		t.Errorf("only %d outcomes among %d: they are too much alike", len(seen), 3**mutants)
	}
}

// resign changes a header, which may be signed again, or not.
func (m *ceremonyMaker) resign(rng *rand.Rand, f *transcript.File) {
	part := rng.IntN(len(f.Parts))
	i := rng.IntN(len(f.Parts[part].Headers))
	if rng.IntN(3) == 0 {
		f.Parts[part].Headers[i][rng.IntN(transcript.HeaderBytes)] ^= 1 << rng.IntN(8)
		return
	}
	m.resigned(f, part, i, func(h *transcript.Header) {
		digests := []*commit.Digest{&h.Ceremony, &h.Previous, &h.Body, &h.Contributor}
		switch rng.IntN(4) {
		case 0:
			pick(rng, digests)[rng.IntN(32)] ^= 1 << rng.IntN(8)
		case 1:
			h.Contributor = pick(rng, m.ids)
		case 2:
			h.Number = uint32(rng.IntN(4))
		default:
			h.Part = pick(rng, f.Parts).Part
		}
	})
}

// mixed makes two of the vectors' changes, but for those that need what the first took away.
func (m *ceremonyMaker) mixed(rng *rand.Rand, good []byte) []byte {
	f := m.parsed(good)
	for range 2 {
		before := m.encoded(f)
		if change := pick(rng, ceremonyChanges).change; !did(func() { change(m, f) }) {
			return before
		}
	}
	if rng.IntN(2) == 0 && len(f.Parts) > 0 {
		p := &f.Parts[rng.IntN(len(f.Parts))]
		p.Headers = slices.Concat(p.Headers, f.Parts[0].Headers)
	}
	return m.encoded(f)
}

// did reports whether a change could be made to what others left.
func did(change func()) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	change()
	return true
}
