package ceremony

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// srsState is the SRS under way. It is a few hundred kilobytes, so it is bound by writing it and reading it again: the library keeps the challenge to
// itself.
type srsState struct{ kzg.MpcSetup }

func srsLayout(powers int) layout {
	return layout{
		{name: "proof for tau", kind: proof},
		{name: "number of powers", fixed: binary.BigEndian.AppendUint64(nil, uint64(powers))},
		{name: "[tau^i]1", kind: g1, count: powers - 1},
		{name: "[tau]2", kind: g2, count: 1},
		{name: "challenge", kind: challenge},
	}
}

// newSRSPart is the part that makes the SRS with its own tau.
func newSRSPart(powers int) *part {
	return &part{
		id: transcript.SRSPart, layout: srsLayout(powers),
		prefix: "KZG Setup", domains: []byte{0},
		blank: func() state { return new(srsState) },
		start: func(*work) (state, error) { return &srsState{kzg.InitializeSetup(powers)}, nil },
	}
}

func (s *srsState) bind(to commit.Digest) error {
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		return err
	}
	whole := b.Bytes()
	count := binary.BigEndian.Uint64(whole[proofBytes:])
	size := proofBytes + 8 + int(count-1)*g1Bytes + g2Bytes // without the challenge, which the first state does not have
	_, err := s.ReadFrom(io.MultiReader(bytes.NewReader(whole[:size]), bytes.NewReader(to[:])))
	return err
}

func (s *srsState) contribute() { s.Contribute() }

func (s *srsState) verify(next state) error { return s.Verify(&next.(*srsState).MpcSetup) }

// seal applies the closing value. The library leaves the generator of its verifying key at infinity when it has read the powers: with that, openings
// would not be checked at all. Nothing of its verifying key is used but the two points of G2; [commit.NewSRS] checks those and the powers and sets the generator.
func (s *srsState) seal(c *transcript.End) (*commit.SRS, error) {
	if err := s.bind(c.Digest); err != nil {
		return nil, err
	}
	srs := s.Seal(c.Beacon[:])
	return commit.NewSRS(srs.Pk.G1, [2]bn254.G2Affine{srs.Vk.G2[0], srs.Vk.G2[1]})
}
