package embedded

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/zk/commit"
)

func TestFromMakerToTrustExport(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	_, root := n.anchored()
	if _, receipt, err := n.book(operator).PublishPolicy(ctx, contracttest.PermissivePolicy()); err != nil || receipt.Height != 9 {
		t.Fatalf("%+v, %v", receipt, err)
	}
	n.done(n.book(operator).Grant(ctx, contracttest.Terms(fleetID)))
	s := contracttest.Statement(fleetID, 11, 1, n.genesis.EpochStart(20))
	id, _, err := n.book(lender).Request(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	n.done(n.book(operator).Decide(ctx, ledger.Decide{Request: id, Approve: true, Reasons: []string{"granted"}}))
	if _, _, err := n.book(operator).SubmitProof(ctx, id, []byte("no bundle")); ledger.CodeOf(err) != ledger.Invalid {
		t.Errorf("a bundle of garbage: %v", err)
	}
	entry := ok[ledger.RequestEntry](t)(n.book(regulator).RequestEntry(ctx, id))
	if entry.Status != ledger.StatusApproved || entry.Decision.Reasons[0] != "granted" {
		t.Errorf("request is %+v", entry)
	}
	facts := ok[ledger.FactsEntry](t)(n.book(lender).Facts(ctx, fleetID, 11))
	if c := facts.Facts.Chunks[0]; !facts.Final || c.Height != 8 || c.Attested != 12 || c.Root != root {
		t.Errorf("facts are %+v", facts)
	}
	n.done(n.book(lender).Settle(ctx, ledger.EpochRef{Fleet: fleetID, Epoch: 11}))
	trust := n.trust(ledger.EpochRef{Fleet: fleetID, Epoch: 11})
	again := ok[*ledger.Trust](t)(ledger.ParseTrust(trust.Marshal()))
	if again.Height != 13 || again.Ledger != n.ID() || len(again.Keys) != 1 {
		t.Errorf("trust export is %+v", again)
	}
	if diff := cmp.Diff(facts.Facts, again.Facts[0]); diff != "" {
		t.Error(diff)
	}
	n.queriesAgree()
	report := ok[Report](t)(n.Verify())
	if report.Height != 13 || report.Transactions != 13 || report.Signatures != 13*6 || report.Head != trust.BlockHash {
		t.Errorf("report is %+v", report)
	}
}

func (n *network) trust(of ...ledger.EpochRef) *ledger.Trust {
	n.t.Helper()
	key, err := n.Signer(regulator)
	if err != nil {
		n.t.Fatal(err)
	}
	return ok[*ledger.Trust](n.t)(n.book(regulator).ExportTrust(context.Background(), regulator, key, time.Unix(n.clock.Load(), 0), of...))
}

// queriesAgree asks what the other tests do not.
func (n *network) queriesAgree() {
	n.t.Helper()
	ctx, b := context.Background(), n.book(rival)
	if g := ok[ledger.Genesis](n.t)(b.Genesis(ctx)); g.ID() != n.ID() {
		n.t.Error("another genesis")
	}
	if o := ok[[]ledger.Organisation](n.t)(b.Organisations(ctx)); len(o) != 4 {
		n.t.Errorf("organisations are %+v", o)
	}
	if e := ok[ledger.EpochInfo](n.t)(b.Epoch(ctx)); e.Epoch != 12 {
		n.t.Errorf("epoch is %+v", e)
	}
	if f := ok[[]ledger.Fleet](n.t)(b.Fleets(ctx)); len(f) != 1 {
		n.t.Errorf("fleets are %+v", f)
	}
	if c := ok[[]ledger.ChunkEntry](n.t)(b.Chunks(ctx, fleetID)); len(c) != 1 || *c[0].Anchored != 11 {
		n.t.Errorf("chunks are %+v", c)
	}
	if s := ok[[]ledger.SlotEntry](n.t)(b.Slots(ctx, fleetID, 0)); len(s) != 12 {
		n.t.Errorf("slots are %+v", s)
	}
	if a := ok[[]ledger.AnchorEntry](n.t)(b.Anchors(ctx, fleetID, 11)); len(a) != 1 {
		n.t.Errorf("anchors are %+v", a)
	}
	if m := ok[[]ledger.Maker](n.t)(b.Makers(ctx)); len(m) != 1 {
		n.t.Errorf("makers are %+v", m)
	}
	if r := ok[[]ledger.RequestEntry](n.t)(b.Requests(ctx)); len(r) != 1 {
		n.t.Errorf("requests are %+v", r)
	}
}

func TestTrustExportWaitsForTheEpochToBeClosed(t *testing.T) {
	n := newNetwork(t)
	n.enrolled()
	n.opened(12, time.Hour)
	key := ok[any](t)(n.Signer(regulator)).(orgkey.Key)
	_, err := n.book(regulator).ExportTrust(context.Background(), regulator, key, time.Now(), ledger.EpochRef{Fleet: fleetID, Epoch: 11})
	if ledger.CodeOf(err) != ledger.Expired {
		t.Errorf("exported while anchors may come: %v", err)
	}
	n.at(13, 0)
	n.done(n.book(lender).Settle(context.Background(), ledger.EpochRef{Fleet: fleetID, Epoch: 11}))
	if f := n.trust(ledger.EpochRef{Fleet: fleetID, Epoch: 11}).Facts[0]; f.Enrolled != 12 || f.Attested() != 0 {
		t.Errorf("facts are %+v", f)
	}
	if _, err := n.book(lender).ExportTrust(context.Background(), lender, key, time.Now()); err == nil {
		t.Error("a lender's export is signed")
	}
}

func TestEndorsedOnlyByOwnerAndLenderIsRefused(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	d := n.enrolled()
	n.opened(12, time.Hour)
	attestations := n.attested(11, d)
	a := contracttest.Anchor(n.place(11), attestations)
	for _, endorsers := range [][]string{{operator, lender}, {operator, regulator}, {lender, rival}, {regulator}, {operator}, {regulator, rival}, {operator, rival, regulator}} {
		if _, err := n.endorsedBy(operator, endorsers...).Anchor(ctx, a, attestations); ledger.CodeOf(err) != ledger.NotEndorsed {
			t.Errorf("anchor endorsed by %v: %v", endorsers, err)
		}
	}
	maker := ledger.RegisterMaker{ID: "maker-b", Name: "B", Certificate: contracttest.NewMaker("maker-b").Cert.Raw}
	for _, endorsers := range [][]string{{operator, lender}, {regulator, operator}, {regulator, rival}, {regulator, operator, rival}} {
		if _, err := n.endorsedBy(regulator, endorsers...).RegisterMaker(ctx, maker); ledger.CodeOf(err) != ledger.NotEndorsed {
			t.Errorf("maker endorsed by %v: %v", endorsers, err)
		}
	}
	receipt, err := n.endorsedBy(operator, regulator, lender).Anchor(ctx, a, attestations)
	if err != nil || receipt.Height != 8 {
		t.Errorf("anchor endorsed by regulator and lender: %+v, %v", receipt, err)
	}
	if _, err := n.endorsedBy(regulator, regulator, lender).RegisterMaker(ctx, maker); err != nil {
		t.Error(err)
	}
	// Who was not asked to endorse for good keeps nothing of it; the refused attempts were checked and kept.
	if _, err := n.Attestations(regulator, a.Root); err != nil {
		t.Error(err)
	}
}

func TestAttestationsAreWithTheEndorsersAndNotOnTheLedger(t *testing.T) {
	n := newNetwork(t)
	attestations, root := n.anchored()
	for _, org := range []string{operator, rival, lender, regulator} {
		kept, err := n.Attestations(org, root)
		if diff := cmp.Diff(attestations, kept); err != nil || diff != "" {
			t.Errorf("%s keeps something else: %v %s", org, err, diff)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(databasePath(n.dir))
	if err != nil {
		t.Fatal(err)
	}
	for i, encoded := range attestations {
		a, err := commit.ParseAttestation(encoded)
		if err != nil {
			t.Fatal(err)
		}
		c := a.C.Bytes()
		for name, part := range map[string][]byte{"attestation": encoded, "commitment": c[:], "proof": a.Proof.Bytes()[:32], "signature": a.Signature} {
			if bytes.Contains(file, part) || bytes.Contains(file, bytes.Trim(ledger.Encode(part), `"`)) {
				t.Errorf("%s of slot %d is in the ledger's file", name, i)
			}
		}
	}
}

func TestKeptAttestationsAreCheckedWhenRead(t *testing.T) {
	n := newNetwork(t)
	attestations, root := n.anchored()
	store := attestationsOf(n.dir, regulator)
	if err := os.WriteFile(filepath.Join(store.Dir, root.String()), ledger.JoinAttestations(attestations[1:]), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Attestations(regulator, root); err == nil {
		t.Error("attestations of another root are given out")
	}
	if err := store.Keep(n.place(11), root, ledger.JoinAttestations(attestations)); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Attestations(regulator, root); err != nil {
		t.Errorf("a damaged file was not replaced: %v", err)
	}
	for _, c := range []struct{ org, text string }{{"nobody", "organisation"}, {regulator, "keeps no"}} {
		if _, err := n.Attestations(c.org, commit.Digest{1}); ledger.CodeOf(err) != ledger.NotFound {
			t.Errorf("%s: %v", c.org, err)
		}
	}
}

func TestEvents(t *testing.T) {
	n := newNetwork(t)
	n.enrolled()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := n.book(lender)
	var names []string
	for e, err := range client.Events(ctx, 0, 5) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name)
	}
	want := []string{ledger.EventMakerRegistered, ledger.EventKeyPublished, ledger.EventFleetRegistered, ledger.EventEpochOpened, ledger.EventEnrolled}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	got := make(chan ledger.Event)
	go func() {
		defer close(got)
		for e, err := range client.Events(ctx, 6, 0) {
			if err != nil {
				return
			}
			got <- e
		}
	}()
	n.done(n.book(rival).RegisterFleet(ctx, fleetArgs("fleet-b")))
	if e := <-got; e.Height != 6 || e.Name != ledger.EventFleetRegistered || e.Payload.Fleet != "fleet-b" || e.Payload.Organisation != rival {
		t.Errorf("event is %+v", e)
	}
	cancel()
	if _, more := <-got; more {
		t.Error("an event came after the end")
	}
}

func TestLocate(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	receipt := ok[ledger.Receipt](t)(n.book(operator).RegisterFleet(ctx, fleetArgs(fleetID)))
	if h, err := n.book(lender).Locate(ctx, receipt.TxID); err != nil || h != receipt.Height || h != 1 {
		t.Errorf("located at %d, %v", h, err)
	}
	if _, err := n.book(lender).Locate(ctx, "x"); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("an unknown transaction: %v", err)
	}
	if len(receipt.Endorsers) != 4 || len(receipt.Result) == 0 {
		t.Errorf("receipt is %+v", receipt)
	}
}
