package ceremony

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	library "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/evaluation"
	"github.com/assay-net/assay/zk/setup/transcript"
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
		id: transcript.PowersPart, layout: powersLayout(domain),
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

// sealingTag is what the library derives the factors of a closing value with.
const sealingTag = "Groth16 MPC Setup - Phase 1"

// powersReader reads the body of the last contribution. The library reads one point after the other and, in Seal, applies the closing value to each; here all
// processors read, and the closing value stays a factor, which nobody but who makes a start needs applied.
type powersReader struct {
	context.Context
	in  io.Reader
	err error
}

func (r *powersReader) skip(n int64) {
	if r.err == nil {
		_, r.err = io.CopyN(io.Discard, r.in, n)
	}
}

func (r *powersReader) g1(n int, first ...bn254.G1Affine) (points []bn254.G1Affine) {
	if r.err == nil {
		points, r.err = evaluation.ReadG1(r, r.in, n)
	}
	return append(first, points...)
}

func (r *powersReader) g2(n int, first ...bn254.G2Affine) (points []bn254.G2Affine) {
	if r.err == nil {
		points, r.err = evaluation.ReadG2(r, r.in, n)
	}
	return append(first, points...)
}

// readPowers returns the powers, with the factors that the library's Seal would derive from the state's hash and the closing value, and the body's digest.
func readPowers(ctx context.Context, body io.Reader, domain int, end *transcript.End) (*evaluation.Powers, commit.Digest, error) {
	whole, sealed := sha256.New(), sha256.New()
	in := bufio.NewReaderSize(body, 1<<20)
	r := &powersReader{Context: ctx, in: io.TeeReader(in, io.MultiWriter(whole, sealed))}
	_, _, one1, one2 := bn254.Generators()
	p := new(evaluation.Powers)
	r.skip(3*proofBytes + 8)
	beta := r.g2(1)
	p.G1.Tau, p.G2.Tau = r.g1(2*domain-2, one1), r.g2(domain-1, one2)
	p.G1.BetaTau, p.G1.AlphaTau = r.g1(domain), r.g1(domain)
	r.skip(1)
	if r.err != nil {
		return nil, commit.Digest{}, r.err
	}
	p.G2.Beta = beta[0]
	if _, err := io.CopyN(whole, in, challengeBytes); err != nil { // in its place the state that is sealed has the end's digest
		return nil, commit.Digest{}, err
	}
	sealed.Write(end.Digest[:])
	factors := library.BeaconContributions(sealed.Sum(nil), []byte(sealingTag), end.Beacon[:], 3)
	p.Tau, p.Alpha, p.Beta = factors[0], factors[1], factors[2]
	return p, commit.Digest(whole.Sum(nil)), nil
}
