package frame

import (
	"fmt"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

const maxReport = 2 * commit.MaxAttestation

// Report is the payload of a frame of kind KindReport: what a device says its record of an epoch is, with its attestation to
// it. The frame is sealed, so only the owner reads the record.
type Report struct {
	Epoch       uint64
	Record      record.Record
	Attestation []byte
	// Own says that the device computed the record itself, and was not proposed it.
	Own bool
}

type wireReport struct {
	_           struct{} `cbor:",toarray"`
	Version     uint64
	Epoch       uint64
	Record      []uint32
	Attestation []byte
	Own         bool
}

// Marshal encodes the report.
func (r *Report) Marshal() []byte {
	return encode(wireReport{Version: version, Epoch: r.Epoch, Record: r.Record[:], Attestation: r.Attestation, Own: r.Own})
}

// ParseReport decodes a report. It accepts exactly what Marshal writes, of a record that is present and packs, with an
// attestation of 1 to commit.MaxAttestation bytes, which it does not read.
func ParseReport(b []byte) (*Report, error) {
	var w wireReport
	if err := decode("report", b, maxReport, &w); err != nil {
		return nil, err
	}
	if err := checkVersion("report", w.Version); err != nil {
		return nil, err
	}
	rec, err := parseRecord(w.Record)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if len(w.Attestation) == 0 || len(w.Attestation) > commit.MaxAttestation {
		return nil, fmt.Errorf("report: attestation has %d bytes, must have 1 to %d", len(w.Attestation), commit.MaxAttestation)
	}
	return &Report{Epoch: w.Epoch, Record: rec, Attestation: w.Attestation, Own: w.Own}, nil
}

// parseRecord checks the form only: the schema is the reader's. No error shows a lane.
func parseRecord(lanes []uint32) (record.Record, error) {
	if len(lanes) != record.Lanes {
		return record.Record{}, fmt.Errorf("record has %d lanes, must have %d", len(lanes), record.Lanes)
	}
	r := record.Record(lanes)
	if r[record.Presence] != 1 {
		return record.Record{}, fmt.Errorf("record: presence is not 1")
	}
	for i, v := range r {
		if v >= 1<<record.LaneBits {
			return record.Record{}, fmt.Errorf("record: lane %d does not fit %d bits", i, record.LaneBits)
		}
	}
	return r, nil
}
