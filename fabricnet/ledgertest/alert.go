package ledgertest

import (
	"slices"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// alerts raises one, and tries what must not be.
func (s *suite) alerts(t *testing.T) {
	q := s.asks(t, s.financier, nil)
	by := func(org string, a ledger.Alert) call { return call{by: org, function: ledger.FnAlert, args: a} }
	good := ledger.Alert{Request: q.id, Text: "the verdict is another", Digest: commit.Digest{7}}
	var c checks
	for _, org := range s.withoutRole(ledger.RoleRegulator) {
		c.add(org+" is no regulator", func() error { return s.refused(ledger.Forbidden, by(org, good)) })
	}
	c.add("about nothing", func() error { return s.refused(ledger.Invalid, by(s.regulator, ledger.Alert{Text: "x"})) })
	c.add("about two things", func() error {
		return s.refused(ledger.Invalid, by(s.regulator, ledger.Alert{Request: q.id, Query: q.id, Text: "x"}))
	})
	c.add("about what is not there", func() error {
		return s.refused(ledger.NotFound, by(s.regulator, ledger.Alert{Request: commit.Digest{1}, Text: "x"}))
	})
	c.add("about a query that is not there", func() error { return s.refused(ledger.NotFound, by(s.regulator, ledger.Alert{Query: q.id, Text: "x"})) })
	c.add("without a text", func() error { return s.refused(ledger.Invalid, by(s.regulator, ledger.Alert{Request: q.id})) })
	c.must(t)
	r := s.mustSubmit(t, by(s.regulator, good))
	want := ledger.AlertRecord{Organisation: s.regulator, Request: q.id, Text: good.Text, Digest: good.Digest, Time: result[ledger.AlertRecord](t, r).Time, TxID: r.TxID}
	var found []ledger.AlertRecord
	for at := (ledger.AlertsQuery{Limit: 1}); ; {
		page := must[ledger.AlertsPage](t)(s.as(s.owner).Alerts(s.ctx, at))
		found = append(found, page.Entries...)
		if at.After = page.Cursor; page.Next == "" {
			break
		}
	}
	if i := slices.IndexFunc(found, func(a ledger.AlertRecord) bool { return a.TxID == r.TxID }); i < 0 || found[i] != want {
		t.Errorf("alerts are %+v, want %+v among them", found, want)
	}
}
