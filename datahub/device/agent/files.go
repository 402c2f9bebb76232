package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// The files of a device.
const (
	keyFile         = "key.pem"
	certificateFile = "certificate.pem"
	keptFile        = "kept.cbor"
	journalFile     = "frames.log"

	maxKept     = 16 << 10
	keptVersion = 1
)

// Files is a State in a directory, which belongs to one device.
type Files struct {
	dir     string
	journal *journal
}

// wireKept is Kept without the frames, as a CBOR array.
type wireKept struct {
	_                             struct{} `cbor:",toarray"`
	Version                       uint64
	Ledger, SRS                   []byte
	Fleet                         string
	Chunk, Size, Slot, Generation uint32
	Secret, Transport             []byte
	EpochZero, EpochSeconds       int64
	Attestation, Report           []byte
}

// OpenFiles opens the state in a directory that exists.
func OpenFiles(dir string) (*Files, error) {
	j, err := openJournal(filepath.Join(dir, journalFile))
	if err != nil {
		return nil, fmt.Errorf("opening a device's state: %w", err)
	}
	return &Files{dir, j}, nil
}

// Close closes the files.
func (f *Files) Close() error { return f.journal.file.Close() }

// Load implements State.
func (f *Files) Load() (Kept, error) {
	k, err := readKept(filepath.Join(f.dir, keptFile))
	if err != nil {
		return Kept{}, err
	}
	f.journal.fill(&k)
	return k, nil
}

// fill adds what the journal holds.
func (j *journal) fill(k *Kept) {
	k.Next = j.after
	for _, h := range j.live {
		k.Frames = append(k.Frames, h.plain)
	}
}

// Keep implements State.
func (f *Files) Keep(k Kept) error {
	if k.Offer == nil {
		return errors.New("keeping a state without a seat")
	}
	o := k.Offer
	b, err := cbor.Marshal(wireKept{
		Version: keptVersion, Ledger: o.Ledger[:], SRS: o.SRS[:], Fleet: o.Fleet, Chunk: o.Chunk, Size: o.Size, Slot: o.Slot, Generation: o.Generation,
		Secret: o.Secret[:], Transport: o.Transport[:], EpochZero: o.EpochZero, EpochSeconds: o.EpochSeconds,
		Attestation: k.Attestation, Report: k.Report,
	})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(f.dir, keptFile), b)
}

// Append implements State.
func (f *Files) Append(sequence uint64, plain []byte) error { return f.journal.append(sequence, plain) }

// Acknowledge implements State.
func (f *Files) Acknowledge(through uint64) error { return f.journal.acknowledge(through) }

func readKept(path string) (Kept, error) {
	if err := checkMode(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return Kept{}, nil
		}
		return Kept{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return Kept{}, err
	}
	defer file.Close() //nolint:errcheck // it is only read
	b, err := io.ReadAll(io.LimitReader(file, maxKept+1))
	if err != nil {
		return Kept{}, err
	}
	k, err := parseKept(b)
	if err != nil {
		return Kept{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

func parseKept(b []byte) (Kept, error) {
	if len(b) > maxKept {
		return Kept{}, fmt.Errorf("more than %d bytes", maxKept)
	}
	var w wireKept
	if err := cbor.Unmarshal(b, &w); err != nil {
		return Kept{}, err
	}
	if w.Version != keptVersion {
		return Kept{}, fmt.Errorf("version %d is not %d", w.Version, keptVersion)
	}
	for _, field := range [][]byte{w.Ledger, w.SRS, w.Secret, w.Transport} {
		if len(field) != 32 {
			return Kept{}, fmt.Errorf("a digest or key has %d bytes, must have 32", len(field))
		}
	}
	if w.EpochSeconds < 1 {
		return Kept{}, fmt.Errorf("epoch of %d s", w.EpochSeconds)
	}
	k := Kept{Attestation: nonEmpty(w.Attestation), Report: nonEmpty(w.Report), Offer: &frame.Offer{
		Ledger: commit.Digest(w.Ledger), SRS: commit.Digest(w.SRS), Fleet: w.Fleet, Chunk: w.Chunk, Size: w.Size, Slot: w.Slot, Generation: w.Generation,
		Secret: commit.Secret(w.Secret), Transport: frame.TransportKey(w.Transport), EpochZero: w.EpochZero, EpochSeconds: w.EpochSeconds,
	}}
	return k, nil
}

func nonEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}
