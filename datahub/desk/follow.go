package desk

import (
	"context"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// unfinished are the statuses of requests that a desk has something to do with.
var unfinished = []ledger.Status{ledger.StatusOpen, ledger.StatusApproved, ledger.StatusProving}

// follow finds what there is to do, and then what comes, and begins anew when the ledger cannot be followed.
func (d *Desk) follow(ctx context.Context) {
	ledger.KeepFollowing(ctx, d.Retry, d.read, func(err error) { d.Logger.Warn("following the ledger: will try again", "error", err) })
}

// read takes up everything unfinished, and then the events from before that: none is missed, and one that is seen twice does no harm.
func (d *Desk) read(ctx context.Context) error {
	head, err := d.book.Head(ctx)
	if err != nil {
		return err
	}
	for _, fleet := range d.Fleets {
		for _, status := range unfinished {
			found, err := d.book.RequestsOf(ctx, ledger.RequestsQuery{Limit: ledger.MaxPage, Fleet: fleet, Status: status})
			if err != nil {
				return err
			}
			for i := range found {
				d.find(found[i].ID, found[i].Request.Requester)
			}
		}
	}
	d.addAll()
	for e, err := range d.book.Events(ctx, head.Height+1, 0) {
		if err != nil {
			return err
		}
		d.heard(e)
	}
	return nil
}

// heard decides what an event is a reason to look at.
func (d *Desk) heard(e ledger.Event) {
	ours := slices.Contains(d.Fleets, e.Payload.Fleet)
	switch e.Name {
	case ledger.EventRequested:
		if ours && e.Payload.Request != nil {
			d.add(*e.Payload.Request, e.Payload.Requester)
		}
	case ledger.EventDecided, ledger.EventWithdrawn, ledger.EventProving, ledger.EventVerified, ledger.EventFailed:
		if ours && e.Payload.Request != nil {
			d.add(*e.Payload.Request, e.Payload.Requester)
		}
		if ours {
			d.addAll() // what one answer shows, or no longer will, may decide about another
		}
	case ledger.EventAnchored, ledger.EventSettled:
		if ours {
			d.addAll() // the facts may be final
		}
	case ledger.EventRevoked, ledger.EventPolicyPublished, ledger.EventEpochOpened:
		d.addAll()
	}
}
