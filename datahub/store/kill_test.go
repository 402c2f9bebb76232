package store_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/store"
)

// writerVariable makes the test binary a process that writes until it is killed.
const writerVariable = "ASSAY_STORE_TEST_WRITER"

// writerTask is what it is told.
type writerTask struct {
	URL, Keys string
	Identity  reference.Reference
	Epoch     uint64
}

const writerDevices, writerFrames = 5, 7

func writer() int {
	if err := write(context.Background(), os.Getenv(writerVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// write goes on from where the last process ended, and says how far each batch took it once it is acknowledged.
func write(ctx context.Context, text string) error {
	var task writerTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return err
	}
	ks, err := file.Open(ctx, file.Config{Directory: task.Keys, Identity: task.Identity})
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: task.URL}, ks, store.Options{})
	if err != nil {
		return err
	}
	devices, err := s.Devices(ctx)
	if err != nil {
		return err
	}
	for through := devices[0].Through; ; through += writerFrames {
		if err := s.Commit(ctx, writerBatch(task.Epoch, through)); err != nil {
			return err
		}
		fmt.Println(through + writerFrames)
	}
}

// writerBatch takes every device on, with a row of each kind.
func writerBatch(epoch, through uint64) *store.Batch {
	b := &store.Batch{}
	for n := range writerDevices {
		one := frames("alpha", n, epoch, through+1, through+writerFrames)
		b.Frames = append(b.Frames, one.Frames...)
		b.Progress = append(b.Progress, one.Progress...)
		b.Snapshots = append(b.Snapshots, store.Snapshot{Fleet: "alpha", Device: device(n), Epoch: epoch, Sequence: through + writerFrames, State: []byte("state")})
	}
	b.Quarantine = []store.Quarantined{quarantined(1, "clock", fmt.Sprint(through))}
	return b
}

func TestKilledWriterLosesAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	run := func(t *testing.T, e *env) {
		s := e.open(t)
		for n := range writerDevices {
			must(t, s.PutDevices(t.Context(), []store.Device{{ID: device(n), Fleet: "alpha", Slot: uint32(n), State: store.Enrolled}}))
		}
		total := uint64(0)
		for round := range uint64(8) {
			acknowledged := runWriter(t, writerTask{URL: e.url, Keys: e.keyDir, Identity: e.identity, Epoch: round / 2})
			through := checkWritten(t, s)
			if through < acknowledged || through > acknowledged+writerFrames && acknowledged > total {
				t.Fatalf("round %d: acknowledged up to %d, stored up to %d", round, acknowledged, through)
			}
			total = through
		}
		t.Logf("%d batches", total/writerFrames)
	}
	t.Run("sqlite", func(t *testing.T) { run(t, sqliteEnv(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, postgresEnv(t)) })
}

// runWriter lets a process write for a while, kills it, and returns how far it said it was.
func runWriter(t *testing.T, task writerTask) (acknowledged uint64) {
	t.Helper()
	text, err := json.Marshal(task)
	must(t, err)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), writerVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for left := 1 + rand.IntN(30); lines.Scan(); left-- {
		if acknowledged, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return acknowledged
}

// checkWritten checks that the rows of the last batch are all there or none of them, and returns how far the devices are.
func checkWritten(t *testing.T, s *store.Store) (through uint64) {
	t.Helper()
	devices, err := s.Devices(t.Context())
	must(t, err)
	through = devices[0].Through
	for n, d := range devices {
		fs, err := s.Frames(t.Context(), d.ID, 0, 1<<20)
		must(t, err)
		if d.Through != through || uint64(len(fs)) != through {
			t.Fatalf("device %d has %d frames and is through with %d, the first with %d", n, len(fs), d.Through, through)
		}
		for i, f := range fs {
			if f.Sequence != uint64(i+1) || string(f.Payload) != string(frame("alpha", n, f.Epoch, f.Sequence).Payload) {
				t.Fatalf("device %d: frame %d is %d", n, i+1, f.Sequence)
			}
		}
	}
	for one, err := range s.Snapshots(t.Context(), "alpha") {
		must(t, err)
		if one.Sequence != through {
			t.Fatalf("a snapshot is of %d, the frames end with %d", one.Sequence, through)
		}
	}
	checkCounted(t, s, through)
	return through
}

func checkCounted(t *testing.T, s *store.Store, through uint64) {
	t.Helper()
	counted := uint64(0)
	for epoch := range through/70 + 10 { // the epochs of every load
		n, _, _, err := s.Count(t.Context(), "alpha", epoch)
		must(t, err)
		counted += n
	}
	if counted != writerDevices*through {
		t.Fatalf("%d frames counted, %d stored", counted, writerDevices*through)
	}
	qs, err := s.QuarantineList(t.Context(), store.Filter{Limit: 1 << 20})
	must(t, err)
	if last := fmt.Sprint(through - writerFrames); through > 0 && string(qs[len(qs)-1].Payload) != last {
		t.Fatalf("the last quarantined frame is of the batch after %s, not %s", qs[len(qs)-1].Payload, last)
	}
}
