package transcript

import "github.com/assay-net/assay/zk/commit"

// Start is what a part's first contribution follows. Parts of the second stage stand on the closed powers of tau, so they need the first closing, which
// must be the plan's.
func Start(plan *Plan, part string, first *Closing) commit.Digest {
	t := commit.NewTranscript(tagStart, plan.Digest())
	t.Bytes([]byte(part))
	if !inFirstStage(part) {
		digest := first.Of(PowersPart).Digest
		t.Bytes(digest[:])
	}
	return t.Digest()
}

func inFirstStage(part string) bool { return part == SRSPart || part == PowersPart }

// Chain is a part's contributions, of which each is the next.
type Chain struct {
	plan     *Plan
	ceremony commit.Digest
	part     string
	headers  []*Header
	last     commit.Digest
	err      error // why there can be no contribution to this part
}

// NewChain begins a part of a plan, which must have been checked. The first closing is nil as long as the first stage is open. Where there can be no
// contribution, because the plan has no such part, because its stage is not open yet or because the closing is another ceremony's, Add says so.
func (p *Plan) NewChain(part string, first *Closing) *Chain {
	c := &Chain{plan: p, ceremony: p.Digest(), part: part}
	switch {
	case inFirstStage(part):
	case p.Circuit(part) == nil:
		c.err = OtherPart.Errorf("the plan has no part %.64q", part)
	case first == nil:
		c.err = Order.Errorf("the first stage is not closed")
	default:
		c.err = p.CheckClosing(FirstStage, first)
	}
	if c.err == nil {
		c.last = Start(p, part, first)
	}
	return c
}

// Add takes the next contribution's header if it is one. If it is not, the chain stays as it is.
func (c *Chain) Add(h *Header) error {
	if c.err != nil {
		return c.err
	}
	if h.Ceremony != c.ceremony {
		return OtherCeremony.Errorf("is of ceremony %s, this is %s", h.Ceremony, c.ceremony)
	}
	if h.Part != c.part {
		return OtherPart.Errorf("is for %.64q, not for %s", h.Part, c.part)
	}
	who := c.plan.Contributor(h.Contributor)
	if who == nil {
		return WrongContributor.Errorf("the key %s is nobody's who may contribute", h.Contributor)
	}
	key, err := commit.ParsePublicKey(who.Key)
	if err != nil {
		return WrongContributor.Errorf("%s: %w", who.ID, err)
	}
	if err := key.Verify(h.unsigned(), h.Signature[:]); err != nil {
		return Signature.Errorf("by %s: %w", who.ID, err)
	}
	if want := c.Number() + 1; h.Number != uint32(want) || h.Previous != c.last {
		return Order.Errorf("is contribution %d after %s, must be %d after %s", h.Number, h.Previous, want, c.last)
	}
	if c.Has(h.Contributor) {
		return WrongContributor.Errorf("%s has contributed already", who.ID)
	}
	c.headers, c.last = append(c.headers, h), h.Digest()
	return nil
}

// Has says whether the contributor with this key has contributed.
func (c *Chain) Has(key commit.Digest) bool {
	for _, h := range c.headers {
		if h.Contributor == key {
			return true
		}
	}
	return false
}

// Last is the digest of the last contribution, or of what the first one follows.
func (c *Chain) Last() commit.Digest { return c.last }

// Number is how many contributions there are.
func (c *Chain) Number() int { return len(c.headers) }

// Headers are those that were taken. Do not change them.
func (c *Chain) Headers() []*Header { return c.headers }

// CheckEnd holds the chain against how its stage was closed.
func (c *Chain) CheckEnd(closing *Closing) error {
	end := closing.Of(c.part)
	if end == nil {
		return OtherPart.Errorf("the closing of stage %d does not have it", closing.Stage)
	}
	if c.Number() != end.Contributions || c.last != end.Last {
		return Late.Errorf("has %d contributions up to %s, was closed with %d up to %s", c.Number(), c.last, end.Contributions, end.Last)
	}
	return nil
}
