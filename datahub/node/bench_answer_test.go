package node

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/measure"
	"github.com/assay-net/assay/zk/setup"
)

// benchEpoch is long enough for 20,000 devices to be enrolled in one and attested in the next.
const benchEpoch = 2 * time.Minute

// benchAnswer measures how long a lender waits for an answer about a fleet of so many batteries, on a Fabric network: three nodes, each with its own interface, and the network's
// own processes share the machine.
func benchAnswer(t *testing.T, table *measure.Table, devices int) {
	keys := proving(t)
	c := newFabricConsortium(t, keys)
	all := c.enrolMany(devices)
	var epoch uint64 // the first in which all are enrolled
	for _, m := range c.node.devices.where(func(*member) bool { return true }) {
		epoch = max(epoch, m.From)
	}
	c.wait(c.ledger.Genesis().EpochEnd(epoch))
	c.untilWithin(time.Minute, "the next epoch is opened", func() bool { return must(c.node.opened(t.Context()))(t) > epoch })
	c.attestMany(all, epoch)
	closing := c.node.closer
	if err := closing.attempt(t.Context(), slog.New(slog.DiscardHandler), &closing.devices.fleets[0], epoch); err != nil {
		t.Fatal(err)
	}
	c.untilWithin(5*time.Minute, "the facts are final", func() bool {
		facts, err := c.node.env.Book.Facts(t.Context(), fleetID, epoch)
		return err == nil && facts.Final && facts.Facts.Attested() == uint64(devices)
	})
	c.epoch = epoch
	c.permit(anything, "loan-1", 10)
	c.answerTimes().add(table, devices)
	reviewed := func(outcome string) float64 {
		return labelled(t, c.regulator.metrics, "assay_review_requests_total", outcome)
	}
	c.untilWithin(5*time.Minute, "the regulator's node has verified again", func() bool { return reviewed("") >= 2 })
	if reviewed("disagrees") != 0 {
		t.Error("the regulator's node disagrees")
	}
}

// newFabricConsortium has a fleet in chunks of 1,024, whose epochs the test closes.
func newFabricConsortium(t *testing.T, keys *setup.Unsafe) *consortium {
	w := &world{t: t, dir: t.TempDir(), maker: must(device.NewMaker("maker-a"))(t), keys: keys, srs: keys.SRS(), ledger: newFabric(t, benchEpoch)}
	w.begin(func(c *Config) {
		c.Fleets[0].ChunkSize = closingChunk
		c.Epochs.Gather, c.Epochs.Close = time.Second, "every 1000000000"
		c.Proving.Answer = true
		c.API.Listen, c.API.GRPC = "127.0.0.1:0", "127.0.0.1:0"
	})
	c := &consortium{world: w}
	c.meet()
	return c
}

// answerTimes are when a request of the lender's got where, as the lender's node saw it; when the proof was made is what the owner's knows.
type answerTimes struct{ asked, recorded, approved, proving, proven, verified time.Time }

// answerTimes asks once, through the lender's node, and watches there.
func (c *consortium) answerTimes() *answerTimes {
	c.t.Helper()
	lender := c.as(contracttest.Lender, access.Operator)
	must(lender.Node.GetStatus(c.t.Context(), &assayv1.GetStatusRequest{}))(c.t) // connected
	statement := draft(c.t, c.question("loan-1"))
	a := &answerTimes{asked: time.Now()}
	request := must(lender.Requests.CreateRequest(c.t.Context(), &assayv1.CreateRequestRequest{Statement: statement}))(c.t).GetRequest()
	a.recorded = time.Now()
	var id commit.Digest
	if err := id.UnmarshalText([]byte(request.GetId())); err != nil {
		c.t.Fatal(err)
	}
	proven := make(chan time.Time, 1)
	go c.submitting(id, proven)
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Minute)
	defer cancel()
	err := lender.Watch(ctx, request.GetId(), func(r *assayv1.Request, _ *assayv1.Progress) error {
		first(&a.approved, r.GetDecision().GetApproved())
		first(&a.proving, r.GetProving() != nil)
		first(&a.verified, r.GetStatus() == assayv1.RequestStatus_REQUEST_STATUS_VERIFIED)
		return nil
	})
	if err != nil || a.verified.IsZero() {
		c.t.Fatalf("not verified: %v", err)
	}
	a.proven = <-proven
	return a
}

// first notes when something is so for the first time.
func first(at *time.Time, so bool) {
	if so && at.IsZero() {
		*at = time.Now()
	}
}

// submitting tells when the owner's desk has made a proof.
func (c *consortium) submitting(id commit.Digest, proven chan<- time.Time) {
	updates, stop := c.node.desk.Watch(id)
	defer stop()
	for p := range updates {
		if p.Stage == desk.Submitting {
			proven <- time.Now()
			return
		}
	}
	proven <- time.Now() // it was too quick to be seen
}

func (a *answerTimes) add(table *measure.Table, devices int) {
	name := map[bool]string{true: "answer_1000_batteries", false: "answer_20000_batteries"}[devices == 1000]
	total := a.verified.Sub(a.asked).Seconds()
	for _, stage := range []struct {
		name     string
		from, to time.Time
	}{
		{"request_recorded", a.asked, a.recorded}, {"approved", a.recorded, a.approved}, {"proof_begun", a.approved, a.proving},
		{"proof_made", a.proving, a.proven}, {"verified", a.proven, a.verified},
	} {
		took := stage.to.Sub(stage.from).Seconds()
		table.Add(name+"_"+stage.name, took, "s", name, took/total)
	}
	table.Add(name, total, "s", "", 0)
}
