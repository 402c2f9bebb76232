package commit_test

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

func TestPossessions(t *testing.T) {
	ledger := commit.Digest{1}
	var devices []commit.SlotKey
	var signatures [][]byte
	for slot, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256, commit.Ed25519} {
		d := committest.NewDevice(algorithm)
		s, err := commit.SignPossession(ledger, "fleet-a", 3, uint32(slot), d.Key)
		if err != nil {
			t.Fatal(err)
		}
		devices, signatures = append(devices, commit.SlotKey{Slot: uint32(slot), Key: d.Public}), append(signatures, s)
	}
	if err := commit.CheckPossessions(ledger, "fleet-a", 3, devices, signatures); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		ledger     commit.Digest
		fleet      string
		chunk      uint32
		signatures [][]byte
		reason     string
	}{
		"another ledger": {commit.Digest{2}, "fleet-a", 3, signatures, "slot 0"},
		"another fleet":  {ledger, "fleet-b", 3, signatures, "slot 0"},
		"another chunk":  {ledger, "fleet-a", 4, signatures, "slot 0"},
		"one missing":    {ledger, "fleet-a", 3, signatures[:2], "2 signatures for 3 devices"},
		"P-256 swapped":  {ledger, "fleet-a", 3, [][]byte{signatures[0], signatures[0], signatures[2]}, "slot 1"},
		"one empty":      {ledger, "fleet-a", 3, [][]byte{signatures[0], signatures[1], nil}, "slot 2"},
	} {
		t.Run(name, func(t *testing.T) {
			err := commit.CheckPossessions(test.ledger, test.fleet, test.chunk, devices, test.signatures)
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v, want %q", err, test.reason)
			}
		})
	}
}
