package systemtest

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
)

// exports are the organisations of a network as exporters of evidence, and what somebody outside it has to trust: two digests.
type exports struct {
	ledger, channel commit.Digest
	by              map[string]*evidence.Exporter
	owner           string
}

func newExports(t *testing.T, n *networktest.Network) *exports {
	t.Helper()
	x := &exports{by: map[string]*evidence.Exporter{}}
	for org, path := range n.Profiles {
		p, err := profile.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		client := open(t, gateway.Options{Profile: p})
		key, err := orgkey.Read(p.OrganisationKey)
		if err != nil {
			t.Fatal(err)
		}
		block, err := os.ReadFile(p.ChannelGenesis)
		if err != nil {
			t.Fatal(err)
		}
		if x.channel, err = audit.ChannelGenesis(block); err != nil {
			t.Fatal(err)
		}
		g := genesisOf(t, map[string]*profile.Profile{org: p})
		x.ledger = g.ID()
		if g.HasRole(org, ledger.RoleOwner) {
			x.owner = org
		}
		x.by[org] = &evidence.Exporter{
			Book: client.Book(), Blocks: audit.Blocks{Genesis: g, ChannelGenesis: x.channel, Chaincode: p.Chaincode}, Organisation: org, Key: key,
		}
	}
	return x
}

// verify does what anybody does with a file: nothing is at hand but the ledger's id and the hash of the channel's first block.
func (x *exports) verify(t *testing.T, file []byte, ledgerID, channel commit.Digest) *evidence.Report {
	t.Helper()
	e, err := evidence.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Verify(e, evidence.Options{Ledger: ledgerID, Blocks: audit.Blocks{Genesis: &e.Genesis, ChannelGenesis: channel, Chaincode: profile.DefaultChaincode}})
}

// showsEvidence makes files of evidence of what a network has on its channel, and forges them.
func showsEvidence(t *testing.T, n *networktest.Network) {
	x := newExports(t, n)
	verified, err := x.by[x.owner].Book.RequestsOf(t.Context(), ledger.RequestsQuery{Status: ledger.StatusVerified})
	if err != nil || len(verified) < 2 {
		t.Fatalf("%d requests are verified, %v", len(verified), err)
	}
	t.Run("of an answer", func(t *testing.T) { x.ofAnAnswer(t, verified[0].ID) })
	t.Run("of every request", x.ofEveryRequest)
	t.Run("forged", func(t *testing.T) { x.forged(t, verified[0].ID, verified[1].ID) })
	t.Run("not signed by a member", func(t *testing.T) { x.unsigned(t, verified[0].ID) })
}

// ofAnAnswer has every organisation export the same answer.
func (x *exports) ofAnAnswer(t *testing.T, id commit.Digest) {
	for org, exporter := range x.by {
		file, err := exporter.Evidence(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		r := x.verify(t, file, x.ledger, x.channel)
		if !r.Sound || r.Verdict == nil || r.Status != ledger.StatusVerified || r.ExportedBy != org || r.Request != id {
			t.Fatalf("%s: %+v", org, r)
		}
		shown, assumed := map[string]bool{}, []string{}
		for _, l := range r.Lines {
			if shown[l.Subject] = shown[l.Subject] || l.Kind == evidence.Shown; l.Kind == evidence.Assumed {
				assumed = append(assumed, l.Subject)
			}
		}
		for _, subject := range []string{"ledger", "file", "blocks", "request", "grant", "policy", "decision", "proving", "facts", "proof"} {
			if !shown[subject] {
				t.Errorf("%s: nothing is shown of %s: %v", org, subject, r.Lines)
			}
		}
		// That nothing was left out, that a peer found the transactions valid, and who made the keys.
		if slices.Sort(assumed); !slices.Equal(assumed, []string{"blocks", "proof", "request"}) {
			t.Errorf("%s: assumed is %v: %v", org, assumed, r.Lines)
		}
		if r := x.verify(t, file, x.ledger, commit.Digest{}); !r.Sound || !strings.Contains(fmt.Sprint(r.Lines), x.channel.String()) {
			t.Errorf("%s: the channel's first block is not named to compare: %v", org, r.Lines)
		}
		if r := x.verify(t, file, x.ledger, commit.Digest{1}); r.Sound {
			t.Errorf("%s: sound on another channel", org)
		}
		if r := x.verify(t, file, commit.Digest{1}, x.channel); r.Sound {
			t.Errorf("%s: sound on another ledger", org)
		}
	}
}

// ofEveryRequest finds nothing wrong with what the contract did, whatever it was.
func (x *exports) ofEveryRequest(t *testing.T) {
	began, exporter := time.Now(), x.by[x.owner]
	all, err := exporter.Book.Requests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[ledger.Status]int{}
	for i := range all {
		e, err := exporter.Collect(t.Context(), all[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		found[e.Request.Status]++
		if r := evidence.Verify(e, evidence.Options{Ledger: x.ledger, Blocks: exporter.Blocks}); !r.Sound {
			t.Errorf("%s request %s: %v", e.Request.Status, e.Request.ID, r.Faults())
		}
	}
	t.Logf("%v in %s", found, time.Since(began).Round(time.Millisecond))
	for _, s := range []ledger.Status{ledger.StatusVerified, ledger.StatusRefused, ledger.StatusFailed, ledger.StatusWithdrawn, ledger.StatusApproved} {
		if found[s] == 0 {
			t.Errorf("no request is %s", s)
		}
	}
}

// forged has the owner change what it hands over, and sign that.
func (x *exports) forged(t *testing.T, id, another commit.Digest) {
	owner := x.by[x.owner]
	collect := func(id commit.Digest) *evidence.Evidence {
		e, err := owner.Collect(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	other := collect(another)
	for name, test := range map[string]struct {
		forge         func(*testing.T, *evidence.Evidence)
		subject, text string
	}{
		"the bundle of another answer": {func(_ *testing.T, e *evidence.Evidence) { e.Bundle = other.Bundle }, "proof", "other arguments"},
		"another answer": {func(_ *testing.T, e *evidence.Evidence) {
			e.Bundle, e.Request.Verdict, e.Transactions, e.Blocks = other.Bundle, other.Request.Verdict, other.Transactions, other.Blocks
		}, "proof", "other arguments"},
		"the decision's block is left out": {func(t *testing.T, e *evidence.Evidence) {
			at := heightOf(t, e, e.Request.Decision.TxID)
			e.Blocks = slices.DeleteFunc(e.Blocks, func(b evidence.Block) bool { return b.Height == at })
		}, "decision", "no block"},
		"the decision's place is left out": {func(_ *testing.T, e *evidence.Evidence) {
			e.Transactions = slices.DeleteFunc(e.Transactions, func(at evidence.Transaction) bool { return at.TxID == e.Request.Decision.TxID })
		}, "decision", "no block"},
		"a policy that allows more":      {func(_ *testing.T, e *evidence.Evidence) { e.Policies[0].Text = append(e.Policies[0].Text, '\n') }, "policy", "digest"},
		"the genesis of another channel": {func(t *testing.T, e *evidence.Evidence) { e.Blocks[0].Data = foreignGenesis(t) }, "blocks", "block 0"},
		"a transaction that had no effect": {func(t *testing.T, e *evidence.Evidence) {
			changed(t, e, e.Request.Verdict.TxID, func(b *common.Block) {
				codes := b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
				for i := range codes {
					codes[i] = byte(peer.TxValidationCode_MVCC_READ_CONFLICT)
				}
			})
		}, "blocks", "had no effect"},
		"a transaction that was changed": {func(t *testing.T, e *evidence.Evidence) {
			changed(t, e, e.Request.Verdict.TxID, func(b *common.Block) { b.Data.Data[0][len(b.Data.Data[0])/2] ^= 1 })
		}, "blocks", "hash"},
		"a transaction that was changed, and its hash": {func(t *testing.T, e *evidence.Evidence) {
			changed(t, e, e.Request.Verdict.TxID, func(b *common.Block) {
				b.Data.Data[0][len(b.Data.Data[0])/2] ^= 1
				b.Header.DataHash[0] ^= 1
			})
		}, "blocks", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := collect(id)
			test.forge(t, e)
			file, err := owner.Signed(e)
			if err != nil {
				t.Fatal(err)
			}
			r := x.verify(t, file, x.ledger, x.channel)
			if r.Sound || !slices.ContainsFunc(r.Faults(), func(l evidence.Line) bool { return l.Subject == test.subject && strings.Contains(l.Text, test.text) }) {
				t.Errorf("sound is %t: %v", r.Sound, r.Lines)
			}
			if name == "the genesis of another channel" { // nor where nobody pins one: it is not the one that the other blocks rest on
				if r := x.verify(t, file, x.ledger, commit.Digest{}); r.Sound {
					t.Errorf("it is sound without a pin: %v", r.Lines)
				}
			}
		})
	}
}

// unsigned is evidence under a name that its signer does not have.
func (x *exports) unsigned(t *testing.T, id commit.Digest) {
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for org := range x.by {
		e, err := x.by[x.owner].Collect(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		key := x.by[x.owner].Key
		if org == x.owner {
			key = stranger
		}
		if err := e.Sign(org, key, time.Now()); err == nil {
			t.Errorf("%s: somebody else signed", org)
		}
		file, err := e.Marshal() // it keeps the signature
		if err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.Parse(file); err == nil || !strings.Contains(err.Error(), "signature") {
			t.Errorf("%s: somebody else's signature: %v", org, err)
		}
	}
}

func heightOf(t *testing.T, e *evidence.Evidence, txID string) uint64 {
	t.Helper()
	i := slices.IndexFunc(e.Transactions, func(at evidence.Transaction) bool { return at.TxID == txID })
	if i < 0 {
		t.Fatalf("transaction %s is nowhere", txID)
	}
	return e.Transactions[i].Height
}

// changed changes the block that holds a transaction.
func changed(t *testing.T, e *evidence.Evidence, txID string, change func(*common.Block)) {
	t.Helper()
	at := heightOf(t, e, txID)
	i := slices.IndexFunc(e.Blocks, func(b evidence.Block) bool { return b.Height == at })
	b := new(common.Block)
	err := proto.Unmarshal(e.Blocks[i].Data, b)
	if err == nil {
		change(b)
		e.Blocks[i].Data, err = proto.Marshal(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// foreignGenesis is block 0 of a network that is no more.
func foreignGenesis(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "audit", "testdata", "raft.blocks.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	block, err := blockfile.NewReader(z).Next()
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(block)
}
