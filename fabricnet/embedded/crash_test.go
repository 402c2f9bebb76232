package embedded

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
)

const crashDir = "ASSAY_TEST_CRASH_DIR"

// TestMain makes the test binary a process that registers fleets until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		registerForEver(dir)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// registerForEver prints the id of each transaction once it is acknowledged.
func registerForEver(dir string) {
	l, err := Open(dir, Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := l.Book(operator)
	if err != nil {
		fmt.Println(err)
		return
	}
	var wait sync.WaitGroup
	for caller := range 3 {
		wait.Go(func() {
			for i := 0; ; i++ {
				receipt, err := b.RegisterFleet(context.Background(), fleetArgs(fmt.Sprintf("fleet-%d-%d-%d", os.Getpid(), caller, i)))
				if err != nil {
					fmt.Println(err)
					return
				}
				fmt.Println("acknowledged", receipt.TxID)
			}
		})
	}
	wait.Wait()
}

func TestKill9LosesNothingAcknowledged(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	dir := t.TempDir()
	l := ok[*Ledger](t)(Create(dir, contracttest.Genesis(), Options{}))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for round := range 4 {
		acknowledged = append(acknowledged, killAfter(t, dir, 7+13*round)...)
		l := ok[*Ledger](t)(Open(dir, Options{}))
		b := ok[*Client](t)(l.Client(lender))
		for _, id := range acknowledged {
			if _, err := b.Locate(context.Background(), id); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if r, err := l.Verify(); err != nil || r.Transactions < uint64(len(acknowledged)) {
			t.Errorf("round %d: %+v, %v", round, r, err)
		}
		l.Close()
	}
}

// killAfter starts a process and kills it without warning when it has printed so many lines. It returns all that were printed.
func killAfter(t *testing.T, dir string, lines int) []string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		id, acknowledged := strings.CutPrefix(scanner.Text(), "acknowledged ")
		if !acknowledged {
			child.Process.Kill()
			t.Fatal(scanner.Text())
		}
		if ids = append(ids, id); len(ids) == lines {
			if err := child.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	child.Wait() //nolint:errcheck // it was killed
	if len(ids) < lines {
		t.Fatalf("the process ended after %d lines", len(ids))
	}
	return ids
}
