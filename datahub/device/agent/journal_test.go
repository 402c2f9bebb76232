package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// plainFrame is a frame as the journal takes it. Its signature is not looked at.
func plainFrame(sequence uint64, size int) []byte {
	f := frame.Frame{Sequence: sequence, Oldest: 1, Kind: frame.KindReadings, Payload: make([]byte, size), Signature: make([]byte, 64)}
	return f.Marshal()
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), journalFile)
	j, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(after uint64, sequences ...uint64) {
		t.Helper()
		if j.after != after || len(j.live) != len(sequences) {
			t.Fatalf("next %d with %d frames, want %d with %d", j.after, len(j.live), after, len(sequences))
		}
		for i, q := range sequences {
			if j.live[i].sequence != q {
				t.Errorf("frame %d in place %d, want %d", j.live[i].sequence, i, q)
			}
		}
	}
	reopen := func() {
		t.Helper()
		if err := j.file.Close(); err != nil {
			t.Fatal(err)
		}
		if j, err = openJournal(path); err != nil {
			t.Fatal(err)
		}
	}
	check(0)
	for q := range uint64(5) {
		if err := j.append(q+1, plainFrame(q+1, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.acknowledge(2); err != nil {
		t.Fatal(err)
	}
	if err := j.append(3, plainFrame(3, 99)); err != nil { // replaces
		t.Fatal(err)
	}
	check(6, 3, 4, 5)
	reopen()
	check(6, 3, 4, 5)
	if !bytes.Equal(j.live[0].plain, plainFrame(3, 99)) {
		t.Error("the frame was not replaced")
	}
	// The process ends in the middle of an entry.
	if _, err := j.file.Write(entry(entryFrame, plainFrame(6, 10))[:20]); err != nil {
		t.Fatal(err)
	}
	reopen()
	check(6, 3, 4, 5)
	if err := j.append(6, plainFrame(6, 10)); err != nil {
		t.Fatal(err)
	}
	// It does not grow for ever.
	for q := uint64(7); q < 200; q++ {
		if err := j.append(q, plainFrame(q, 100_000)); err != nil {
			t.Fatal(err)
		}
		if err := j.acknowledge(q - 1); err != nil {
			t.Fatal(err)
		}
	}
	if j.size > 4*rewriteAfter {
		t.Errorf("the journal has %d bytes", j.size)
	}
	check(200, 199)
	reopen()
	check(200, 199)
	if err := j.acknowledge(500); err != nil {
		t.Fatal(err)
	}
	reopen()
	check(501)
}

func FuzzJournal(f *testing.F) {
	f.Add(append(entry(entryFrame, plainFrame(1, 3)), entry(entryAcknowledged, make([]byte, 8))...))
	f.Add(entry(entryAcknowledged, []byte{1})[:9])
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), journalFile)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(path)
		if err != nil {
			return
		}
		defer j.file.Close() //nolint:errcheck // a test's
		if j.size > int64(len(b)) {
			t.Fatalf("%d bytes were read of %d", j.size, len(b))
		}
	})
}

func FuzzKept(f *testing.F) {
	dir := f.TempDir()
	files, err := OpenFiles(dir)
	if err != nil {
		f.Fatal(err)
	}
	o := &frame.Offer{Fleet: "fleet", Size: 64, Secret: commit.NewSecret(), Transport: frame.TransportKey{1}, EpochSeconds: 1}
	if err := files.Keep(Kept{Offer: o, Attestation: []byte{1}}); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, keptFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := parseKept(b); err == nil && k.Offer == nil {
			t.Fatal("no seat")
		}
	})
}
