package driver

import (
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// Identity is what is fixed when a database is made.
type Identity struct {
	// ID is random: it tells a database from every other, and is kept by its backups.
	ID string
	// EpochsPerKey is how many epochs share a data key.
	EpochsPerKey uint64
	// Canary is a wrapped key that tells the key store that the database was made with from others; nil before there is any key.
	Canary []byte
}

// KeyUse names a data key that something is sealed under: the row that must be there, not doomed, when it is written.
type KeyUse struct {
	Fleet   string
	Period  uint64
	Wrapped []byte
}

// Batch is what is written together.
type Batch struct {
	Frames     []Frame
	Progress   []Progress
	Seen       []Seen
	Snapshots  []Snapshot
	Quarantine []Quarantined
	Reports    []Report
	// Keys are those that the rows are sealed under.
	Keys []KeyUse
	// QuarantinePerDevice and QuarantineTotal bound the quarantined rows that were not acknowledged; the oldest are dropped.
	QuarantinePerDevice, QuarantineTotal int
}

// Frame is a frame whose payload is sealed.
type Frame struct {
	Fleet    string
	Device   commit.DeviceID
	Epoch    uint64
	Sequence uint64
	Received time.Time
	Kind     uint8
	Readings uint32
	Late     bool
	Sealed   []byte
}

// FrameID names a frame.
type FrameID struct {
	Device   commit.DeviceID
	Sequence uint64
}

// Progress is how far a device's frames are stored.
type Progress struct {
	Device  commit.DeviceID
	Through uint64
}

// Seen is when a device was heard of.
type Seen struct {
	Device commit.DeviceID
	At     time.Time
}

// Snapshot is a snapshot whose state is sealed.
type Snapshot struct {
	Fleet    string
	Device   commit.DeviceID
	Epoch    uint64
	Sequence uint64
	Sealed   []byte
}

// Quarantined is a quarantined frame whose payload is sealed.
type Quarantined struct {
	ID             string
	Fleet          string
	Device         commit.DeviceID
	Subject        string
	Epoch          uint64
	Received       time.Time
	Reason, Detail string
	Size           int
	Sealed         []byte
	Replay         bool
	// Acknowledged says that the row is not to be dropped to make room, Plain what kind of payload is sealed.
	Acknowledged, Plain bool
}

// Filter chooses quarantined rows: those that meet each condition that is set.
type Filter struct {
	// IDs names rows; empty but not nil it chooses none.
	IDs    []string
	Fleet  string
	Device *commit.DeviceID
	Reason string
	// Marked chooses those that are to be tried again.
	Marked bool
	// After chooses those with larger IDs, so that a list can be read in parts. Limit is how many are listed at most; 0 is 100.
	After string
	Limit int
}

// Report is a report whose record is sealed.
type Report struct {
	Fleet       string
	Device      commit.DeviceID
	Chunk, Slot uint32
	Epoch       uint64
	Sequence    uint64
	Received    time.Time
	Sealed      []byte
	Attestation []byte
	Own         bool
	Flags       []string
}

// Device is a device that the owner knows.
type Device struct {
	ID          commit.DeviceID
	Fleet       string
	Chunk, Slot uint32
	Certificate []byte
	// Generation counts enrolments of the device; its secrets are derived with it.
	Generation uint32
	State      DeviceState
	// Possession is the device's signature over its seat, once it accepted it.
	Possession []byte
	// From and Until are the ledger's, 0 where not known.
	From, Until uint64
	Offered     time.Time
	// LastSeen and Through follow what is committed: writing a device does not change them.
	LastSeen time.Time
	Through  uint64
}

// DeviceState is how far an enrolment is.
type DeviceState string

// Retired is the state of a device that has left its seat, which another may take then.
const Retired DeviceState = "retired"

// ChunkState is how far a chunk's epoch is.
type ChunkState string

// Chunk is a chunk whose opening and absences are sealed.
type Chunk struct {
	Fleet         string
	Epoch         uint64
	Index         uint32
	State         ChunkState
	Closed        time.Time
	Anchor        []byte
	Attestations  []byte
	Attested      uint32
	Enrolled      uint32
	SealedOpening []byte
	SealedAbsent  []byte
	TxID          string
	Height        uint64
	Error         string
	// Key is what opening and absences are sealed under; nil if there are none. It is not stored.
	Key *KeyUse
}

// Closing is an epoch of a fleet on its way.
type Closing struct {
	Fleet   string
	Epoch   uint64
	Started time.Time
	Ended   time.Time // zero while it goes on
	Chunks  uint32
	// Readings and Frames were received in the epoch, Late among them.
	Readings, Frames, Late uint64
}

// Key is a data key, wrapped.
type Key struct {
	Fleet       string
	Period      uint64
	First, Last uint64 // epochs
	Created     time.Time
	// Doomed says that it is being destroyed, or is.
	Doomed bool
	// Shredded is when it was destroyed.
	Shredded time.Time
	// Wrapped is nil once it was destroyed.
	Wrapped []byte
}

// Count is what was received for a fleet in an epoch.
type Count struct{ Frames, Readings, Late uint64 }

// Pruned is how many rows were deleted, and how many were old enough and kept, since a device's derivation goes on from them.
type Pruned struct {
	Frames, Snapshots, Quarantined uint64
	KeptFrames, KeptSnapshots      uint64
}
