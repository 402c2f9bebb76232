package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// maxRecent bounds the alerts that a watcher remembers to have sent.
const maxRecent = 4096

// WatchAlerts sends the alerts behind a position and then each new one.
//
// The ledger orders alerts by the times at which they were proposed, and one that was proposed earlier may be recorded later, within the age that a proposal may have. So
// it looks again at what is that recent, and remembers what it has sent.
func (s *auditService) WatchAlerts(in *assayv1.WatchAlertsRequest, out grpc.ServerStreamingServer[assayv1.WatchAlertsResponse]) error {
	ctx := out.Context()
	w := &alertWatch{Server: s.Server, of: listOf("alerts"), out: out, sent: map[string]int64{}}
	after, err := w.of.position("after", in.GetAfter())
	if err != nil {
		return err
	}
	if err := w.begin(after); err != nil {
		return err
	}
	look, stop := s.changes.watch(topic{})
	defer stop()
	err = w.look(ctx)
	for err == nil || w.answered && unanswered(err) && ctx.Err() == nil {
		again := lookAgain
		if err != nil {
			again = watchRetry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look:
		case <-time.After(again):
		}
		err = w.look(ctx)
	}
	return err
}

// alertWatch is what one caller has seen of the alerts.
type alertWatch struct {
	*Server
	of       listing
	out      grpc.ServerStreamingServer[assayv1.WatchAlertsResponse]
	answered bool
	// latest is the time of the latest alert sent, sent the times of those about then, by transaction.
	latest int64
	sent   map[string]int64
}

// begin takes the position of an alert, which was seen.
func (w *alertWatch) begin(after string) error {
	if after == "" {
		return nil
	}
	at, tx, ok := strings.Cut(after, "/")
	seconds, err := strconv.ParseInt(at, 16, 64)
	if !ok || err != nil || seconds < 0 || len(at) != 16 || len(tx) != 64 {
		return invalid("after", errToken)
	}
	w.latest = seconds
	w.sent[tx] = seconds
	return nil
}

// look sends what is new.
func (w *alertWatch) look(ctx context.Context) error {
	q := ledger.AlertsQuery{Limit: defaultPage}
	since := w.latest - w.slack()
	if since > 0 {
		q.After = fmt.Sprintf("%016x/%064d", uint64(since), 0)
	}
	w.forget(since)
	for {
		page, err := w.Book.Alerts(ctx, q)
		if err != nil {
			return err
		}
		w.answered = true
		for i := range page.Entries {
			if err := w.send(&page.Entries[i]); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// slack is by how many seconds what is recorded later may be earlier.
func (w *alertWatch) slack() int64 {
	return int64((w.Genesis.ProposalAge() + 2*w.Genesis.ClockSkew()) / time.Second)
}

func (w *alertWatch) forget(since int64) {
	for tx, at := range w.sent {
		if at < since {
			delete(w.sent, tx)
		}
	}
}

func (w *alertWatch) send(a *ledger.AlertRecord) error {
	if _, twice := w.sent[a.TxID]; twice {
		return nil
	}
	m, err := alertMessage(a)
	if err != nil {
		return err
	}
	if err := w.out.Send(&assayv1.WatchAlertsResponse{Alert: m, Cursor: w.of.token(alertPosition(a))}); err != nil {
		return gone(err)
	}
	if len(w.sent) >= maxRecent {
		clear(w.sent) // some may come twice, which is better than one that does not come
	}
	w.sent[a.TxID], w.latest = a.Time, max(w.latest, a.Time)
	return nil
}
