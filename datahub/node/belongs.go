package node

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/zk/commit"
)

// ledgerFile holds the id of the ledger that a data folder belongs to.
const ledgerFile = "ledger.id"

const ownFolder = "a node needs a data folder and a store of its own for each ledger"

// checkFolder refuses a data folder that was used with another ledger: closings of that one would count as this one's, and devices as enrolled.
func checkFolder(c *Config, ledger commit.Digest) error {
	at := filepath.Join(c.Data, ledgerFile)
	b, err := durable.ReadFile(at, 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(b)); got != ledger.String() {
		return fmt.Errorf("data: %s says that the folder belongs to ledger %.64q, the configuration leads to ledger %s: %s", at, got, ledger, ownFolder)
	}
	return nil
}

// claimFolder notes which ledger the data folder belongs to.
func claimFolder(c *Config, ledger commit.Digest) error {
	at := filepath.Join(c.Data, ledgerFile)
	err := durable.CreateFile(at, []byte(ledger.String()+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return checkFolder(c, ledger)
	}
	return err
}

// checkSeats is how many devices are looked at until one is found whose agreement is right: one row that was altered is no other ledger.
const checkSeats = 16

// checkStore refuses a store that was filled from another ledger, wherever it is kept. What devices agreed to names the ledger, under their
// signatures; no epoch is closed without a device that has agreed.
func checkStore(stored []store.Device, ledger commit.Digest) error {
	var last error
	looked := 0
	for i := range stored {
		if len(possessionOf(stored[i].Possession).Signature) == 0 {
			continue
		}
		if last = agreedOn(&stored[i], ledger); last == nil {
			return nil
		}
		if looked++; looked == checkSeats {
			break
		}
	}
	if last != nil {
		return fmt.Errorf("store.url: its devices did not agree to their seats on ledger %s: it was filled from another one (%s): %w", ledger, ownFolder, last)
	}
	return nil
}

func agreedOn(d *store.Device, ledger commit.Digest) error {
	certificate, err := commit.ParseDeviceCertificate(d.Certificate)
	if err != nil {
		return fmt.Errorf("device %s: %w", d.ID, err)
	}
	key := []commit.SlotKey{{Slot: d.Slot, Key: certificate.Key}}
	if err := commit.CheckPossessions(ledger, d.Fleet, d.Chunk, key, []commit.Possession{possessionOf(d.Possession)}); err != nil {
		return fmt.Errorf("device %s: %w", d.ID, err)
	}
	return nil
}
