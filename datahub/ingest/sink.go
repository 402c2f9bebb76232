package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// ErrTryAgain says that a Sink cannot answer now, and that it is not the frame's fault. The frame is dropped without an
// acknowledgement, and so are those that follow it: the device sends them again.
var ErrTryAgain = errors.New("not now, try again")

// Known is a device that has a seat.
type Known struct {
	ID    commit.DeviceID
	Fleet string
	// Key is what its frames are signed with, Transport what they are sealed under.
	Key       commit.PublicKey
	Transport frame.TransportKey
	// Through is how far its frames are stored. It is read when the pipeline first meets the device; from then on the
	// pipeline counts itself.
	Through uint64
}

// Registry says who may speak. It is asked for every connection and for every device of a batch, from several goroutines, so
// it answers from memory.
type Registry interface {
	// Allow says whether a device with this certificate may connect: nil, or why not. That the device holds the
	// certificate's key was proven by TLS. It need not have a seat.
	Allow(ctx context.Context, certificate *commit.DeviceCertificate) error
	// Lookup finds a device that has a seat.
	Lookup(id commit.DeviceID) (Known, bool)
}

// Upload is a frame whose envelope, signature, sequence, content and clock were checked.
type Upload struct {
	Known    Known
	Frame    *frame.Frame
	Decoded  *telemetry.Decoded // what a frame of readings or meterings holds, nil for other kinds
	Received time.Time
	// Epoch is the one in which it was received.
	Epoch uint64
	// Replay says that it comes out of the quarantine. It may then be older than frames that were taken already.
	Replay bool
}

// Applied is what a Sink found out about an upload.
type Applied struct {
	// Late says that it holds readings of an epoch that was closed already.
	Late bool
}

// Greeting is a hello whose signature was checked.
type Greeting struct {
	Device      commit.DeviceID
	Certificate *commit.DeviceCertificate
	Hello       *frame.Hello
	// Through is how far the device's frames are stored: every frame that it sent before the hello has been dealt with.
	// It is 0 for a device without a seat.
	Through uint64
}

// Answer is what a Sink answers a greeting with.
type Answer struct {
	// Down is published to the device as it is; nil for nothing.
	Down []byte
	// Err says why there is no answer. It is logged and counted, and the device asks again in time.
	Err error
}

// Sink is what the pipeline feeds. Apply, Accept, Report and Complete are called by one goroutine, for each device in
// order of sequence, and for a batch before it is committed: what they keep in memory must be derivable from what the store
// has, since a process that ends between them and the commit sees the same frames again.
//
// An error that wraps ErrTryAgain or keys.ErrUnavailable drops the frame for now. Any other puts the frame into the quarantine with
// reason "refused" and acknowledges it. Its text is stored with the frame and must hold no reading.
type Sink interface {
	// Greet answers hellos, in their order. It may be called at the same time as the other methods.
	Greet(ctx context.Context, greetings []Greeting) []Answer
	// Apply takes readings or meterings.
	Apply(ctx context.Context, upload *Upload) (Applied, error)
	// Accept takes a device's acceptance of its seat.
	Accept(ctx context.Context, upload *Upload, accept *frame.Accept) error
	// Report takes a device's record of an epoch, and returns the row to store, nil for none.
	Report(ctx context.Context, upload *Upload, report *frame.Report) (*store.Report, error)
	// Complete is called once for each batch, after its last frame was applied, with the devices that had one taken. It adds
	// what is to be committed together with the frames, such as snapshots of the devices' derivations.
	Complete(ctx context.Context, batch *store.Batch, devices []commit.DeviceID) error
	// Heard says that these devices were heard from, after their frames were committed. It must not block.
	Heard(devices []commit.DeviceID, epoch uint64)
}

// Store is what the pipeline needs of a *store.Store.
type Store interface {
	Commit(ctx context.Context, batch *store.Batch) error
	Digest(payload []byte) commit.Digest
	FrameDigests(ctx context.Context, ids []store.FrameID) (map[store.FrameID]commit.Digest, error)
	QuarantineList(ctx context.Context, filter store.Filter) ([]store.Quarantined, error)
	QuarantineDelete(ctx context.Context, ids []string) (int, error)
	QuarantineRoom(ctx context.Context) (*store.Room, error)
}

// Decoder reads the payload of a frame of readings or meterings. It is pure: it is called for several frames at a time, in any order, and
// for frames that turn out to be duplicates. A panic in it is caught, and puts the frame into the quarantine.
type Decoder func(known *Known, f *frame.Frame) (*telemetry.Decoded, error)
