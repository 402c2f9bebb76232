package collective

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Holding is what an owner holds of the owners' key s_own once it has everybody's part: its Shamir share of s_own, and its ties with the others.
type Holding struct {
	p         *Params
	own       Point
	threshold int
	points    []Point // of all owners
	ties      []tie   // one for each point; the own one is the salt of the holder's switch shares
	share     ring.Poly
}

// tie is a pair of seeds that two owners share: one dealt, one received.
type tie struct{ dealt, received [32]byte }

// Gather makes the holding of the owner at own. dealt is the whole result of its own Split, received are the parts that all the OTHER owners dealt to
// it, in any order. It refuses a part that is missing, there twice, destroyed, for another owner or of another threshold.
func (p *Params) Gather(own Point, dealt map[Point]*SecretPart, received ...*SecretPart) (*Holding, error) {
	mine := dealt[own]
	if mine == nil || mine.p != p {
		return nil, fmt.Errorf("gathering: own part %w", errForeign)
	}
	from, err := mine.sorted(dealt, received)
	if err != nil {
		return nil, fmt.Errorf("gathering: %w", err)
	}
	h := &Holding{p: p, own: own, threshold: mine.threshold, share: p.ring.NewPoly()}
	for x, sent := range dealt {
		if sent == nil || sent.p != p || sent.from != own || sent.to != x || sent.threshold != mine.threshold {
			return nil, fmt.Errorf("gathering: what was dealt to owner %d is not of this dealing", x)
		}
		if from[x] == nil {
			return nil, fmt.Errorf("gathering: no part from owner %d", x)
		}
		if sent.tie == [32]byte{} || from[x].tie == [32]byte{} {
			return nil, fmt.Errorf("gathering: a part to or from owner %d was destroyed", x)
		}
		h.points = append(h.points, x)
	}
	slices.Sort(h.points)
	for _, x := range h.points {
		h.ties = append(h.ties, tie{dealt: dealt[x].tie, received: from[x].tie})
		p.ring.Add(h.share, from[x].share, h.share)
	}
	return h, nil
}

// sorted gives what the owner of this part, which it dealt to itself, received, by dealer.
func (x *SecretPart) sorted(dealt map[Point]*SecretPart, received []*SecretPart) (map[Point]*SecretPart, error) {
	from := map[Point]*SecretPart{x.from: x}
	for _, part := range received {
		if part == nil || part.p != x.p {
			return nil, fmt.Errorf("a part %w", errForeign)
		}
		if part.to != x.to || part.threshold != x.threshold || dealt[part.from] == nil {
			return nil, fmt.Errorf("part from %d to %d with threshold %d at owner %d of %d with threshold %d", part.from, part.to, part.threshold, x.to, len(dealt), x.threshold)
		}
		if from[part.from] != nil {
			return nil, fmt.Errorf("two parts from owner %d", part.from)
		}
		from[part.from] = part
	}
	return from, nil
}

// Destroy overwrites the holding.
func (h *Holding) Destroy() {
	wipe(h.share)
	clear(h.ties)
}

// String keeps a holding out of logs.
func (h *Holding) String() string { return fmt.Sprintf("holding of owner %d", h.own) }

// GoString keeps a holding out of logs.
func (h *Holding) GoString() string { return h.String() }

func (p *Params) holdingSize(owners int) int { return headerBytes + 2 + 65*owners + p.polySize() }

// Marshal encodes the holding, to be sealed.
func (h *Holding) Marshal() []byte {
	out := append(make([]byte, 0, h.p.holdingSize(len(h.points))), h.p.header(kindHolding, 0, len(h.points))...)
	out = append(out, byte(h.own), byte(h.threshold))
	for i, x := range h.points {
		out = append(out, byte(x))
		out = append(out, h.ties[i].dealt[:]...)
		out = append(out, h.ties[i].received[:]...)
	}
	return appendPoly(out, h.share)
}

// UnmarshalHolding reads what Marshal wrote.
func (p *Params) UnmarshalHolding(data []byte) (*Holding, error) {
	owners, rest := (len(data)-p.holdingSize(0))/65, (len(data)-p.holdingSize(0))%65
	if owners < 1 || owners > MaxOwners || rest != 0 {
		return nil, fmt.Errorf("holding: %d bytes, want %d for one owner and 65 for each more, to %d owners", len(data), p.holdingSize(1), MaxOwners)
	}
	r, err := p.body(kindHolding, 0, owners, p.holdingSize(owners), data)
	if err != nil {
		return nil, err
	}
	b := r.bytes(2)
	h := &Holding{p: p, own: Point(b[0]), threshold: int(b[1])}
	for range owners {
		h.points = append(h.points, Point(r.bytes(1)[0]))
		h.ties = append(h.ties, tie{dealt: r.digest(), received: r.digest()})
	}
	h.share = r.poly()
	if err := errors.Join(r.err, checkPoints(h.points)); err != nil {
		return nil, fmt.Errorf("holding: %w", err)
	}
	if !slices.Contains(h.points, h.own) || h.threshold < minThreshold || h.threshold > owners {
		return nil, fmt.Errorf("holding: owner %d, threshold %d do not fit %d owners", h.own, h.threshold, owners)
	}
	return h, nil
}
