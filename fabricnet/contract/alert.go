package contract

import (
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// alert records that a regulator's own verdict on a request, or on a query and its sessions, is another than the ledger's. It changes nothing about either: everybody is to look.
func alert(r *run, a *ledger.Alert) (*ledger.AlertRecord, error) {
	if err := ledger.CheckText("text", a.Text, ledger.MaxAlert, true); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	payload, err := r.alarming(a)
	if err != nil {
		return nil, err
	}
	w := &ledger.AlertRecord{Organisation: r.caller(), Request: a.Request, Query: a.Query, Text: a.Text, Digest: a.Digest, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.AlertKey(r.now, r.tx.ID), w); err != nil {
		return nil, err
	}
	payload.Digest = &a.Digest
	r.event(ledger.EventAlerted, payload)
	return w, nil
}

// alarming is whom an alert concerns: it is about one request, or one query.
func (r *run) alarming(a *ledger.Alert) (ledger.EventPayload, error) {
	switch about := a.Query.IsZero(); {
	case about == a.Request.IsZero():
		return ledger.EventPayload{}, ledger.Refuse(ledger.Invalid, "an alert is about a request or about a query")
	case about:
		q, err := requestOf(r.state, a.Request)
		if err != nil {
			return ledger.EventPayload{}, err
		}
		return ledger.EventPayload{Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Request: &a.Request}, nil
	}
	q, err := queryOf(r.state, a.Query)
	if err != nil {
		return ledger.EventPayload{}, err
	}
	return ledger.EventPayload{Requester: q.Query.Requester, Epoch: &q.Query.Epoch, Query: &a.Query}, nil
}

func queryAlerts(r *run, a *ledger.AlertsQuery) (*ledger.AlertsPage, error) {
	p, err := newPage(a.Limit)
	if err != nil {
		return nil, err
	}
	if a.After != "" && !isAlert(a.After) {
		return nil, ledger.Refuse(ledger.Invalid, "after: %.120q is no position among alerts", a.After)
	}
	out := &ledger.AlertsPage{Entries: []ledger.AlertRecord{}, Cursor: a.After}
	out.Next, err = pageOf(r, p, ledger.AlertPrefix, ledger.AlertPrefix, a.After, func(rest string, w *ledger.AlertRecord) (bool, error) {
		out.Entries, out.Cursor = append(out.Entries, *w), rest
		return true, nil
	})
	return out, err
}

// isAlert reports whether a text is what stands behind an alert's prefix: a time and a transaction id.
func isAlert(text string) bool {
	at, tx, ok := strings.Cut(text, "/")
	_, err := hexDigest(tx)
	return ok && err == nil && len(at) == 16 && strings.Trim(at, "0123456789abcdef") == ""
}
