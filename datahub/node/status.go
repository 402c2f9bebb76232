package node

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/datahub/store"
)

// Status is what an owner wants to know about a fleet.
type Status struct {
	Fleet   string        `json:"fleet"`
	Devices DeviceCounts  `json:"devices"`
	Epochs  []EpochStatus `json:"epochs"`
}

// DeviceCounts are devices by how far their enrolment is.
type DeviceCounts struct {
	Offered  int `json:"offered"`
	Accepted int `json:"accepted"`
	Enrolled int `json:"enrolled"`
	Retired  int `json:"retired"`
}

// EpochStatus is an epoch of a fleet.
type EpochStatus struct {
	Epoch uint64 `json:"epoch"`
	// State is closing, or closed once every chunk is anchored or missed.
	State    string `json:"state"`
	Chunks   int    `json:"chunks"`
	Anchored int    `json:"anchored"`
	Missed   int    `json:"missed"`
	// Attested and Enrolled count devices. Coverage is their ratio in per cent, with two decimals.
	Attested int    `json:"attested"`
	Enrolled int    `json:"enrolled"`
	Coverage string `json:"coverage"`
	// Frames and Readings were received in the epoch, Late frames hold readings of one that was closed already.
	Frames   uint64 `json:"frames"`
	Readings uint64 `json:"readings"`
	Late     uint64 `json:"late"`
	// Flagged are reports that disagree with the device's readings.
	Flagged int `json:"flagged"`
	// Errors are why chunks were missed.
	Errors []string `json:"errors,omitempty"`
	// Transactions are the anchors', by chunk.
	Transactions map[uint32]string `json:"transactions,omitempty"`
}

// FleetStatus reads a fleet's status from the store, with the last epochs, newest first.
func FleetStatus(ctx context.Context, s *store.Store, fleet string, epochs int) (*Status, error) {
	out := &Status{Fleet: fleet, Epochs: []EpochStatus{}}
	devices, err := s.Devices(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		if d.Fleet == fleet {
			out.Devices.count(d.State)
		}
	}
	closings, err := s.Closings(ctx, fleet, epochs)
	if err != nil {
		return nil, err
	}
	for _, c := range closings {
		e, err := epochStatus(ctx, s, &c)
		if err != nil {
			return nil, err
		}
		out.Epochs = append(out.Epochs, *e)
	}
	return out, nil
}

func (c *DeviceCounts) count(s store.DeviceState) {
	switch s {
	case store.Offered:
		c.Offered++
	case store.Accepted:
		c.Accepted++
	case store.Enrolled:
		c.Enrolled++
	case store.Retired:
		c.Retired++
	}
}

func epochStatus(ctx context.Context, s *store.Store, c *store.Closing) (*EpochStatus, error) {
	e := &EpochStatus{Epoch: c.Epoch, State: "closing", Chunks: int(c.Chunks), Frames: c.Frames, Readings: c.Readings, Late: c.Late, Coverage: "0.00", Transactions: map[uint32]string{}}
	if !c.Ended.IsZero() {
		e.State = "closed"
	}
	chunks, err := s.Chunks(ctx, c.Fleet, c.Epoch)
	if err != nil {
		return nil, err
	}
	for _, k := range chunks {
		e.Attested += int(k.Attested)
		e.Enrolled += int(k.Enrolled)
		switch k.State {
		case store.Anchored:
			e.Anchored++
			e.Transactions[k.Index] = k.TxID
		case store.Missed:
			e.Missed++
			e.Errors = append(e.Errors, fmt.Sprintf("chunk %d: %s", k.Index, k.Error))
		}
	}
	if e.Enrolled > 0 {
		hundredths := 10_000 * e.Attested / e.Enrolled
		e.Coverage = fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
	}
	reports, err := s.Reports(ctx, c.Fleet, c.Epoch)
	for _, r := range reports {
		if len(r.Flags) > 0 {
			e.Flagged++
		}
	}
	return e, err
}
