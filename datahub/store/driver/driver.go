// Package driver is what package store asks of a database. A driver sees rows with sealed bodies, never a plaintext, and keeps its
// promises about durability and uniqueness; what a row means is the store's business.
//
// Drivers are in the packages sqlite and postgres; both pass the conformance tests of package store. What their SQL has in common
// is in package relational.
package driver

import (
	"context"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// Driver is a database. It is safe for concurrent use, and other processes may use the same database at the same time.
//
// Errors wrap one of this package's where they are one of them. A call that fails has changed nothing, but for ErrUnavailable and a
// context that ended, after which a change may or may not be there.
type Driver interface {
	// Identity returns what identifies the database, which is the proposal if nothing was written before. Two processes that propose
	// at once get the same. A proposal has no canary.
	Identity(ctx context.Context, proposal Identity) (Identity, error)
	// SetCanary writes a canary unless there is one, and returns the one that is there then.
	SetCanary(ctx context.Context, canary []byte) ([]byte, error)

	// Commit writes a batch in one transaction that survives a crash of the process and of the machine once Commit returned. It
	// fails with ErrConflict if a frame of the same device and sequence, or a quarantined one of the same ID, is there, and with ErrKey
	// if one of the batch's keys is not there as it was used, or is doomed. A key that is doomed at the same time is doomed before the
	// batch or after it. It returns how many quarantined rows were dropped to stay within the batch's bounds.
	Commit(ctx context.Context, b *Batch) (dropped int, err error)
	// Frames returns up to limit frames of a device with sequences above after, in order.
	Frames(ctx context.Context, device commit.DeviceID, after uint64, limit int) ([]Frame, error)
	// FramesAt returns those frames that are there, in no order.
	FramesAt(ctx context.Context, ids []FrameID) ([]Frame, error)
	// HasQuarantined reports the sealed body of a quarantined row.
	HasQuarantined(ctx context.Context, id string) (sealed []byte, err error)
	// Count returns what was received for a fleet in an epoch, whether or not it was pruned since.
	Count(ctx context.Context, fleet string, epoch uint64) (Count, error)
	// Latest returns the newest epoch of which a fleet has a frame or a closing; known is false if there is none.
	Latest(ctx context.Context, fleet string) (epoch uint64, known bool, err error)
	// Fleets returns the fleets that have keys.
	Fleets(ctx context.Context) ([]string, error)
	// Prune deletes a fleet's frames, snapshots and quarantined rows of the epochs below before, all but each device's newest snapshot
	// and the frames above its sequence, or all frames of a device without one.
	Prune(ctx context.Context, fleet string, before uint64) (Pruned, error)

	// PutDevices writes devices, replacing those that are there, all but Through and LastSeen. ErrConflict says that two devices
	// would have one seat.
	PutDevices(ctx context.Context, devices []Device) error
	// Devices returns every device, by ID.
	Devices(ctx context.Context) ([]Device, error)

	// Snapshots returns up to limit snapshots of a fleet, of devices above after, by device: each device's newest.
	Snapshots(ctx context.Context, fleet string, after commit.DeviceID, limit int) ([]Snapshot, error)
	// Overtaken returns in the same way, without what is sealed, the newest snapshots that are of epochs below before and of devices
	// that have stored frames since.
	Overtaken(ctx context.Context, fleet string, before uint64, after commit.DeviceID, limit int) ([]Snapshot, error)

	// Quarantine lists quarantined rows by ID, MarkQuarantine and DeleteQuarantine change them and say how many they were.
	Quarantine(ctx context.Context, f Filter) ([]Quarantined, error)
	MarkQuarantine(ctx context.Context, f Filter) (int, error)
	DeleteQuarantine(ctx context.Context, ids []string) (int, error)
	// Acknowledged counts the acknowledged ones by device.
	Acknowledged(ctx context.Context) (map[commit.DeviceID]int, error)

	// Reports returns the reports of a fleet's epoch by chunk and slot; chunk limits them to one.
	Reports(ctx context.Context, fleet string, epoch uint64, chunk *uint32) ([]Report, error)

	PutClosing(ctx context.Context, c Closing) error
	// Closings returns up to limit closings of epochs up to through, newest first.
	Closings(ctx context.Context, fleet string, through uint64, limit int) ([]Closing, error)
	// Unended returns the oldest epoch from first to last the closing of which has not ended; there is false if there is none.
	Unended(ctx context.Context, fleet string, first, last uint64) (epoch uint64, there bool, err error)
	// PutChunk fails with ErrKey as Commit does.
	PutChunk(ctx context.Context, c Chunk) error
	// Chunks returns the chunks of a fleet's epoch by index; index limits them to one.
	Chunks(ctx context.Context, fleet string, epoch uint64, index *uint32) ([]Chunk, error)

	// AddKey writes a key unless there is one of that fleet and period, and returns the one that is there then.
	AddKey(ctx context.Context, k Key) (Key, error)
	// Keys returns a fleet's keys by period; period limits them to one.
	Keys(ctx context.Context, fleet string, period *uint64) ([]Key, error)
	// DoomKeys says that a fleet's keys of some periods are about to be destroyed. Dooms changes whenever that was called, to what it
	// never was before.
	DoomKeys(ctx context.Context, fleet string, periods []uint64) error
	Dooms(ctx context.Context) (string, error)
	// ShredKey says that a key is destroyed, deletes its wrapped form and notes the time.
	ShredKey(ctx context.Context, fleet string, period uint64, at time.Time) error

	// Check says whether the database answers.
	Check(ctx context.Context) error
	Close() error
}
