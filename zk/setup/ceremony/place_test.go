package ceremony

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/assay-net/assay/zk/setup/transcript"
)

// TestForgedPlaces: good contributions where they do not belong.
func TestForgedPlaces(t *testing.T) {
	for _, test := range []struct {
		name string
		want transcript.Fault
		do   func(t *testing.T, c *Ceremony)
	}{
		{"alice's body signed by bob in her place", transcript.Binding, func(t *testing.T, c *Ceremony) {
			forge(t, c, transcript.SRSPart, 1, bob, bodyOf(t, c.contributionPath(transcript.SRSPart, 1)), nil)
			os.Remove(c.contributionPath(transcript.SRSPart, 2)) //nolint:errcheck // seen below
		}},
		{"swapped", transcript.Order, func(t *testing.T, c *Ceremony) {
			one, two := c.contributionPath(transcript.SRSPart, 1), c.contributionPath(transcript.SRSPart, 2)
			a, b := bodyOf(t, one), bodyOf(t, two)
			forge(t, c, transcript.SRSPart, 1, bob, b, func(h *transcript.Header) { h.Number = 2 })
			forge(t, c, transcript.SRSPart, 2, alice, a, func(h *transcript.Header) { h.Number = 1 })
		}},
		{"follows another", transcript.Order, func(t *testing.T, c *Ceremony) {
			forge(t, c, transcript.SRSPart, 2, bob, bodyOf(t, c.contributionPath(transcript.SRSPart, 2)), func(h *transcript.Header) { h.Previous[0] ^= 1 })
		}},
		{"the file before is gone", transcript.Order, func(t *testing.T, c *Ceremony) {
			if err := os.Remove(c.contributionPath(transcript.SRSPart, 1)); err != nil {
				t.Fatal(err)
			}
		}},
		{"bob twice", transcript.WrongContributor, func(t *testing.T, c *Ceremony) {
			forge(t, c, transcript.SRSPart, 3, bob, bodyOf(t, c.contributionPath(transcript.SRSPart, 2)), nil)
		}},
		{"by nobody", transcript.WrongContributor, func(t *testing.T, c *Ceremony) {
			forge(t, c, transcript.SRSPart, 3, mallory, bodyOf(t, c.contributionPath(transcript.SRSPart, 2)), nil)
		}},
		{"signed by another", transcript.Signature, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(transcript.SRSPart, 2)
			h, err := c.header(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Sign(mallory); err != nil {
				t.Fatal(err)
			}
			put(t, path, append(h.Encode(), bodyOf(t, path)...))
		}},
		{"of another part", transcript.OtherPart, func(t *testing.T, c *Ceremony) {
			forge(t, c, transcript.SRSPart, 2, bob, bodyOf(t, c.contributionPath(transcript.PowersPart, 2)), func(h *transcript.Header) { h.Part = transcript.PowersPart })
		}},
		{"another part's body", transcript.Length, func(t *testing.T, c *Ceremony) {
			forge(t, c, transcript.SRSPart, 2, bob, bodyOf(t, c.contributionPath(transcript.PowersPart, 2)), nil)
		}},
		{"of another ceremony", transcript.OtherCeremony, func(t *testing.T, c *Ceremony) {
			forge(t, c, transcript.SRSPart, 2, bob, bodyOf(t, c.contributionPath(transcript.SRSPart, 2)), func(h *transcript.Header) { h.Ceremony[0] ^= 1 })
		}},
		{"cut off", transcript.Truncated, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(transcript.SRSPart, 2)
			put(t, path, append(bytes.Clone(mustRead(t, path))[:transcript.HeaderBytes], bodyOf(t, path)[:50]...))
		}},
		{"cut off in the header", transcript.Truncated, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(transcript.SRSPart, 2)
			put(t, path, mustRead(t, path)[:100])
		}},
		{"empty", transcript.Truncated, func(t *testing.T, c *Ceremony) { put(t, c.contributionPath(transcript.SRSPart, 2), nil) }},
		{"longer than it says", transcript.Length, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(transcript.SRSPart, 2)
			put(t, path, append(mustRead(t, path), 0))
		}},
		{"a bit flipped", transcript.Damaged, func(t *testing.T, c *Ceremony) {
			flip(t, c.contributionPath(transcript.SRSPart, 2), transcript.HeaderBytes+g1Bytes+g2Bytes+8+20)
		}},
		{"a folder", transcript.Encoding, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(transcript.SRSPart, 2)
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o755)); err != nil {
				t.Fatal(err)
			}
		}},
		{"no contribution at all", transcript.Encoding, func(t *testing.T, c *Ceremony) {
			put(t, c.contributionPath(transcript.SRSPart, 2), make([]byte, 1000))
		}},
		{"for a circuit before its time", transcript.Order, func(t *testing.T, c *Ceremony) {
			if err := os.MkdirAll(c.dir+"/"+transcript.FolderOf(twiceID), 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, c.contributionPath(twiceID, 1), mustRead(t, c.contributionPath(transcript.SRSPart, 1)))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := ceremonyAt(t, contributed)
			test.do(t, c)
			_, err := c.Verify(ctx, "")
			refused(t, err, test.want)
		})
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAbsurdLengthAllocatesNothing: a length that the library would allocate for is refused before it sees it.
func TestAbsurdLengthAllocatesNothing(t *testing.T) {
	for _, test := range []struct {
		part, stage, segment string
		length               []byte
	}{
		{transcript.SRSPart, contributed, "number of powers", binary.BigEndian.AppendUint64(nil, 1<<40)},
		{transcript.SRSPart, contributed, "number of powers", binary.BigEndian.AppendUint64(nil, math.MaxUint64)},
		{transcript.PowersPart, contributed, "domain", binary.BigEndian.AppendUint64(nil, 1<<40)},
		{transcript.PowersPart, contributed, "domain", make([]byte, 8)},
		{twiceID, complete, "number of commitments", []byte{0xff, 0xff}},
		{twiceID, complete, "number of private wires", []byte{0xff, 0xff, 0xff, 0xff}},
		{twiceID, complete, "number of powers", []byte{0xff, 0xff, 0xff, 0xff}},
		{twiceID, complete, "number of wires of commitment 1", []byte{0xff, 0xff, 0xff, 0xff}},
		{twiceID, complete, "length of challenge", []byte{0xff}},
	} {
		c := ceremonyAt(t, test.stage)
		p, err := c.part(test.part, nil)
		if err != nil {
			t.Fatal(err)
		}
		body := bodyOf(t, c.contributionPath(test.part, 2))
		forge(t, c, test.part, 2, bob, replaced(body, offset(t, p.layout, test.segment), test.length), nil)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = c.Verify(ctx, "")
		runtime.ReadMemStats(&after)
		refused(t, err, transcript.Length)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Errorf("%s, %s: %d bytes allocated", test.part, test.segment, n)
		}
	}
	c := ceremonyAt(t, contributed)
	body := bodyOf(t, c.contributionPath(transcript.SRSPart, 2))
	for promised, want := range map[uint64]transcript.Fault{transcript.MaxBody: transcript.Truncated, math.MaxUint64: transcript.Length} {
		forge(t, c, transcript.SRSPart, 2, bob, body, func(h *transcript.Header) { h.BodyBytes = promised })
		_, err := c.Verify(ctx, "")
		refused(t, err, want)
	}
}

// TestOfAnotherCircuit: contributions of one circuit at the other's place, as they are and signed anew.
func TestOfAnotherCircuit(t *testing.T) {
	c := ceremonyAt(t, complete)
	put(t, c.contributionPath(plainID, 2), mustRead(t, c.contributionPath(twiceID, 2)))
	_, err := c.Verify(ctx, "")
	refused(t, err, transcript.OtherPart)
	forge(t, c, plainID, 2, bob, bodyOf(t, c.contributionPath(twiceID, 2)), nil)
	_, err = c.Verify(ctx, "")
	refused(t, err, transcript.Length)
}

// TestChangedPlan: whoever changes the plan when others have contributed has another ceremony, without their contributions.
func TestChangedPlan(t *testing.T) {
	c := ceremonyAt(t, contributed)
	path := filepath.Join(c.dir, planFile)
	put(t, path, bytes.Replace(mustRead(t, path), []byte("block 100"), []byte("block 101"), 1))
	_, err := opened(t, c.dir).Verify(ctx, "")
	refused(t, err, transcript.OtherCeremony)
}
