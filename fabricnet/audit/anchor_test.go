package audit

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func TestAttestations(t *testing.T) {
	c := populated(t, consensusRaft)
	for name, test := range map[string]struct {
		source  func(context.Context, commit.Digest) ([]byte, error)
		without bool
		want    []string
	}{
		"none":              {nil, true, []string{}},
		"missing":           {func(context.Context, commit.Digest) ([]byte, error) { return nil, errors.New("gone") }, true, []string{}},
		"others":            {func(context.Context, commit.Digest) ([]byte, error) { return []byte{0, 1, 7}, nil }, true, []string{}},
		"garbage":           {func(context.Context, commit.Digest) ([]byte, error) { return []byte{0}, nil }, true, []string{}},
		"none and wanted":   {nil, false, []string{"10 attestations"}},
		"others and wanted": {func(context.Context, commit.Digest) ([]byte, error) { return []byte{0, 1, 7}, nil }, false, []string{"10 attestations"}},
	} {
		config := c.config()
		config.Attestations, config.WithoutAttestations = test.source, test.without
		r, err := Run(t.Context(), config, c.encoded())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, failures(r)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s%v", name, diff, r.Findings)
		}
		if r.AttestationsRequired == test.without || len(r.Unchecked) != 1 || r.Counts.AnchorsUnchecked != 1 || r.Counts.Anchors != 0 || r.Unchecked[0].Fleet != fleetID {
			t.Errorf("%s: %+v", name, r.Unchecked)
		}
	}
}

// Without its attestations an anchor is still held to its form.
func TestAnchorForm(t *testing.T) {
	for name, change := range map[string]func(*ledger.Anchor){
		"enrolled": func(a *ledger.Anchor) { a.Enrolled-- },
		"retired":  func(a *ledger.Anchor) { a.Retired++ },
		"class":    func(a *ledger.Anchor) { a.Classes[0]++ },
		"bitmap":   func(a *ledger.Anchor) { a.Bitmap[0] ^= 1 },
		"attested": func(a *ledger.Anchor) { a.Attested-- },
		"time":     func(a *ledger.Anchor) { a.Time++ },
	} {
		c, p := anchorProposal(t)
		p.public(func(s *kvrwset.KVRWSet) {
			a, err := ledger.Decode[ledger.Anchor]("anchor", s.Writes[0].Value, ledger.MaxAnchor)
			if err != nil {
				t.Fatal(err)
			}
			change(a)
			s.Writes[0].Value, p.response.Payload = ledger.Encode(a), ledger.Encode(a)
		})
		c.order(p, valid)
		c.cut()
		clear(c.kept)
		if got := failures(c.auditWith(func(config *Config) { config.WithoutAttestations = true })); len(got) != 1 || !strings.HasSuffix(got[0], " replay") {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, change := range map[string]func(*ledger.AnchorChunk){
		"bitmap":     func(a *ledger.AnchorChunk) { a.Bitmap[7] |= 0x80 }, // nobody's slot
		"commitment": func(a *ledger.AnchorChunk) { a.Commitment[5] ^= 1 },
		"late":       func(a *ledger.AnchorChunk) { a.Epoch -= 2 },
	} {
		c, p := anchorProposal(t)
		a, err := ledger.Decode[ledger.AnchorChunk]("arguments", p.args[2], ledger.MaxArgs)
		if err != nil {
			t.Fatal(err)
		}
		change(a)
		p.args[2] = ledger.Encode(a)
		c.order(p, valid)
		c.cut()
		clear(c.kept)
		if got := failures(c.auditWith(func(config *Config) { config.WithoutAttestations = true })); len(got) != 1 || !strings.HasSuffix(got[0], " replay") {
			t.Errorf("arguments: %s: %v", name, got)
		}
	}
}

// anchorProposal takes a populated channel back to before its anchor, and proposes it again.
func anchorProposal(t *testing.T) (*channel, *proposal) {
	c := founded(t)
	c.submit(contracttest.Regulator, ledger.FnPublishKey, contracttest.SRSKey(c.srs), nil)
	maker := contracttest.NewMaker("maker-1")
	c.submit(contracttest.Regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}, nil)
	c.submit(contracttest.Operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: fleetID, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}, nil)
	c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 100}, nil)
	devices := maker.Devices("s", 5)
	c.submit(contracttest.Operator, ledger.FnEnrol, contracttest.Enrolment(c.id, fleetID, 0, 0, devices), nil)
	for _, epoch := range []uint64{101, 102} {
		c.now += c.genesis.EpochSeconds
		c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: epoch}, nil)
	}
	place := commit.ChunkPlace{Ledger: c.id, SRS: c.srs.Digest(), Fleet: fleetID, Size: contracttest.ChunkSize, Epoch: 101}
	var list [][]byte
	for i, d := range devices {
		list = append(list, contracttest.Attest(c.srs, place, uint32(i), d))
	}
	return c, c.call(contracttest.Operator, ledger.FnAnchor, contracttest.Anchor(place, list), ledger.JoinAttestations(list))
}
