package localnet

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

// emptyNetwork has folders for logs and records.
func emptyNetwork(t *testing.T) layout {
	t.Helper()
	l := layout(t.TempDir())
	for _, dir := range []string{"logs", "run"} {
		if err := os.Mkdir(l.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func script(l layout, text string, ready func(context.Context) error) *program {
	return &program{name: "script", role: RolePeer, dir: string(l), command: []string{"sh", "-c", text}, ready: ready}
}

func TestStartAndStop(t *testing.T) {
	l := emptyNetwork(t)
	written := func(context.Context) error { _, err := os.Stat(l.path("ready")); return err }
	p := script(l, `echo "$SETTING"; touch ready; exec sleep 60`, written)
	p.environment = []string{"SETTING=as it was set"}
	if err := p.start(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(context.Background(), l, p.name) }) //nolint:errcheck // normally stopped below
	if err := p.await(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if log := tail(l.log(p.name)); !p.runs(l) || !strings.Contains(log, "as it was set") {
		t.Errorf("runs: %t, log: %s", p.runs(l), log)
	}
	if err := stop(t.Context(), l, p.name); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.run(p.name)); p.runs(l) || err == nil {
		t.Error("it runs or is recorded after it was stopped")
	}
	if err := stop(t.Context(), l, p.name); err != nil {
		t.Errorf("stopping it again: %v", err)
	}
}

// TestStubborn is killed where it does not listen.
func TestStubborn(t *testing.T) {
	l := emptyNetwork(t)
	p := script(l, `trap "" TERM; mkfifo pipe; touch ready; while :; do read -r nothing < pipe; done`, func(context.Context) error { _, err := os.Stat(l.path("ready")); return err })
	if err := p.start(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if err := p.await(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := stop(impatient, l, p.name); err != nil || p.runs(l) {
		t.Errorf("stopping it: %v; it runs: %t", err, p.runs(l))
	}
}

// TestEndsAtOnce shows the log of a process that does not come up.
func TestEndsAtOnce(t *testing.T) {
	l := emptyNetwork(t)
	p := script(l, "echo no such ledger >&2; exit 3", func(context.Context) error { return errors.New("not yet") })
	if err := p.start(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	err := p.await(t.Context(), l)
	if err == nil || !strings.Contains(err.Error(), "no such ledger") || !strings.Contains(err.Error(), "script ended") {
		t.Errorf("got %v", err)
	}
}

func TestWaitingIsCancelled(t *testing.T) {
	l := emptyNetwork(t)
	p := script(l, "exec sleep 60", func(context.Context) error { return errors.New("not yet") })
	if err := p.start(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	defer stop(context.Background(), l, p.name) //nolint:errcheck // the test's end
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.await(ctx, l); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
