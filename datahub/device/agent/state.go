package agent

import "github.com/assay-net/assay/datahub/telemetry/frame"

// State keeps what an agent must know after a restart. Its methods are called one at a time.
type State interface {
	// Load returns what was kept; the zero Kept if nothing was.
	Load() (Kept, error)
	// Keep replaces offer, attestation and report, and returns once a loss of power does not undo it.
	Keep(Kept) error
	// Append adds a frame, or replaces the one of the same sequence.
	Append(sequence uint64, frame []byte) error
	// Acknowledge forgets the frames up to a sequence. It may be above all that were appended: numbering goes on after it.
	Acknowledge(through uint64) error
}

// Kept is what an agent knew.
type Kept struct {
	// Offer is the offer that was taken, nil before the first.
	Offer *frame.Offer
	// Attestation is the device's last, and Report the report that it went with.
	Attestation, Report []byte
	// Next is the sequence of the next frame, 0 if it is not known. Frames were not acknowledged, in order.
	Next   uint64
	Frames [][]byte
}

// inMemory keeps nothing beyond the process.
type inMemory struct{}

func (inMemory) Load() (Kept, error)         { return Kept{}, nil }
func (inMemory) Keep(Kept) error             { return nil }
func (inMemory) Append(uint64, []byte) error { return nil }
func (inMemory) Acknowledge(uint64) error    { return nil }
