package agent

import (
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
