package datahub

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// Member is an enrolled device as its owner knows it.
type Member struct {
	Slot   uint32
	Key    commit.PublicKey
	Secret commit.Secret
}

// Report is what a device sends its owner for one epoch: the record, in
// confidence, and the attestation that anyone may check.
type Report struct {
	Slot        uint32
	Record      record.Record
	Attestation []byte
}

// Absence is an enrolled device that counts as absent, and why.
type Absence struct {
	Slot   uint32 `json:"slot"`
	Reason string `json:"reason"`
}

// Closed is a chunk at the end of an epoch, ready to be anchored and, after
// that, proven about.
type Closed struct {
	Place        commit.ChunkPlace
	Chunk        zk.Chunk
	Commitment   bn254.G1Affine
	Attestations [][]byte
	Checked      *commit.Checked
	Absent       []Absence
}

// CloseChunk gathers a chunk's reports. A report that does not check makes its
// device absent. The same report twice is one report; of several for one slot
// those that do not check count for nothing, and if two different ones do, the
// device is absent, because choosing between them is not the owner's to do. The
// result has passed the checks that endorsers make. A chunk in which nobody
// reported cannot be anchored and is an error.
func CloseChunk(srs *commit.SRS, schema *record.Schema, place commit.ChunkPlace, members []Member, reports []Report) (*Closed, error) {
	c := &Closed{Place: place, Chunk: zk.Chunk{
		Index:   place.Chunk,
		Records: make([]record.Record, place.Size),
		R:       make([]fr.Element, place.Size),
	}}
	bySlot := make(map[uint32][]*Report, len(reports))
	for i := range reports {
		r := &reports[i]
		same := func(o *Report) bool { return o.Record == r.Record && bytes.Equal(o.Attestation, r.Attestation) }
		if !slices.ContainsFunc(bySlot[r.Slot], same) {
			bySlot[r.Slot] = append(bySlot[r.Slot], r)
		}
	}
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Slot, b.Slot) })
	err := c.gather(srs, schema, members, bySlot, checkOpening)
	if err == nil {
		return c, nil
	}
	// The batch says that something is wrong, not all that is: find every report
	// that fails by itself, and close without them.
	if again := c.gather(srs, schema, members, bySlot, checkAlone); again != nil {
		return nil, fmt.Errorf("closing chunk %d: %w", place.Chunk, again)
	}
	return c, nil
}

type checkFunc func(*commit.SRS, *record.Schema, commit.Place, Member, *Report) (commit.Opening, error)

// gather fills the chunk with the reports that check accepts, and then makes
// the endorsers' checks on all of them at once.
func (c *Closed) gather(srs *commit.SRS, schema *record.Schema, members []Member, bySlot map[uint32][]*Report, check checkFunc) error {
	clear(c.Chunk.Records)
	clear(c.Chunk.R)
	c.Attestations, c.Absent = nil, nil
	enrolled := make([]commit.SlotKey, len(members))
	var points []bn254.G1Affine
	for i, m := range members {
		enrolled[i] = commit.SlotKey{Slot: m.Slot, Key: m.Key}
		if m.Slot >= c.Place.Size {
			return fmt.Errorf("slot %d is outside the chunk's %d", m.Slot, c.Place.Size)
		}
		report, opening, err := choose(srs, schema, c.Place.At(m.Slot), m, bySlot[m.Slot], check)
		if err != nil {
			c.Absent = append(c.Absent, Absence{m.Slot, err.Error()})
			continue
		}
		c.Chunk.Records[m.Slot], c.Chunk.R[m.Slot] = report.Record, opening.R
		c.Attestations = append(c.Attestations, report.Attestation)
		points = append(points, opening.C)
	}
	if len(points) == 0 {
		return fmt.Errorf("none of %d devices reported", len(members))
	}
	c.Commitment = commit.Sum(points)
	var err error
	c.Checked, err = commit.CheckChunk(srs, c.Place, enrolled, c.Attestations, c.Commitment)
	return err
}

var errSilent = errors.New("did not report")

// choose picks a device's one good report. Among several, anybody's could stand
// beside the device's own, so each is checked in full.
func choose(srs *commit.SRS, schema *record.Schema, at commit.Place, m Member, reports []*Report, check checkFunc) (*Report, commit.Opening, error) {
	switch len(reports) {
	case 0:
		return nil, commit.Opening{}, errSilent
	case 1:
		o, err := check(srs, schema, at, m, reports[0])
		return reports[0], o, err
	}
	var good *Report
	var opening commit.Opening
	var first error
	for _, r := range reports {
		o, err := checkAlone(srs, schema, at, m, r)
		switch {
		case err != nil:
			first = cmp.Or(first, err)
		case good != nil:
			return nil, commit.Opening{}, errors.New("reported two different records")
		default:
			good, opening = r, o
		}
	}
	if good == nil {
		return nil, commit.Opening{}, first
	}
	return good, opening, nil
}

// checkOpening opens a report against what its device committed to.
func checkOpening(srs *commit.SRS, schema *record.Schema, at commit.Place, m Member, r *Report) (commit.Opening, error) {
	a, err := commit.ParseAttestation(r.Attestation)
	if err != nil {
		return commit.Opening{}, err
	}
	return commit.CheckOpening(srs, at, schema, r.Record, m.Secret, a.C)
}

// checkAlone also checks signature, place and proof, which is slow for many.
func checkAlone(srs *commit.SRS, schema *record.Schema, at commit.Place, m Member, r *Report) (commit.Opening, error) {
	a, err := commit.ParseAttestation(r.Attestation)
	if err != nil {
		return commit.Opening{}, err
	}
	o, err := commit.CheckOpening(srs, at, schema, r.Record, m.Secret, a.C)
	if err != nil {
		return commit.Opening{}, err
	}
	return o, a.Verify(srs, at, m.Key)
}

// Anchor is the call that anchors the chunk; its attestations travel beside it.
func (c *Closed) Anchor() ledger.AnchorChunk {
	b := c.Commitment.Bytes()
	return ledger.NewAnchor(c.Place, b[:], c.Checked)
}
