package store_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/store"
)

func TestDevicesComeBack(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		one := store.Device{ID: device(1), Fleet: "alpha", Chunk: 3, Slot: 1023, Certificate: []byte{0, 1}, Generation: 2, State: store.Enrolled,
			Possession: []byte("signature"), From: 7, Until: math.MaxInt64, Offered: noon}
		two := store.Device{ID: device(2), Fleet: "alpha", State: store.Offered}
		must(t, s.PutDevices(t.Context(), []store.Device{two, one}))
		b := frames("alpha", 1, 7, 1, 9)
		b.Seen = []store.Seen{{Device: device(1), At: noon.Add(time.Hour)}, {Device: device(1), At: noon}}
		mustCommit(t, s, b)
		mustCommit(t, s, &store.Batch{Progress: []store.Progress{{Device: device(1), Through: 4}}, Seen: []store.Seen{{Device: device(1), At: noon}}})
		one.Through, one.LastSeen = 77, noon.Add(-time.Hour)
		must(t, s.PutDevices(t.Context(), []store.Device{one}))
		one.Through, one.LastSeen = 9, noon.Add(time.Hour)
		got, err := s.Devices(t.Context())
		must(t, err)
		equal(t, "devices", got, []store.Device{one, two})
	})
}

func TestSeatHasOneDevice(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		one := store.Device{ID: device(1), Fleet: "alpha", Chunk: 1, Slot: 2, State: store.Enrolled}
		two := store.Device{ID: device(2), Fleet: "alpha", Chunk: 1, Slot: 2, State: store.Offered}
		must(t, s.PutDevices(t.Context(), []store.Device{one}))
		is(t, s.PutDevices(t.Context(), []store.Device{two}), store.ErrConflict)
		one.State = store.Retired
		must(t, s.PutDevices(t.Context(), []store.Device{two, one}))
	})
}

func TestManyDevices(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		var all []store.Device
		for n := range 1234 {
			all = append(all, store.Device{ID: device(n), Fleet: "alpha", Slot: uint32(n), State: store.Offered})
		}
		must(t, s.PutDevices(t.Context(), all))
		got, err := s.Devices(t.Context())
		must(t, err)
		equal(t, "devices", got, all)
	})
}

func TestSnapshotsAreTheNewest(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		snapshot := func(n int, epoch, sequence uint64) store.Snapshot {
			return store.Snapshot{Fleet: "alpha", Device: device(n), Epoch: epoch, Sequence: sequence, State: []byte{byte(n), byte(epoch), byte(sequence)}}
		}
		mustCommit(t, s, &store.Batch{Snapshots: []store.Snapshot{snapshot(1, 7, 3), snapshot(1, 8, 6), snapshot(2, 7, 1), snapshot(2, 7, 4), snapshot(2, 7, 2)}})
		mustCommit(t, s, &store.Batch{Snapshots: []store.Snapshot{snapshot(1, 8, 9), {Fleet: "beta", Device: device(1), Epoch: 99}}})
		equal(t, "newest", snapshots(t, s), []store.Snapshot{snapshot(1, 8, 9), snapshot(2, 7, 4)})
		var many []store.Snapshot
		for n := range 600 {
			many = append(many, snapshot(n, 10, 1))
		}
		mustCommit(t, s, &store.Batch{Snapshots: many})
		equal(t, "many", snapshots(t, s), many)
		for range s.Snapshots(t.Context(), "alpha") {
			break
		}
	})
}

func snapshots(t *testing.T, s *store.Store) []store.Snapshot {
	t.Helper()
	var out []store.Snapshot
	for one, err := range s.Snapshots(t.Context(), "alpha") {
		must(t, err)
		out = append(out, one)
	}
	return out
}

func TestReportsComeBack(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		report := func(n int, chunk, slot uint32) store.Report {
			return store.Report{Fleet: "alpha", Device: device(n), Chunk: chunk, Slot: slot, Epoch: 7, Sequence: 5, Received: noon,
				Record: []byte{byte(n)}, Attestation: []byte("attestation"), Own: n%2 == 0, Flags: []string{"state of health \x00 differs"}}
		}
		first, second, third := report(1, 1, 0), report(2, 0, 9), report(3, 0, 2)
		second.Flags, second.Attestation = nil, nil
		replaced := report(1, 0, 0)
		mustCommit(t, s, &store.Batch{Reports: []store.Report{replaced, third}})
		mustCommit(t, s, &store.Batch{Reports: []store.Report{replaced, first, second, {Fleet: "alpha", Device: device(1), Epoch: 8}}})
		got, err := s.Reports(t.Context(), "alpha", 7)
		must(t, err)
		equal(t, "reports", got, []store.Report{third, second, first})
		got, err = s.ChunkReports(t.Context(), "alpha", 7, 1)
		must(t, err)
		equal(t, "reports of chunk 1", got, []store.Report{first})
	})
}

func TestClosingsAndChunksComeBack(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		closing := func(epoch uint64) store.Closing {
			return store.Closing{Fleet: "alpha", Epoch: epoch, Started: noon, Chunks: 20, Readings: 1 << 40, Frames: 2, Late: 1}
		}
		for _, epoch := range []uint64{7, 9, 8} {
			must(t, s.PutClosing(t.Context(), closing(epoch)))
		}
		ended := closing(8)
		ended.Ended = noon.Add(time.Minute)
		must(t, s.PutClosing(t.Context(), ended))
		got, err := s.Closings(t.Context(), "alpha", 2)
		must(t, err)
		equal(t, "closings", got, []store.Closing{closing(9), ended})
		one, err := s.Closing(t.Context(), "alpha", 8)
		must(t, err)
		equal(t, "closing", one, ended)
		_, err = s.Closing(t.Context(), "alpha", 10)
		is(t, err, store.ErrNotFound)

		chunk := store.Chunk{Fleet: "alpha", Epoch: 7, Index: 2, State: store.Closed, Closed: noon, Anchor: []byte("{}"), Attestations: []byte("many"),
			Attested: 1000, Enrolled: 1024, Opening: []byte("opening"), Absent: []byte("[]"), Error: "the ledger does not answer"}
		bare := store.Chunk{Fleet: "alpha", Epoch: 7, Index: 1, State: store.Missed}
		must(t, s.PutChunk(t.Context(), chunk))
		must(t, s.PutChunk(t.Context(), bare))
		chunk.State, chunk.TxID, chunk.Height, chunk.Error = store.Anchored, "tx", 12, ""
		must(t, s.PutChunk(t.Context(), chunk))
		chunks, err := s.Chunks(t.Context(), "alpha", 7)
		must(t, err)
		equal(t, "chunks", chunks, []store.Chunk{bare, chunk})
		_, err = s.Chunk(t.Context(), "alpha", 7, 3)
		is(t, err, store.ErrNotFound)
	})
}

func TestWhatARowCannotHoldIsRefused(t *testing.T) {
	s := sqliteEnv(t).open(t)
	frameWith := func(change func(*store.Frame)) *store.Batch {
		f := frame("alpha", 1, 7, 1)
		change(&f)
		return &store.Batch{Frames: []store.Frame{f}}
	}
	for name, b := range map[string]*store.Batch{
		"no fleet":       frameWith(func(f *store.Frame) { f.Fleet = "" }),
		"fleet too long": frameWith(func(f *store.Frame) { f.Fleet = strings.Repeat("x", store.MaxFleet+1) }),
		"fleet with NUL": frameWith(func(f *store.Frame) { f.Fleet = "a\x00b" }),
		"epoch":          frameWith(func(f *store.Frame) { f.Epoch = math.MaxInt64 + 1 }),
		"sequence":       frameWith(func(f *store.Frame) { f.Sequence = math.MaxUint64 }),
		"payload":        frameWith(func(f *store.Frame) { f.Payload = make([]byte, store.MaxBody+1) }),
		"through":        {Progress: []store.Progress{{Through: math.MaxUint64}}},
		"snapshot":       {Snapshots: []store.Snapshot{{}}},
		"report":         {Reports: []store.Report{{Fleet: "alpha", Epoch: math.MaxUint64}}},
		"stranger":       {Quarantine: []store.Quarantined{{Payload: make([]byte, store.MaxBody+1)}}},
		"quarantined":    {Quarantine: []store.Quarantined{{Epoch: math.MaxUint64}}},
	} {
		if err := s.Commit(t.Context(), b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Readings: math.MaxUint64}); err == nil {
		t.Error("a closing with too many readings: no error")
	}
	must(t, s.Commit(t.Context(), &store.Batch{}))
}
