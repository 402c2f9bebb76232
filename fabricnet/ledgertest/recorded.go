package ledgertest

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// pages lists requests in several ways, which must come to the same.
func (s *suite) pages(t *testing.T) {
	b := s.as(s.financier)
	all := must[[]ledger.RequestEntry](t)(b.Requests(s.ctx))
	for _, q := range []ledger.RequestsQuery{
		{Limit: 3}, {Limit: 7, Owner: s.owner}, {Fleet: s.closed, Limit: 2}, {Requester: s.regulator}, {Status: ledger.StatusFailed, Limit: 1}, {Status: ledger.StatusApproved, Fleet: s.closed},
	} {
		var want, got []string
		for _, e := range all {
			if (q.Owner == "" || e.Request.Owner == q.Owner) && (q.Fleet == "" || e.Request.Fleet == q.Fleet) && (q.Requester == "" || e.Request.Requester == q.Requester) && (q.Status == "" || e.Status == q.Status) {
				want = append(want, e.ID.String())
			}
		}
		for _, e := range must[[]ledger.RequestEntry](t)(b.RequestsOf(s.ctx, q)) {
			got = append(got, e.ID.String())
		}
		if len(want) == 0 || !slices.Equal(want, got) || !slices.IsSorted(got) {
			t.Errorf("%+v lists %d requests, must be %d", q, len(got), len(want))
		}
	}
	var c checks
	for name, q := range map[string]ledger.RequestsQuery{"limit": {Limit: ledger.MaxPage + 1}, "position": {After: "x"}, "status": {Status: "lost"}} {
		c.add("a page: "+name, func() error { return s.queryRefused(ledger.Invalid, s.owner, ledger.QueryRequests, q) })
	}
	c.must(t)
}

// tellsWhatWasRecorded compares calls and blocks, as everybody is told them, with what was submitted.
func (s *suite) tellsWhatWasRecorded(t *testing.T) {
	q := s.asked.approved
	e := must[ledger.RequestEntry](t)(s.as(s.owner).RequestEntry(s.ctx, q.id))
	for _, org := range s.all {
		r := must[ledger.Recorded](t)(s.as(org).Recorded(s.ctx, e.Request.TxID))
		if r.Organisation != q.requester || r.Call.Function != ledger.FnRequest || !bytes.Equal(r.Call.Args, ledger.Encode(ledger.Ask{Statement: q.statement.Canonical()})) {
			t.Errorf("%s is told that %s called %s with %s", org, r.Organisation, r.Call.Function, r.Call.Args)
		}
		if r.Time.Unix() != e.Request.Time || r.Call.Transient != nil {
			t.Errorf("%s is told of time %s, the record has %s", org, r.Time, time.Unix(e.Request.Time, 0).UTC())
		}
		if height := must[uint64](t)(s.as(org).Locate(s.ctx, e.Request.TxID)); height != r.Height {
			t.Errorf("%s is told of block %d, located it is at %d", org, r.Height, height)
		}
	}
	for key, a := range s.anchored {
		if r := must[ledger.Recorded](t)(s.as(s.regulator).Recorded(s.ctx, a.receipt.TxID)); !bytes.Equal(r.Call.Args, ledger.Encode(a.args)) {
			t.Errorf("the anchor of chunk %d of %s is recorded as %s", key.chunk, key.fleet, r.Call.Args)
		}
		break
	}
	s.givesBlocks(t, e.Request.TxID)
	s.hashesBlocks(t)
	var c checks
	for _, id := range []string{"", "x", unknownTx} {
		c.add("the call of transaction "+id, func() error {
			return wrongCode(ledger.NotFound, "recorded", second(s.as(s.owner).Recorded(s.ctx, id)))
		})
	}
	c.add("a block that is not there", func() error {
		return wrongCode(ledger.NotFound, "block", second(s.as(s.owner).Block(s.ctx, 1<<40)))
	})
	c.add("the hash of a block that is not there", func() error {
		return wrongCode(ledger.NotFound, "block hash", second(s.as(s.owner).BlockHash(s.ctx, 1<<40)))
	})
	c.add("the proof of what is not proven", func() error {
		return wrongCode(ledger.NotFound, "bundle", second(s.as(s.owner).Bundle(s.ctx, q.id)))
	})
	c.add("the proof of nothing", func() error {
		return wrongCode(ledger.NotFound, "bundle", second(s.as(s.owner).Bundle(s.ctx, commit.Digest{1})))
	})
	c.must(t)
}

// givesBlocks holds the block of a transaction against what is stored.
func (s *suite) givesBlocks(t *testing.T, txID string) {
	height := must[uint64](t)(s.as(s.owner).Locate(s.ctx, txID))
	var stored []byte
	s.Blocks(t, height, height, func(b []byte) { stored = bytes.Clone(b) })
	for _, org := range s.all {
		b := must[[]byte](t)(s.as(org).Block(s.ctx, height))
		if len(b) == 0 || s.SameBlock != nil && !s.SameBlock(b, stored) || s.SameBlock == nil && !bytes.Equal(b, stored) {
			t.Errorf("%s gives block %d as %d bytes, stored are %d", org, height, len(b), len(stored))
		}
	}
}

// hashesBlocks holds the last block's hash against the one that the ledger gives as its head, which is another way, and wants every member to be given the same hashes.
func (s *suite) hashesBlocks(t *testing.T) {
	head := must[ledger.Head](t)(s.as(s.owner).Head(s.ctx))
	if hash := must[commit.Digest](t)(s.as(s.owner).BlockHash(s.ctx, head.Height)); hash != head.Hash {
		t.Errorf("block %d has hash %s, the head says %s", head.Height, hash, head.Hash)
	}
	earlier := s.log.latest() - 1
	hash := must[commit.Digest](t)(s.as(s.owner).BlockHash(s.ctx, earlier))
	if hash == head.Hash {
		t.Errorf("blocks %d and %d have one hash", earlier, head.Height)
	}
	for _, org := range s.all {
		if got := must[commit.Digest](t)(s.as(org).BlockHash(s.ctx, earlier)); got != hash {
			t.Errorf("%s is given %s as the hash of block %d, must be %s", org, got, earlier, hash)
		}
	}
}
