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
)

// TestForgedPlaces: good contributions where they do not belong.
func TestForgedPlaces(t *testing.T) {
	for _, test := range []struct {
		name string
		want Fault
		do   func(t *testing.T, c *Ceremony)
	}{
		{"alice's body signed by bob in her place", Binding, func(t *testing.T, c *Ceremony) {
			forge(t, c, srsPart, 1, bob, bodyOf(t, c.contributionPath(srsPart, 1)), nil)
			os.Remove(c.contributionPath(srsPart, 2)) //nolint:errcheck // seen below
		}},
		{"swapped", Order, func(t *testing.T, c *Ceremony) {
			one, two := c.contributionPath(srsPart, 1), c.contributionPath(srsPart, 2)
			a, b := bodyOf(t, one), bodyOf(t, two)
			forge(t, c, srsPart, 1, bob, b, func(h *Header) { h.Number = 2 })
			forge(t, c, srsPart, 2, alice, a, func(h *Header) { h.Number = 1 })
		}},
		{"follows another", Order, func(t *testing.T, c *Ceremony) {
			forge(t, c, srsPart, 2, bob, bodyOf(t, c.contributionPath(srsPart, 2)), func(h *Header) { h.Previous[0] ^= 1 })
		}},
		{"the file before is gone", Order, func(t *testing.T, c *Ceremony) {
			if err := os.Remove(c.contributionPath(srsPart, 1)); err != nil {
				t.Fatal(err)
			}
		}},
		{"bob twice", Contributor, func(t *testing.T, c *Ceremony) {
			forge(t, c, srsPart, 3, bob, bodyOf(t, c.contributionPath(srsPart, 2)), nil)
		}},
		{"by nobody", Contributor, func(t *testing.T, c *Ceremony) {
			forge(t, c, srsPart, 3, mallory, bodyOf(t, c.contributionPath(srsPart, 2)), nil)
		}},
		{"signed by another", Signature, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(srsPart, 2)
			h, err := c.header(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.sign(mallory); err != nil {
				t.Fatal(err)
			}
			put(t, path, append(h.encode(), bodyOf(t, path)...))
		}},
		{"of another part", OtherPart, func(t *testing.T, c *Ceremony) {
			forge(t, c, srsPart, 2, bob, bodyOf(t, c.contributionPath(powersPart, 2)), func(h *Header) { h.Part = powersPart })
		}},
		{"another part's body", Length, func(t *testing.T, c *Ceremony) {
			forge(t, c, srsPart, 2, bob, bodyOf(t, c.contributionPath(powersPart, 2)), nil)
		}},
		{"of another ceremony", OtherCeremony, func(t *testing.T, c *Ceremony) {
			forge(t, c, srsPart, 2, bob, bodyOf(t, c.contributionPath(srsPart, 2)), func(h *Header) { h.Ceremony[0] ^= 1 })
		}},
		{"cut off", Truncated, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(srsPart, 2)
			put(t, path, append(bytes.Clone(mustRead(t, path))[:headerBytes], bodyOf(t, path)[:50]...))
		}},
		{"cut off in the header", Truncated, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(srsPart, 2)
			put(t, path, mustRead(t, path)[:100])
		}},
		{"empty", Truncated, func(t *testing.T, c *Ceremony) { put(t, c.contributionPath(srsPart, 2), nil) }},
		{"longer than it says", Length, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(srsPart, 2)
			put(t, path, append(mustRead(t, path), 0))
		}},
		{"a bit flipped", Damaged, func(t *testing.T, c *Ceremony) {
			flip(t, c.contributionPath(srsPart, 2), headerBytes+g1Bytes+g2Bytes+8+20)
		}},
		{"a folder", Encoding, func(t *testing.T, c *Ceremony) {
			path := c.contributionPath(srsPart, 2)
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o755)); err != nil {
				t.Fatal(err)
			}
		}},
		{"no contribution at all", Encoding, func(t *testing.T, c *Ceremony) {
			put(t, c.contributionPath(srsPart, 2), make([]byte, 1000))
		}},
		{"for a circuit before its time", Order, func(t *testing.T, c *Ceremony) {
			if err := os.MkdirAll(c.dir+"/"+folderOf(twiceID), 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, c.contributionPath(twiceID, 1), mustRead(t, c.contributionPath(srsPart, 1)))
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
		{srsPart, contributed, "number of powers", binary.BigEndian.AppendUint64(nil, 1<<40)},
		{srsPart, contributed, "number of powers", binary.BigEndian.AppendUint64(nil, math.MaxUint64)},
		{powersPart, contributed, "domain", binary.BigEndian.AppendUint64(nil, 1<<40)},
		{powersPart, contributed, "domain", make([]byte, 8)},
		{twiceID, complete, "number of commitments", []byte{0xff, 0xff}},
		{twiceID, complete, "number of private wires", []byte{0xff, 0xff, 0xff, 0xff}},
		{twiceID, complete, "number of powers", []byte{0xff, 0xff, 0xff, 0xff}},
		{twiceID, complete, "number of wires of commitment 1", []byte{0xff, 0xff, 0xff, 0xff}},
		{twiceID, complete, "length of challenge", []byte{0xff}},
	} {
		c := ceremonyAt(t, test.stage)
		p, err := c.part(test.part, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		body := bodyOf(t, c.contributionPath(test.part, 2))
		forge(t, c, test.part, 2, bob, replaced(body, offset(t, p.layout, test.segment), test.length), nil)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = c.Verify(ctx, "")
		runtime.ReadMemStats(&after)
		refused(t, err, Length)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Errorf("%s, %s: %d bytes allocated", test.part, test.segment, n)
		}
	}
	c := ceremonyAt(t, contributed)
	forge(t, c, srsPart, 2, bob, bodyOf(t, c.contributionPath(srsPart, 2)), func(h *Header) { h.BodyBytes = math.MaxUint64 })
	_, err := c.Verify(ctx, "")
	refused(t, err, Truncated)
}

// TestOfAnotherCircuit: contributions of one circuit at the other's place, as they are and signed anew.
func TestOfAnotherCircuit(t *testing.T) {
	c := ceremonyAt(t, complete)
	put(t, c.contributionPath(plainID, 2), mustRead(t, c.contributionPath(twiceID, 2)))
	_, err := c.Verify(ctx, "")
	refused(t, err, OtherPart)
	forge(t, c, plainID, 2, bob, bodyOf(t, c.contributionPath(twiceID, 2)), nil)
	_, err = c.Verify(ctx, "")
	refused(t, err, Length)
}

// TestChangedPlan: whoever changes the plan when others have contributed has another ceremony, without their contributions.
func TestChangedPlan(t *testing.T) {
	c := ceremonyAt(t, contributed)
	path := filepath.Join(c.dir, planFile)
	put(t, path, bytes.Replace(mustRead(t, path), []byte("block 100"), []byte("block 101"), 1))
	_, err := opened(t, c.dir).Verify(ctx, "")
	refused(t, err, OtherCeremony)
}
