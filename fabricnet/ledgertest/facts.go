package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// tellsFacts compares what the ledger says about the epoch with what was anchored.
func (s *suite) tellsFacts(t *testing.T) {
	for _, org := range s.all {
		for _, fleet := range []string{s.fleet, s.closed} {
			f := must[ledger.FactsEntry](t)(s.as(org).Facts(s.ctx, fleet, s.over))
			s.factsAgree(t, f)
			if f.Closed {
				t.Errorf("facts of %s are closed", fleet)
			}
			// The fleet's last chunk may still be anchored.
			if late := s.Now().After(s.Genesis.SettledAfter(s.over)); f.Final != (fleet == s.closed) && !late {
				t.Errorf("facts of %s: final is %v", fleet, f.Final)
			}
		}
	}
	for key, a := range s.anchored {
		if key.epoch == s.over {
			s.showsAnchor(t, key, a)
		}
	}
	if _, err := s.slotsAnchored(2); err == nil {
		t.Error("the chunk that was not anchored is said to be")
	}
}

// slotsAnchored is the epoch that a chunk of the fleet was last anchored for.
func (s *suite) slotsAnchored(chunk uint32) (uint64, error) {
	chunks, err := s.as(s.owner).Chunks(s.ctx, s.fleet)
	for _, c := range chunks {
		if c.Index == chunk && c.Anchored != nil {
			return *c.Anchored, err
		}
	}
	return 0, errors.Join(err, fmt.Errorf("chunk %d is not anchored", chunk))
}

// showsAnchor compares an anchor's record with what was sent.
func (s *suite) showsAnchor(t *testing.T, key anchorKey, a anchored) {
	t.Helper()
	record := result[ledger.Anchor](t, a.receipt)
	want := ledger.Anchor{
		Commitment: a.args.Commitment, Attested: a.args.Attested, Bitmap: a.args.Bitmap, Root: a.args.Root, Time: record.Time, TxID: a.receipt.TxID,
	}
	for _, e := range must[[]ledger.SlotEntry](t)(s.as(s.owner).Slots(s.ctx, key.fleet, key.chunk)) {
		if retiredAt(e.Enrolment, key.epoch) {
			want.Retired++
		}
		if activeAt(e.Enrolment, key.epoch) {
			want.Enrolled++
			want.Classes[slices.Index(ledger.Classes[:], e.Enrolment.Class)]++
		}
	}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Errorf("anchor of chunk %d of %s: %s", key.chunk, key.fleet, diff)
	}
	var found []ledger.Anchor
	for _, e := range must[[]ledger.AnchorEntry](t)(s.as(s.regulator).Anchors(s.ctx, key.fleet, key.epoch)) {
		if e.Chunk == key.chunk {
			found = append(found, e.Anchor)
		}
	}
	if diff := cmp.Diff([]ledger.Anchor{want}, found); diff != "" {
		t.Errorf("listed anchor of chunk %d of %s: %s", key.chunk, key.fleet, diff)
	}
}
