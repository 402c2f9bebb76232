package node

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// A data folder is of the ledger that it was used with first.
func TestFolderBelongsToItsLedger(t *testing.T) {
	c := &Config{Data: t.TempDir()}
	ours, other := commit.Digest{1}, commit.Digest{2}
	for range 2 {
		if err := checkFolder(c, ours); err != nil {
			t.Fatal(err)
		}
		if err := claimFolder(c, ours); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{checkFolder(c, other), claimFolder(c, other)} {
		if err == nil || !strings.Contains(err.Error(), "data: ") || !strings.Contains(err.Error(), other.String()) {
			t.Errorf("another ledger: %v", err)
		}
	}
}

// A store that was filled from another ledger is known by what its devices signed; one row that was altered is none.
func TestStoreOfAnotherLedgerIsRefused(t *testing.T) {
	schema := must(record.Lookup("battery/v1"))(t)
	d := must(device.New(must(device.NewMaker("maker-a"))(t), device.Config{Serial: "1", Class: commit.Software, Algorithm: commit.Ed25519, Schema: schema}))(t)
	ours, other := commit.Digest{1}, commit.Digest{2}
	possession := must(d.Possess(device.Seat{Ledger: ours, Fleet: fleetID, Size: 64, Slot: 3}, 7))(t)
	row := store.Device{ID: d.ID(), Fleet: fleetID, Slot: 3, Certificate: d.Certificate().DER(), State: store.Enrolled,
		Possession: storedPossession(commit.Possession{Until: 7, Signature: possession})}
	moved := row
	moved.Slot = 4
	offered := row
	offered.Possession = nil
	if err := checkStore([]store.Device{offered, moved, row}, ours); err != nil {
		t.Error(err)
	}
	if err := checkStore([]store.Device{offered}, other); err != nil {
		t.Errorf("a store in which nobody has agreed to anything is anybody's: %v", err)
	}
	if err := checkStore([]store.Device{offered, row}, other); err == nil || !strings.Contains(err.Error(), "store.url") {
		t.Errorf("another ledger: %v", err)
	}
}
