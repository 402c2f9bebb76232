package ledger

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/assay-net/assay/zk/commit"
)

// TrustRequest is a request as a trust export shows it: that it was asked, by whom, and where it stands. A bundle that answers none of them answers a
// question that nobody put.
type TrustRequest struct {
	ID        commit.Digest `json:"id"`
	Fleet     string        `json:"fleet"`
	Epoch     uint64        `json:"epoch"`
	Requester string        `json:"requester"`
	Status    Status        `json:"status"`
	Time      int64         `json:"time"`
}

// Request finds a request of the export by its id, which is its statement's digest.
func (t *Trust) Request(id commit.Digest) (*TrustRequest, bool) {
	i, ok := slices.BinarySearchFunc(t.Requests, id, func(r TrustRequest, id commit.Digest) int { return bytes.Compare(r.ID[:], id[:]) })
	if !ok {
		return nil, false
	}
	return &t.Requests[i], true
}

func (t *Trust) checkRequests() error {
	for i := range t.Requests {
		r := &t.Requests[i]
		if i > 0 && bytes.Compare(t.Requests[i-1].ID[:], r.ID[:]) >= 0 {
			return fmt.Errorf("request %s is out of order or comes twice", r.ID)
		}
		if _, err := t.FactsAt(r.Fleet, r.Epoch); err != nil {
			return fmt.Errorf("request %s: %w", r.ID, err)
		}
		if _, ok := t.Genesis.Organisation(r.Requester); !ok {
			return fmt.Errorf("request %s: requester %q is not an organisation of the ledger", r.ID, r.Requester)
		}
		if !r.Status.Known() {
			return fmt.Errorf("request %s: unknown status %q", r.ID, r.Status)
		}
	}
	return nil
}
