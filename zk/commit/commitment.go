package commit

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/record"
)

// Opening is a device commitment with what opens it. X and R are the device's and its owner's secret; printing or
// marshalling an opening does not show them.
type Opening struct {
	X, R fr.Element
	C    bn254.G1Affine
}

// Format writes the commitment and leaves out what opens it, whatever the verb.
func (o Opening) Format(f fmt.State, _ rune) {
	b := o.C.Bytes()
	fmt.Fprintf(f, "opening of %x", b) //nolint:errcheck // fmt.State keeps its own error
}

// String writes the commitment and leaves out what opens it.
func (o Opening) String() string { return fmt.Sprint(o) }

// MarshalJSON refuses: storing an opening must be a decision.
func (Opening) MarshalJSON() ([]byte, error) {
	return nil, errors.New("an opening is not marshalled: it holds a record")
}

// Commit computes what the device in this slot publishes about the record, and what opens it. The record must be
// present and packable; whether it lies within its schema is the caller's to check. The same arguments always give the
// same opening.
func Commit(srs *SRS, p Place, rec record.Record, secret Secret) (Opening, error) {
	if err := srs.checkSlot(p); err != nil {
		return Opening{}, err
	}
	if rec[record.Presence] != 1 {
		return Opening{}, errors.New("record: presence is not 1")
	}
	if err := rec.Fits(); err != nil {
		return Opening{}, fmt.Errorf("record: %w", err)
	}
	o := Opening{X: rec.Pack()}
	o.R = p.Blinding(secret, o.X)
	g, h := srs.Bases(p.Size, p.Slot)
	o.C = combine(&g, &h, &o.X, &o.R)
	if err := checkPoint(&o.C); err != nil {
		return Opening{}, fmt.Errorf("commitment: %w", err)
	}
	return o, nil
}

// CheckOpening is the owner's check before it anchors: the record lies within the schema, and commits, with this
// device's secret, to what the device attested. A device that fails it counts as absent, since its record would make
// the whole chunk unprovable.
func CheckOpening(srs *SRS, p Place, schema *record.Schema, rec record.Record, secret Secret, attested bn254.G1Affine) (Opening, error) {
	if err := schema.Check(rec); err != nil {
		return Opening{}, err
	}
	o, err := Commit(srs, p, rec, secret)
	if err != nil {
		return Opening{}, err
	}
	if !o.C.Equal(&attested) {
		return Opening{}, fmt.Errorf("slot %d: record does not open the attested commitment", p.Slot)
	}
	return o, nil
}

func (s *SRS) checkSlot(p Place) error {
	if err := s.checkPlace(p.ChunkPlace()); err != nil {
		return err
	}
	return checkSlot(p.Slot, p.Size)
}
