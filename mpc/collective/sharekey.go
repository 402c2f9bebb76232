package collective

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/mhe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"
)

// ShareKey is what a party makes its switch share with: the regulator's own secret, or an owner's additive share of s_own for one active set.
type ShareKey struct {
	p      *Params
	own    Point   // 0: the regulator
	active []Point // of an owner
	key    ring.Poly
	salt   [32]byte
	ties   []tie // with the other active owners
}

// OwnerKey turns an owner's holding into its additive share for an active set: exactly threshold owners, ascending, the holder among them. A session
// has one active set; to change it is to open another session.
func (p *Params) OwnerKey(h *Holding, active []Point) (*ShareKey, error) {
	if h == nil || h.p != p {
		return nil, fmt.Errorf("holding %w", errForeign)
	}
	if err := checkPoints(active); err != nil {
		return nil, fmt.Errorf("active set: %w", err)
	}
	if len(active) != h.threshold || !slices.Contains(active, h.own) {
		return nil, fmt.Errorf("active set: %d owners, want %d with owner %d among them", len(active), h.threshold, h.own)
	}
	salt := h.ties[slices.Index(h.points, h.own)].dealt
	if salt == [32]byte{} {
		return nil, errors.New("holding: destroyed")
	}
	k := &ShareKey{p: p, own: h.own, active: slices.Clone(active), salt: p.digest("owner's salt", salt[:])}
	others := make([]mhe.ShamirPublicPoint, 0, len(active))
	for _, x := range active {
		i := slices.Index(h.points, x)
		if i < 0 {
			return nil, fmt.Errorf("active set: owner %d is not of this session", x)
		}
		if x != h.own {
			k.ties = append(k.ties, h.ties[i])
		}
		others = append(others, mhe.ShamirPublicPoint(x))
	}
	own := mhe.ShamirPublicPoint(h.own)
	combiner, key := mhe.NewCombiner(p.rlwe, own, others, h.threshold), rlwe.NewSecretKey(p.rlwe)
	if err := combiner.GenAdditiveShare(others, own, mhe.ShamirSecretShare{Poly: ringqp.Poly{Q: h.share}}, key); err != nil {
		return nil, fmt.Errorf("active set: %w", err)
	}
	k.key = key.Value.Q
	return k, nil
}

// RegulatorKey is the regulator's: its secret is not shared with anyone.
func (p *Params) RegulatorKey(s *Secret) (*ShareKey, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("regulator's key: %w", err)
	}
	return &ShareKey{p: p, key: s.montgomery(p), salt: p.digest("regulator's salt", s.seed[:])}, nil
}

// Destroy overwrites the key.
func (k *ShareKey) Destroy() {
	wipe(k.key)
	clear(k.salt[:])
	clear(k.ties)
}

// String keeps a key out of logs.
func (k *ShareKey) String() string { return fmt.Sprintf("share key of %d", k.own) }

// GoString keeps a key out of logs.
func (k *ShareKey) GoString() string { return k.String() }

func (k *ShareKey) check(p *Params) error {
	if k == nil || k.p != p {
		return fmt.Errorf("share key %w", errForeign)
	}
	if k.salt == [32]byte{} {
		return errors.New("share key: destroyed")
	}
	return nil
}

// mask is the set of active owners as bits, point 1 the lowest; none for the regulator.
func (k *ShareKey) mask() (m uint16) {
	for _, x := range k.active {
		m |= 1 << (x - 1)
	}
	return m
}

// bind adds the ties of ciphertext k to x: what each two active owners add cancels between them, and to everybody else each owner's share looks
// uniform. bound names what the share is for.
func (k *ShareKey) bind(x words, ciphertext int, bound [32]byte) {
	n := len(x[0])
	plus, minus := make([]uint64, n), make([]uint64, n)
	for _, tie := range k.ties {
		dealt := k.p.stream("tie", tie.dealt[:], bound[:], []byte{byte(ciphertext)})
		received := k.p.stream("tie", tie.received[:], bound[:], []byte{byte(ciphertext)})
		for i, q := range k.p.q {
			uniform(dealt, q, plus)
			uniform(received, q, minus)
			for j := range n {
				x[i][j] = add(x[i][j], sub(plus[j], minus[j], q), q)
			}
		}
	}
}
