package store

import (
	"time"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// Rows without a secret are the driver's.
type (
	// FrameID names a frame by its device and sequence.
	FrameID = driver.FrameID
	// Progress is how far a device's frames are stored. It never goes back.
	Progress = driver.Progress
	// Seen is when a device was heard of. It never goes back.
	Seen = driver.Seen
	// Device is a device that the owner knows.
	Device = driver.Device
	// DeviceState is how far an enrolment is.
	DeviceState = driver.DeviceState
	// ChunkState is how far a chunk's epoch is.
	ChunkState = driver.ChunkState
	// Closing is an epoch of a fleet on its way.
	Closing = driver.Closing
	// Filter chooses quarantined frames.
	Filter = driver.Filter
	// Pruned is how many rows were deleted, and how many that are old were kept.
	Pruned = driver.Pruned
)

// The states of an enrolment.
const (
	Offered  DeviceState = "offered"
	Accepted DeviceState = "accepted"
	Enrolled DeviceState = "enrolled"
	Retired              = driver.Retired
)

// The states of a chunk's epoch.
const (
	Closed   ChunkState = "closed"   // what is anchored is fixed
	Anchored ChunkState = "anchored" // it is on the ledger
	Missed   ChunkState = "missed"   // nobody reported, or the time for anchors passed; Error says which
)

// Frame is an accepted frame of a device.
type Frame struct {
	Fleet    string
	Device   commit.DeviceID
	Epoch    uint64 // in which it was received
	Sequence uint64
	Received time.Time // to the microsecond
	Kind     uint8
	Readings uint32 // how many readings it holds
	// Late says that it holds readings of an epoch that was closed already.
	Late bool
	// Payload is the signed frame as the device made it. It is sealed on its way to the driver.
	Payload []byte
	// Shredded says of a frame that was read that its key is destroyed: Payload is nil.
	Shredded bool
}

// Snapshot is a device's state of derivation after the frames up to Sequence. Sealed.
type Snapshot struct {
	Fleet    string
	Device   commit.DeviceID
	Epoch    uint64
	Sequence uint64
	State    []byte
	// Shredded says of one that was read that its key is destroyed: State is nil.
	Shredded bool
}

// Quarantined is a frame that was not accepted.
type Quarantined struct {
	ID       string // set by the store: sortable by when it was stored, unique
	Fleet    string // empty where it is not known
	Device   commit.DeviceID
	Subject  string
	Epoch    uint64
	Received time.Time
	// Reason is a code such as "signature", Detail a sentence without secrets.
	Reason, Detail string
	Size           int
	// Payload is what arrived, cut off at the size that frames may have. Sealed. Plain says that it is the frame, and not the message
	// that the frame came in.
	Payload []byte
	Plain   bool
	// Acknowledged says that its sender was told that it is dealt with, and does not keep it. It is never dropped to make room.
	Acknowledged bool
	// Replay says that an operator wants it tried again.
	Replay bool
	// Shredded says of one that was read that its key is destroyed: Payload is nil.
	Shredded bool
}

// Report is a device's own record of an epoch, or one it was proposed and attested to.
type Report struct {
	Fleet       string
	Device      commit.DeviceID
	Chunk, Slot uint32
	Epoch       uint64
	Sequence    uint64
	Received    time.Time
	// Record is the record in eight lanes, big endian. Sealed.
	Record []byte
	// Attestation hides the record, and is stored as it is.
	Attestation []byte
	// Own says that the device computed the record itself; Flags say how it disagrees with what its readings give.
	Own   bool
	Flags []string
	// Shredded says of one that was read that its key is destroyed: Record is nil.
	Shredded bool
}

// Chunk is a chunk at the end of an epoch.
type Chunk struct {
	Fleet  string
	Epoch  uint64
	Index  uint32
	State  ChunkState
	Closed time.Time
	// Anchor is the ledger call, as JSON; Attestations travel beside it.
	Anchor       []byte
	Attestations []byte
	Attested     uint32
	Enrolled     uint32
	// Opening is what the anchor commits to. Sealed.
	Opening []byte
	// Absent says why devices are missing. Sealed: it may quote a value.
	Absent []byte
	// TxID and Height are the anchor's on the ledger, Error the last failure.
	TxID   string
	Height uint64
	Error  string
	// Shredded says of one that was read that its key is destroyed: Opening and Absent are nil.
	Shredded bool
}

// DataKey is the key of a fleet's period.
type DataKey struct {
	Fleet    string
	Period   uint64
	First    uint64 // epoch
	Last     uint64 // epoch
	Created  time.Time
	Shredded time.Time // zero while it is readable
}

// Count is what was received for a fleet in an epoch.
type Count = driver.Count
