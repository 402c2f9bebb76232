package contract

import (
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// registerFleet makes the caller the owner of a new fleet.
func registerFleet(r *run, a *ledger.RegisterFleet) (*ledger.Fleet, error) {
	if err := ledger.CheckID("fleet", a.ID); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if _, err := record.Lookup(a.Schema); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if !slices.Contains(commit.Sizes, int(a.ChunkSize)) {
		return nil, ledger.Refuse(ledger.Invalid, "chunk_size: %d is not one of %v", a.ChunkSize, commit.Sizes)
	}
	taken, err := exists(r.state, ledger.FleetKey(a.ID))
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, ledger.Refuse(ledger.Conflict, "fleet %s is registered", a.ID)
	}
	f := &ledger.Fleet{ID: a.ID, Owner: r.caller(), Schema: a.Schema, ChunkSize: a.ChunkSize, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.FleetKey(a.ID), f); err != nil {
		return nil, err
	}
	r.event(ledger.EventFleetRegistered, ledger.EventPayload{Fleet: a.ID, Owner: f.Owner})
	return f, nil
}
