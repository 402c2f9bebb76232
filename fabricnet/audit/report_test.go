package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// signable is a genesis whose regulator has a key that is known.
func signable(t testing.TB) (*ledger.Genesis, ed25519.PrivateKey) {
	g := contracttest.WithKeys(contracttest.Genesis())
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	org, _ := g.Organisation(contracttest.Regulator)
	if org.Key, err = x509.MarshalPKIXPublicKey(public); err != nil {
		t.Fatal(err)
	}
	return g, private
}

func signed(t testing.TB) (*ledger.Genesis, *Report) {
	g, key := signable(t)
	r := newReport(&Config{Genesis: g, Chaincode: contractName})
	r.Channel, r.Consensus, r.Height = testChannel, consensusBFT, 7
	r.add(Finding{Block: 3, Kind: Configuration, Message: "changed\xff"})
	if err := r.Sign(g, contracttest.Regulator, key, time.Unix(1_800_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	return g, r
}

func TestReport(t *testing.T) {
	g, r := signed(t)
	again, err := ParseReport(r.encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := again.Verify(g, Expected{}); err != nil {
		t.Error(err)
	}
	other, _ := signable(t)
	if err := again.Verify(other, Expected{}); err == nil || !strings.Contains(err.Error(), "ledger") {
		t.Error("another genesis:", err)
	}
	for name, change := range map[string]func(*Report){
		"height":    func(r *Report) { r.Height++ },
		"findings":  func(r *Report) { r.Findings = []Finding{} },
		"time":      func(r *Report) { r.AuditedAt++ },
		"auditor":   func(r *Report) { r.AuditedBy = contracttest.Lender },
		"stranger":  func(r *Report) { r.AuditedBy = "nobody" },
		"signature": func(r *Report) { r.Signature[0] ^= 1 },
		"unsigned":  func(r *Report) { r.Signature = nil },
	} {
		changed, err := ParseReport(r.encode())
		if err != nil {
			t.Fatal(err)
		}
		change(changed)
		if changed.Verify(g, Expected{}) == nil {
			t.Errorf("%s: verifies", name)
		}
	}
}

func TestReportForm(t *testing.T) {
	_, r := signed(t)
	encoded := r.encode()
	for name, b := range map[string][]byte{
		"empty": nil, "not JSON": []byte("x"), "trailing": append(bytes.Clone(encoded), ' '),
		"unknown field": bytes.Replace(encoded, []byte(`"name"`), []byte(`"nom"`), 1),
		"spacing":       bytes.Replace(encoded, []byte("\n "), []byte("\n  "), 1),
		"version":       bytes.Replace(encoded, []byte(Version), []byte("assay-audit/v2"), 1),
		"sound":         bytes.Replace(encoded, []byte(`"sound": true`), []byte(`"sound": false`), 1),
		"failure":       bytes.Replace(encoded, []byte(`"failure": false`), []byte(`"failure": true`), 1),
		"too long":      make([]byte, MaxReport+1),
	} {
		if _, err := ParseReport(b); err == nil {
			t.Errorf("%s: is taken", name)
		}
	}
}

// However many findings there are, the report stays small and names the first failure.
func TestManyFindings(t *testing.T) {
	_, r := signed(t)
	for range maxListed + 10 {
		r.add(Finding{Kind: Endorsement, Message: strings.Repeat("é", maxMessage)})
	}
	r.add(Finding{Block: 9, TxID: strings.Repeat("\xff", 100), Kind: Replay, Failure: true})
	r.add(Finding{Block: 10, Kind: Replay, Failure: true})
	if f := r.Failure(); f == nil || f.Block != 9 || r.Sound || len(r.Findings) > maxListed+1 || r.Counts.Failures != 2 {
		t.Errorf("%+v, %d findings", f, len(r.Findings))
	}
	if n := len(r.encode()); n > MaxReport {
		t.Errorf("%d bytes", n)
	}
	if _, err := ParseReport(r.encode()); err != nil {
		t.Error(err)
	}
}

// Whoever relies on a report says whose it must be, about which channel, and up to where.
func TestExpected(t *testing.T) {
	g, key := signable(t)
	r := newReport(&Config{Genesis: g, Chaincode: contractName})
	r.Height, r.Hash, r.ChannelGenesis = 7, commit.Digest{7}, commit.Digest{1}
	if err := r.Sign(g, contracttest.Regulator, key, time.Unix(1_800_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		want Expected
		says string
	}{
		"nothing":         {Expected{}, ""},
		"all":             {Expected{By: contracttest.Regulator, ChannelGenesis: commit.Digest{1}, Head: commit.Digest{7}, AtLeast: 7}, ""},
		"another auditor": {Expected{By: contracttest.Lender}, "signed by"},
		"another channel": {Expected{ChannelGenesis: commit.Digest{2}}, "genesis block"},
		"another head":    {Expected{Head: commit.Digest{8}}, "ends with block 7"},
		"too short":       {Expected{AtLeast: 8}, "must reach 8"},
	} {
		if err := r.Verify(g, test.want); (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lender, _ := g.Organisation(contracttest.Lender)
	regulator, _ := g.Organisation(contracttest.Regulator)
	lender.Key, regulator.Key = regulator.Key, lender.Key
	r.Ledger = g.ID()
	if err := r.Sign(g, contracttest.Lender, key, time.Unix(1_800_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(g, Expected{}); err == nil || !strings.Contains(err.Error(), "not a regulator") {
		t.Error("signed by a lender:", err)
	}
	if err := r.Verify(g, Expected{By: contracttest.Lender}); err != nil {
		t.Error(err)
	}
}

// A report that would be too long to be read is shortened, and is not signed before that.
func TestLongReport(t *testing.T) {
	if testing.Short() {
		t.Skip("encodes hundreds of megabytes")
	}
	g, key := signable(t)
	r := newReport(&Config{Genesis: g, Chaincode: contractName})
	reasons := slices.Repeat([]string{strings.Repeat("<", maxReason)}, 16)
	for range maxRequests {
		r.Requests = append(r.Requests, Request{Decided: &DecisionStep{Reasons: reasons[:2]}})
	}
	r.Findings = slices.Repeat([]Finding{{Kind: Endorsement}}, maxListed)
	r.add(Finding{Block: 9, Kind: Replay, Failure: true})
	if err := r.Sign(g, contracttest.Regulator, key, time.Unix(1_800_000_000, 0)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
	r.fit()
	if err := r.Sign(g, contracttest.Regulator, key, time.Unix(1_800_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseReport(b); err != nil || again.Failure() == nil || again.Failure().Block != 9 || len(again.Requests) == 0 {
		t.Error(err)
	}
}
