package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// lossy is a driver that loses answers: it does what it is asked and says that it is not available, or it does not.
type lossy struct {
	driver.Driver
	lose, refuse int
}

func (l *lossy) Commit(ctx context.Context, b *driver.Batch) (int, error) {
	if l.refuse > 0 {
		l.refuse--
		return 0, fmt.Errorf("refused: %w", driver.ErrUnavailable)
	}
	n, err := l.Driver.Commit(ctx, b)
	if l.lose > 0 {
		l.lose--
		return 0, fmt.Errorf("lost: %w", driver.ErrUnavailable)
	}
	return n, err
}

func openLossy(t *testing.T) (*Store, *lossy) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ASSAY_STORE_TEST_IDENTITY", identity.String())
	ks, err := file.Open(t.Context(), file.Config{Directory: filepath.Join(t.TempDir(), "keys"), Create: true,
		Identity: reference.Reference("env:ASSAY_STORE_TEST_IDENTITY")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "store.db")}, ks, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); ks.Close() })
	l := &lossy{Driver: s.driver}
	s.driver = l
	return s, l
}

func TestBatchIsWrittenOnceThoughTheAnswerIsLost(t *testing.T) {
	for name, b := range map[string]*Batch{
		"frames": {Frames: []Frame{{Fleet: "alpha", Epoch: 7, Sequence: 1, Payload: []byte("x")}},
			Quarantine: []Quarantined{{Reason: "clock", Payload: []byte("y")}}},
		"quarantine": {Quarantine: []Quarantined{{Reason: "clock", Payload: []byte("y")}}},
	} {
		for _, fault := range []lossy{{lose: 1}, {refuse: 1}, {lose: 2}, {refuse: 2, lose: 2}} {
			s, l := openLossy(t)
			l.lose, l.refuse = fault.lose, fault.refuse
			again := *b
			attempts := 0
			for err := errors.New("not tried"); err != nil; attempts++ {
				if err = s.Commit(t.Context(), &again); err != nil && !errors.Is(err, ErrUnavailable) {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if attempts != 1+fault.lose+fault.refuse {
				t.Errorf("%s: %d attempts", name, attempts)
			}
			if n, _, _, err := s.Count(t.Context(), "alpha", 7); err != nil || n != uint64(len(b.Frames)) {
				t.Errorf("%s: %d frames, %v", name, n, err)
			}
			if q, err := s.QuarantineList(t.Context(), Filter{}); err != nil || len(q) != 1 {
				t.Errorf("%s: %d quarantined, %v", name, len(q), err)
			}
			copied := *b
			copied.Quarantine = again.Quarantine
			if err := s.Commit(t.Context(), &copied); !errors.Is(err, ErrConflict) {
				t.Errorf("%s: another batch of the same rows: %v", name, err)
			}
		}
	}
}

func TestBatchThatIsOpenIsNotToBeChanged(t *testing.T) {
	s, l := openLossy(t)
	l.refuse = 1
	b := &Batch{Progress: []Progress{{Through: 1}}}
	if err := s.Commit(t.Context(), b); !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	b.Seen = []Seen{{At: time.Now()}}
	if err := s.Commit(t.Context(), b); err == nil {
		t.Error("it was written")
	}
}

func TestContextThatEndsLeavesNothingHalfWritten(t *testing.T) {
	s, _ := openLossy(t)
	b := &Batch{}
	for i := range uint64(3000) {
		b.Frames = append(b.Frames, Frame{Fleet: "alpha", Device: commit.DeviceID{1}, Epoch: 7, Sequence: i + 1, Payload: make([]byte, 400)})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	first := s.Commit(ctx, b)
	if n, _, _, err := s.Count(t.Context(), "alpha", 7); err != nil || n != 0 && n != 3000 {
		t.Fatalf("%d frames after %v, %v", n, first, err)
	}
	if first != nil {
		if err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n, _, _, err := s.Count(t.Context(), "alpha", 7); err != nil || n != 3000 {
		t.Fatalf("%d frames, %v", n, err)
	}
}
