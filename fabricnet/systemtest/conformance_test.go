package systemtest

import (
	"crypto"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/ledgertest"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
)

// TestConformance holds the gateway, the contract service and a real network to what the embedded ledger does.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	keys, err := setup.UnsafeSingleParty("", func(step string) { t.Log(step) })
	if err != nil {
		t.Fatal(err)
	}
	n := networktest.Up(t, "--srs", keys.SRSFile(),
		"--epoch", "10s", "--anchor-window", "9s", "--clock-skew", "2s", "--proposal-age", "2s", "--batch-timeout", "100ms")
	ledgertest.Run(t, conforming(t, n, keys))
	t.Run("evidence", func(t *testing.T) { showsEvidence(t, n) })
}

// conforming is a network as the suite sees it.
func conforming(t *testing.T, n *networktest.Network, keys *setup.Unsafe) ledgertest.Ledger {
	profiles := map[string]*profile.Profile{}
	own := map[string]*gateway.Client{}
	var any string
	for org, path := range n.Profiles {
		p, err := profile.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		profiles[org], own[org], any = p, open(t, gateway.Options{Profile: p}), org
	}
	return ledgertest.Ledger{
		Genesis: genesisOf(t, profiles), SRS: keys.SRS(), Keys: keys, Now: time.Now, Until: waitUntil,
		Client: func(t *testing.T, org string, endorsers ...string) (ledger.Client, error) {
			return openAs(t, profiles[org], endorsers)
		},
		Agree: func(t *testing.T, digest commit.Digest) { agreeAll(t, profiles, digest) },
		Signer: func(t *testing.T, org string) crypto.Signer {
			key, err := orgkey.Read(profiles[org].OrganisationKey)
			if err != nil {
				t.Fatal(err)
			}
			return key
		},
		Attestations: func(t *testing.T, org string, root commit.Digest) ([][]byte, error) {
			return own[org].Attestations(t.Context(), org, root)
		},
		Blocks: func(t *testing.T, from, to uint64, see func([]byte)) {
			for block, err := range own[any].Blocks(t.Context(), from, to) {
				if err != nil {
					t.Fatal(err)
				}
				see(block)
			}
		},
		SameBlock: sameBlock,
	}
}

// sameBlock compares what the orderers sealed: in the rest of the metadata each peer has its own.
func sameBlock(a, b []byte) bool {
	var left, right common.Block
	if proto.Unmarshal(a, &left) != nil || proto.Unmarshal(b, &right) != nil {
		return false
	}
	return proto.Equal(left.GetHeader(), right.GetHeader()) && proto.Equal(left.GetData(), right.GetData())
}

// openAs opens access under a profile, which is nil for a stranger.
func openAs(t *testing.T, p *profile.Profile, endorsers []string) (ledger.Client, error) {
	c, err := gateway.Open(t.Context(), gateway.Options{Profile: p, Endorsers: endorsers})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// agreeAll has every organisation's contract service consent.
func agreeAll(t *testing.T, profiles map[string]*profile.Profile, digest commit.Digest) {
	t.Helper()
	for org, p := range profiles {
		if err := (consent.List{Path: p.Consent}).Add(digest, "a conformance test's"); err != nil {
			t.Fatalf("consent of %s: %v", org, err)
		}
	}
}

func open(t *testing.T, o gateway.Options) *gateway.Client {
	t.Helper()
	c, err := gateway.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func genesisOf(t *testing.T, profiles map[string]*profile.Profile) *ledger.Genesis {
	t.Helper()
	for _, p := range profiles {
		g, err := p.ReadGenesis()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Fatal("the network has no profiles")
	return nil
}

// waitUntil returns at a time of the clock.
func waitUntil(t *testing.T, at time.Time) {
	t.Helper()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}
