package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark/logger"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

const devices = 12

// anchored enrols devices in epoch 10 and anchors what they attest to for epoch 11.
func (w *world) anchored() *datahub.Closed {
	w.t.Helper()
	ctx, own := w.t.Context(), w.maker.Devices("pack", devices)
	must(w.book(operator).Enrol(ctx, contracttest.Enrolment(w.ledger.ID(), fleetID, 0, 0, own)))(w.t)
	w.at(11, 0)
	must(w.book(regulator).OpenEpoch(ctx))(w.t)
	w.at(12, time.Hour)
	must(w.book(regulator).OpenEpoch(ctx))(w.t)
	place := commit.ChunkPlace{Ledger: w.ledger.ID(), SRS: w.srs.Digest(), Fleet: fleetID, Size: contracttest.ChunkSize, Epoch: 11}
	var members []datahub.Member
	var reports []datahub.Report
	for i, d := range own {
		members = append(members, datahub.Member{Slot: uint32(i), Key: d.Public, Secret: d.Secret})
		reports = append(reports, datahub.Report{Slot: uint32(i), Record: committest.Record(i), Attestation: contracttest.Attest(w.srs, place, uint32(i), d)})
	}
	schema := must(record.Lookup(contracttest.Schema))(w.t)
	closed := must(datahub.CloseChunk(w.srs, schema, place, members, reports))(w.t)
	must((&datahub.Owner{Book: w.book(operator)}).Anchor(ctx, closed))(w.t)
	return closed
}

// A fleet's coverage is what its devices attested to.
func TestCoverage(t *testing.T) {
	w := newWorld(t)
	must(w.book(regulator).PublishKey(t.Context(), contracttest.SRSKey(w.srs)))(t)
	w.anchored()
	n := w.node(lender, nil)
	for name, in := range map[string]*assayv1.GetCoverageRequest{
		"the last epoch that is over": {Fleet: fleetID},
		"by its number":               {Fleet: fleetID, Epoch: new(uint64(11))},
	} {
		c := must(n.fleets().GetCoverage(w.call(), in))(t).GetCoverage()
		if c.GetEpoch() != 11 || c.GetEnrolled() != devices || c.GetAttested() != devices || c.GetPercent() != "100.00" || c.GetChunks() != 1 || c.GetMissingChunks() != 0 ||
			!c.GetFinal() || c.GetKeyClasses()["gateway"] != 2 || c.GetEpochEnd().AsTime() != contracttestEnd(11) {
			t.Errorf("%s: %v", name, c)
		}
	}
	_, err := n.fleets().GetCoverage(w.call(), &assayv1.GetCoverageRequest{Fleet: fleetID, Epoch: new(uint64(13))})
	refused(t, err, codes.FailedPrecondition, string(ledger.Expired), "")
	_, err = n.fleets().GetFleet(w.call(), &assayv1.GetFleetRequest{Fleet: "fleet-z"})
	refused(t, err, codes.NotFound, string(ledger.NotFound), "fleet-z")
	f := must(n.fleets().GetFleet(w.call(), &assayv1.GetFleetRequest{Fleet: fleetID}))(t).GetFleet()
	if f.GetOwner() != operator || f.GetChunkSize() != contracttest.ChunkSize {
		t.Errorf("fleet is %v", f)
	}
}

func contracttestEnd(epoch uint64) time.Time {
	g := contracttest.Genesis()
	return g.EpochEnd(epoch)
}

// proven has a request that was answered with a proof.
func proven(t *testing.T) (w *world, id commit.Digest, bundle []byte) {
	t.Helper()
	if testing.Short() {
		t.Skip("proves")
	}
	logger.Disable()
	keys := must(setup.UnsafeSingleParty(must(setup.DefaultDir())(t), func(step string) { t.Log(step) }))(t)
	w = newWorldOn(t, keys.SRS())
	for _, k := range must(keys.Published(contracttest.ChunkSize))(t) {
		must(w.book(regulator).PublishKey(t.Context(), k))(t)
	}
	closed := w.anchored()
	w.granted()
	id = w.asked(1)
	must(w.book(operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{}}))(t)
	if err := w.book(operator).StartProof(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	o := &datahub.Owner{Book: w.book(operator), Keys: keys}
	bundle = must(o.Prove(t.Context(), id, func(context.Context, *verify.ChunkFacts) (*zk.Chunk, error) { return &closed.Chunk, nil }, nil))(t)
	if _, _, err := w.book(operator).SubmitProof(t.Context(), id, bundle); err != nil {
		t.Fatal(err)
	}
	return w, id, bundle
}

type evidence []byte

func (e evidence) Evidence(context.Context, commit.Digest) ([]byte, error) { return e, nil }

// The lender reads the verdict, downloads the bundle and has it verified; the regulator sees what was released.
func TestProofIsReadDownloadedAndVerified(t *testing.T) {
	w, id, bundle := proven(t)
	n := w.node(lender, nil)
	s := w.watching(n, id.String())
	s.until(assayv1.RequestStatus_REQUEST_STATUS_VERIFIED)
	s.ended()
	p := must(n.proofs().GetProof(w.call(), &assayv1.GetProofRequest{Request: id.String()}))(t).GetProof()
	v := p.GetVerdict()
	sum := sha256.Sum256(bundle)
	if p.GetBundle() != hex.EncodeToString(sum[:]) || !v.GetHolds() || v.GetAttested() != devices || v.GetStatementDigest() != id.String() || !v.GetUnsafe() ||
		len(v.GetClaims()) != 1 || v.GetDisclosed()[0].GetName() != "population" || v.GetDisclosed()[0].GetValue() != "12" {
		t.Errorf("proof is %v", p)
	}
	stream := must(n.proofs().DownloadBundle(w.call(), &assayv1.DownloadBundleRequest{Request: id.String()}))(t)
	first := must(stream.Recv())(t)
	if !bytes.Equal(first.GetData(), bundle) || first.GetSha256() != p.GetBundle() || first.GetSize() != uint64(len(bundle)) {
		t.Errorf("the bundle comes as %d bytes of %d", len(first.GetData()), first.GetSize())
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("then comes %v", err)
	}

	checked := must(n.proofs().VerifyBundle(w.call(), &assayv1.VerifyBundleRequest{Bundle: bundle}))(t)
	if checked.GetProblem() != "" || !checked.GetRecorded() || checked.GetVerdict().GetStatementDigest() != id.String() {
		t.Errorf("verified as %v", checked)
	}
	forged := bytes.Clone(bundle)
	forged[len(forged)-1] ^= 1
	if checked := must(n.proofs().VerifyBundle(w.call(), &assayv1.VerifyBundleRequest{Bundle: forged}))(t); checked.GetProblem() == "" || checked.GetVerdict() != nil {
		t.Errorf("a forged bundle: %v", checked)
	}

	audit := w.node(regulator, nil)
	entry := must(audit.audit().ListEntries(w.call(), &assayv1.ListEntriesRequest{Status: assayv1.RequestStatus_REQUEST_STATUS_VERIFIED}))(t).GetEntries()[0]
	if r := entry.GetReleased(); !r.GetClaims()[0].GetHolds() || r.GetAttested() != devices || entry.GetRequest().GetDecision().GetGrant() != contracttest.GrantID {
		t.Errorf("entry is %v", entry)
	}
}

func TestThereIsNoProofBeforeTheVerdict(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	n, id := w.node(lender, nil), w.asked(1).String()
	_, err := n.proofs().GetProof(w.call(), &assayv1.GetProofRequest{Request: id})
	refused(t, err, codes.NotFound, string(ledger.NotFound), "open")
	_, err = must(n.proofs().DownloadBundle(w.call(), &assayv1.DownloadBundleRequest{Request: id}))(t).Recv()
	refused(t, err, codes.NotFound, string(ledger.NotFound), "open")
	if v := must(n.proofs().VerifyBundle(w.call(), &assayv1.VerifyBundleRequest{Bundle: []byte("no bundle")}))(t); v.GetProblem() == "" {
		t.Errorf("garbage: %v", v)
	}
}

// A file of evidence comes in chunks that fit into a message.
func TestEvidenceComesInChunks(t *testing.T) {
	w := newWorld(t)
	file := bytes.Repeat([]byte("evidence"), 100_000)
	n := w.node(regulator, func(o *server.Options) { o.Evidence = evidence(file) })
	stream := must(n.audit().GetEvidence(w.call(), &assayv1.GetEvidenceRequest{Request: strings.Repeat("ab", 32)}))(t)
	var got []byte
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(m.GetData()) > 256<<10 || m.GetOffset() != uint64(len(got)) || m.GetSize() != uint64(len(file)) {
			t.Fatalf("at %d: %d bytes at %d of %d", len(got), len(m.GetData()), m.GetOffset(), m.GetSize())
		}
		got = append(got, m.GetData()...)
	}
	if !bytes.Equal(got, file) {
		t.Errorf("%d bytes of %d", len(got), len(file))
	}
}
