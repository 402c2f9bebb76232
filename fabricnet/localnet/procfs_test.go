package localnet

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const statTail = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 1 18 99 20 21"

func TestParseStat(t *testing.T) {
	for _, c := range []struct {
		name, text string
		start      uint64
		dead, bad  bool
	}{
		{name: "sleeping", text: "77 (peer) S" + statTail, start: 99},
		{name: "a command with spaces and parentheses", text: "77 (a) Z 1 (b c) R" + statTail, start: 99},
		{name: "zombie", text: "77 (peer) Z" + statTail, start: 99, dead: true},
		{name: "zombie with threads", text: "77 (peer) Z" + strings.Replace(statTail, "16 1 18", "16 3 18", 1), start: 99},
		{name: "dead", text: "77 (peer) X" + statTail, start: 99, dead: true},
		{name: "no name", text: "77 peer S" + statTail, bad: true},
		{name: "short", text: "77 (peer) S 1 2 3", bad: true},
		{name: "not a number", text: "77 (peer) S" + strings.Replace(statTail, "99", "x", 1), bad: true},
		{name: "empty", bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			start, dead, err := parseStat([]byte(c.text))
			if start != c.start || dead != c.dead || (err != nil) != c.bad {
				t.Errorf("got %d, %t, %v", start, dead, err)
			}
		})
	}
}

// TestIdentity: a process is known as long as it runs, and nothing else is taken for it.
func TestIdentity(t *testing.T) {
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	id, err := identify(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if !id.runs() || memory(id.PID) == 0 {
		t.Error("a running process is not seen")
	}
	for name, other := range map[string]identity{
		"started at another time": {PID: id.PID, Start: id.Start + 1, Boot: id.Boot},
		"of another boot":         {PID: id.PID, Start: id.Start, Boot: "other"},
	} {
		if other.runs() {
			t.Errorf("a process %s is taken for it", name)
		}
		if err := other.signal(syscall.SIGKILL); err != nil {
			t.Errorf("a process %s: %v", name, err)
		}
	}
	if !id.runs() {
		t.Fatal("a signal for another process reached it")
	}
	if err := id.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Wait() //nolint:errcheck // it was killed
	if id.runs() {
		t.Error("it is gone and still seen")
	}
	if err := id.signal(os.Kill); err != nil {
		t.Errorf("signalling one that is gone: %v", err)
	}
}
