package ceremony

import (
	"encoding/binary"

	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/assay-net/assay/zk/commit"
)

// powersState is the powers of tau for the circuits under way: 5 points for each place of the domain.
type powersState struct{ mpcsetup.Phase1 }

func powersLayout(domain int) layout {
	return layout{
		{name: "proof for tau", kind: proof},
		{name: "proof for alpha", kind: proof},
		{name: "proof for beta", kind: proof},
		{name: "domain", fixed: binary.BigEndian.AppendUint64(nil, uint64(domain))},
		{name: "[beta]2", kind: g2, count: 1},
		{name: "[tau^i]1", kind: g1, count: 2*domain - 2},
		{name: "[tau^i]2", kind: g2, count: domain - 1},
		{name: "[beta tau^i]1", kind: g1, count: domain},
		{name: "[alpha tau^i]1", kind: g1, count: domain},
		{name: "length of challenge", fixed: []byte{challengeBytes}},
		{name: "challenge", kind: challenge},
	}
}

func newPowersPart(domain int) *part {
	return &part{
		id: powersPart, layout: powersLayout(domain),
		domains: []byte{mpcsetup.DST_TAU, mpcsetup.DST_ALPHA, mpcsetup.DST_BETA},
		blank:   func() state { return new(powersState) },
		start:   func(*work) (state, error) { return &powersState{*mpcsetup.NewPhase1(uint64(domain))}, nil },
	}
}

func (s *powersState) bind(to commit.Digest) error {
	s.Challenge = to[:]
	return nil
}

func (s *powersState) contribute() { s.Contribute() }

func (s *powersState) verify(next state) error { return s.Verify(&next.(*powersState).Phase1) }

// seal applies the closing value.
func (s *powersState) seal(c *closed) *mpcsetup.SrsCommons {
	s.Challenge = c.digest[:]
	commons := s.Seal(c.beacon[:])
	return &commons
}

// cut is the beginning of the powers, for a circuit with a smaller domain. It shares them.
func cut(all *mpcsetup.SrsCommons, domain int) *mpcsetup.SrsCommons {
	out := *all
	out.G1.Tau = all.G1.Tau[: 2*domain-1 : 2*domain-1]
	out.G1.AlphaTau = all.G1.AlphaTau[:domain:domain]
	out.G1.BetaTau = all.G1.BetaTau[:domain:domain]
	out.G2.Tau = all.G2.Tau[:domain:domain]
	return &out
}
