package node

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// until waits for something to become true.
func (w *world) until(what string, condition func() bool) {
	w.t.Helper()
	w.untilWithin(patience, what, condition)
}

func (w *world) untilWithin(patience time.Duration, what string, condition func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// status is the fleet's.
func (w *world) status() *Status {
	return must(FleetStatus(w.t.Context(), w.node.storage.Store, fleetID, 100))(w.t)
}

// closedWith waits for an epoch that was closed with so many devices, and returns it.
func (w *world) closedWith(attested int) EpochStatus {
	w.t.Helper()
	var found EpochStatus
	w.until(fmt.Sprintf("an epoch closed with %d devices", attested), func() bool {
		for _, e := range w.status().Epochs {
			if e.State == "closed" && e.Attested == attested && e.Anchored > 0 {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// anchors are what the ledger has of an epoch.
func (w *world) anchors(epoch uint64) []ledger.AnchorEntry {
	return must(ledger.Book{Client: w.book.Client}.Anchors(w.t.Context(), fleetID, epoch))(w.t)
}

// plaintext looks for bytes in every file of the node's folder but its keys.
func (w *world) plaintext(needle string) (found []string) {
	var walk func(dir string)
	walk = func(dir string) {
		for _, e := range must(os.ReadDir(dir))(w.t) {
			path := dir + "/" + e.Name()
			if e.IsDir() {
				walk(path)
				continue
			}
			if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), needle) {
				found = append(found, path)
			}
		}
	}
	walk(w.dir)
	return found
}
