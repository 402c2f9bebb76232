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
	const until = 9
	var possessions []commit.Possession
	for slot, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256, commit.Ed25519} {
		d := committest.NewDevice(algorithm)
		s, err := commit.SignPossession(ledger, "fleet-a", 3, uint32(slot), until, d.Key)
		if err != nil {
			t.Fatal(err)
		}
		devices, possessions = append(devices, commit.SlotKey{Slot: uint32(slot), Key: d.Public}), append(possessions, commit.Possession{Until: until, Signature: s})
	}
	if err := commit.CheckPossessions(ledger, "fleet-a", 3, devices, possessions); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		ledger      commit.Digest
		fleet       string
		chunk       uint32
		possessions []commit.Possession
		reason      string
	}{
		"another ledger": {commit.Digest{2}, "fleet-a", 3, possessions, "slot 0"},
		"another fleet":  {ledger, "fleet-b", 3, possessions, "slot 0"},
		"another chunk":  {ledger, "fleet-a", 4, possessions, "slot 0"},
		"one missing":    {ledger, "fleet-a", 3, possessions[:2], "2 possessions for 3 devices"},
		"P-256 swapped":  {ledger, "fleet-a", 3, []commit.Possession{possessions[0], possessions[0], possessions[2]}, "slot 1"},
		"one empty":      {ledger, "fleet-a", 3, []commit.Possession{possessions[0], possessions[1], {Until: until}}, "slot 2"},
		"put off":        {ledger, "fleet-a", 3, []commit.Possession{possessions[0], {until + 1, possessions[1].Signature}, possessions[2]}, "slot 1"},
	} {
		t.Run(name, func(t *testing.T) {
			err := commit.CheckPossessions(test.ledger, test.fleet, test.chunk, devices, test.possessions)
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v, want %q", err, test.reason)
			}
		})
	}
}
