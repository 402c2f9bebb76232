package agent

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// start opens a device's directory and runs its agent, as a process does when it starts.
func start(t *testing.T, path string, maker *device.Maker, o Options) (*running, *device.Device, func()) {
	t.Helper()
	directory, err := OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	d, files, err := directory.Device(maker, config("B/1"))
	if err != nil {
		t.Fatal(err)
	}
	o.State = files
	r := run(t, d, o)
	return r, d, func() {
		r.stop()
		if err := files.Close(); err != nil {
			t.Error(err)
		}
		if err := directory.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRestartedAgentGoesOn(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	path, maker := t.TempDir(), newMaker(t)
	r, d, stop := start(t, path, maker, options(b, n))
	r.publish(t, 1, 100)
	r.drain(t)
	n.set(func(n *node) { n.silent = true })
	r.publish(t, 101, 40)
	stop()

	// It starts while the node does not answer: it takes no readings before it knows where numbering goes on.
	r, again, stop := start(t, path, nil, options(b, n))
	if again.ID() != d.ID() {
		t.Fatal("the device changed its key")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Publish(ctx, []telemetry.Reading{{TimeMicros: 99}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("publishing before the node answered gives %v", err)
	}
	stop()

	n.set(func(n *node) { n.silent = false })
	r, _, stop = start(t, path, nil, options(b, n))
	r.publish(t, 141, 110)
	r.drain(t)
	arrived(t, n, d.ID(), 250)
	stop()
	n.with(d.ID(), func(s *seated) {
		if s.gaps != 0 {
			t.Errorf("%d gaps", s.gaps)
		}
	})
}

// Acknowledgements were lost before the restart: nothing is doubled after it.
func TestRestartAfterLostAcknowledgements(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	path := t.TempDir()
	r, d, stop := start(t, path, newMaker(t), options(b, n))
	r.publish(t, 1, 10)
	r.drain(t)
	n.set(func(n *node) { n.swallow = func(*frame.Ack) bool { return true } })
	r.publish(t, 11, 30)
	eventually(t, "the frames arrive", func() (all bool) {
		n.with(d.ID(), func(s *seated) { all = len(s.times) == 40 })
		return all
	})
	stop()
	n.set(func(n *node) { n.swallow = nil })
	r, _, stop = start(t, path, nil, options(b, n))
	r.publish(t, 41, 10)
	r.drain(t)
	arrived(t, n, d.ID(), 50)
	stop()
}

// Someone put an old copy of the state back: numbers that the node has are not used again.
func TestOldCopyOfTheState(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	path, old := t.TempDir(), filepath.Join(t.TempDir(), "old")
	r, d, stop := start(t, path, newMaker(t), options(b, n))
	r.publish(t, 1, 10)
	r.drain(t)
	stop()
	if err := os.CopyFS(old, os.DirFS(path)); err != nil {
		t.Fatal(err)
	}
	restrict(t, old)
	r, _, stop = start(t, path, nil, options(b, n))
	r.publish(t, 11, 20)
	r.drain(t)
	stop()
	r, _, stop = start(t, old, nil, options(b, n))
	r.publish(t, 31, 10)
	r.drain(t)
	stop()
	arrived(t, n, d.ID(), 40)
}

// restrict sets the modes that a copy lost.
func restrict(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryIsForOneProcess(t *testing.T) {
	path := t.TempDir()
	first, err := OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDirectory(path); err == nil {
		t.Error("opened twice")
	}
	if _, files, err := first.Device(newMaker(t), config("B-1")); err != nil {
		t.Fatal(err)
	} else if err := files.Close(); err != nil {
		t.Error(err)
	}
	if serials, err := first.Serials(); err != nil || len(serials) != 1 || serials[0] != "B-1" {
		t.Errorf("serials %q, %v", serials, err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	second, err := OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close() //nolint:errcheck // a test's
	err = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Base(path) == "lock" {
			return err
		}
		return checkMode(path)
	})
	if err != nil {
		t.Error(err)
	}
	if err := os.Chmod(filepath.Join(path, "device-B-1", keyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := second.Device(nil, config("B-1")); err == nil {
		t.Error("a key that everyone may read is used")
	}
	if _, _, err := second.Device(nil, config("B-2")); err == nil {
		t.Error("a device without a maker was made")
	}
}

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
