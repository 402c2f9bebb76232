package transcript

import (
	"bytes"
	"math"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

func TestChainRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		want Fault
		add  func(t *testing.T, c *Chain) *Header
	}{
		{"another ceremony's", OtherCeremony, func(t *testing.T, c *Chain) *Header {
			return next(t, c, carol, func(h *Header) { h.Ceremony[0]++ })
		}},
		{"another part's", OtherPart, func(t *testing.T, c *Chain) *Header {
			return next(t, c, carol, func(h *Header) { h.Part = SRSPart })
		}},
		{"nobody's", WrongContributor, func(t *testing.T, c *Chain) *Header { return next(t, c, mallory, nil) }},
		{"bob's second", WrongContributor, func(t *testing.T, c *Chain) *Header { return next(t, c, bob, nil) }},
		{"carol's, signed by mallory", Signature, func(t *testing.T, c *Chain) *Header {
			h := next(t, c, carol, nil)
			if err := h.Sign(mallory); err != nil {
				t.Fatal(err)
			}
			return h
		}},
		{"changed after signing", Signature, func(t *testing.T, c *Chain) *Header {
			h := next(t, c, carol, nil)
			h.Body[5]++
			return h
		}},
		{"out of order", Order, func(t *testing.T, c *Chain) *Header {
			return next(t, c, carol, func(h *Header) { h.Number = 4 })
		}},
		{"absurd number", Order, func(t *testing.T, c *Chain) *Header {
			return next(t, c, carol, func(h *Header) { h.Number = math.MaxUint32 })
		}},
		{"after another", Order, func(t *testing.T, c *Chain) *Header {
			return next(t, c, carol, func(h *Header) { h.Previous[0]++ })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, part := range []string{PowersPart, "twice/v1"} {
				c := testCeremony(t).chains[part]
				last := c.Last()
				refused(t, c.Add(test.add(t, c)), test.want)
				if c.Number() != 2 || c.Last() != last {
					t.Error("the chain has changed")
				}
				if err := c.Add(next(t, c, carol, nil)); err != nil || c.Number() != 3 || !c.Has(commit.Digest(keyOf(t, carol).DeviceID())) {
					t.Errorf("carol's own: %v", err)
				}
			}
		})
	}
}

// TestChainOfNoPart: where there can be no contribution, none is taken, however it is signed.
func TestChainOfNoPart(t *testing.T) {
	c := testCeremony(t)
	other := *c.first
	other.Parts = other.Parts[:1]
	for _, test := range []struct {
		name, part string
		first      *Closing
		want       Fault
	}{
		{"not in the plan", "other/v1", c.first, OtherPart},
		{"before its stage", "twice/v1", nil, Order},
		{"after a closing without the powers", "twice/v1", &other, OtherPart},
		{"after the second closing", "twice/v1", c.second, OtherPart},
	} {
		chain := c.plan.NewChain(test.part, test.first)
		refused(t, chain.Add(next(t, chain, alice, nil)), test.want)
	}
}

// TestNoOtherStage: there are two.
func TestNoOtherStage(t *testing.T) {
	c := testCeremony(t)
	for _, stage := range []int{-1, 0, 3} {
		_, err := c.plan.NewClosing(stage, beaconOne, c.chains)
		refused(t, err, OtherPart)
		refused(t, c.plan.CheckClosing(stage, &Closing{Ceremony: c.plan.Digest(), Stage: stage, Beacon: beaconOne.Value, Source: "x"}), OtherPart)
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	h := next(t, testPlan(t).NewChain(SRSPart, nil), alice, nil)
	b := h.Encode()
	got, err := ParseHeader(b)
	if err != nil || *got != *h || len(b) != HeaderBytes {
		t.Errorf("%d bytes read as %+v, %v", len(b), got, err)
	}
	for _, test := range []struct {
		b    []byte
		want Fault
	}{{nil, Truncated}, {b[:HeaderBytes-1], Truncated}, {append(bytes.Clone(b), 0), Length}, {make([]byte, HeaderBytes), Encoding}, {withPart(b, "\x00srs"), Encoding},
		{withPart(b, "Srs/v1"), Encoding}, {withPart(b, "srs\x00v1"), Encoding}} {
		_, err := ParseHeader(test.b)
		refused(t, err, test.want)
	}
}

// TestBodyIsBounded: a record's number of bytes is that of a file, whatever a contributor signs.
func TestBodyIsBounded(t *testing.T) {
	p := testPlan(t)
	for size, fine := range map[uint64]bool{0: true, MaxBody: true, MaxBody + 1: false, math.MaxInt64 - HeaderBytes + 1: false, math.MaxUint64: false} {
		h, err := ParseHeader(next(t, p.NewChain(SRSPart, nil), alice, func(h *Header) { h.BodyBytes = size }).Encode())
		if !fine {
			refused(t, err, Length)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Contribution(h).Bytes; got != int64(size)+HeaderBytes {
			t.Errorf("a body of %d bytes is recorded with %d", size, got)
		}
	}
}

func withPart(b []byte, part string) []byte {
	out := bytes.Clone(b)
	copy(out[64:96], padded(part))
	return out
}

// TestHeaderDigestCoversEverything: no bit of a header can be changed under the digest that the next contribution follows, nor under its signature.
func TestHeaderDigestCoversEverything(t *testing.T) {
	chain := testPlan(t).NewChain(SRSPart, nil)
	h := next(t, chain, alice, nil)
	b, digest := h.Encode(), h.Digest()
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		got, err := ParseHeader(changed)
		if err != nil {
			continue
		}
		if got.Digest() == digest {
			t.Errorf("byte %d is not in the digest", i)
		}
		if err := chain.Add(got); err == nil {
			t.Fatalf("byte %d is not signed", i)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(next(f, testPlan(f).NewChain(SRSPart, nil), alice, nil).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := ParseHeader(b); err == nil && !bytes.Equal(h.Encode(), b) {
			t.Error("a header reads as another one")
		}
	})
}

// TestDigestsStay: signatures, keys' names and ledgers' records hold these digests, so they cannot become others under the same version.
func TestDigestsStay(t *testing.T) {
	c := testCeremony(t)
	header := c.chains["plain/v1"].Headers()[1]
	for name, test := range map[string]struct {
		got  commit.Digest
		want string
	}{
		"plan":       {c.plan.Digest(), "abfdfd6c737ea0946f9851f43910aaa47b2c50ed3b52ef0a5a125004a15771b4"},
		"start":      {Start(c.plan, "twice/v1", c.first), "d9f80bb5b92be3ce22bee876c20be25088a761588362b91652550f4cc8cb47c5"},
		"header":     {header.Digest(), "9ed4a445906e44db22cad83c7c1aea59d41c3a26b861762cfdfb4c050e9c9056"},
		"binding":    {header.Binding(), "c0d69dab7bab41cbd22a1b2c33f8627f8c5a24e4e1cd4f15debb5d0aedea5256"},
		"end":        {c.second.Of("plain/v1").Digest, "5a89172e36083ad2d2f8db256f272f0e59de003dccd95b5b2da3b394a74dacf4"},
		"transcript": {Digest(c.plan, c.first, c.second), "9575724d782b8b870b51f481820617dd2ef4e25d718b3b6a33ca1419df8606d9"},
	} {
		if test.got.String() != test.want {
			t.Errorf("%s: %s, want %s", name, test.got, test.want)
		}
	}
}
