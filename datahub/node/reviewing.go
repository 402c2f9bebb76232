package node

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/datahub/review"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// exporter makes files of evidence, nil where the organisation's key is elsewhere.
func (n *Node) exporter() *evidence.Exporter {
	if n.env.Signer == nil || n.env.Blocks == nil {
		return nil
	}
	return &evidence.Exporter{Book: n.env.Book, Blocks: n.env.Blocks, Organisation: n.own.ID, Key: n.env.Signer}
}

// openReview makes ready to verify again what the ledger says was approved and verified.
func (n *Node) openReview(context.Context) (err error) {
	if !n.config.Review.Of(n.own) {
		return nil
	}
	exporter := n.exporter()
	if exporter == nil {
		return errors.New("review.verify: what is found is signed with the organisation's key, which the profile does not name (organisation_key)")
	}
	dir := filepath.Join(n.config.Data, "review")
	n.review, err = review.New(review.Options{
		Exporter: exporter, Cursor: ledger.FileCursor{Path: filepath.Join(dir, "cursor")}, Dir: filepath.Join(dir, "disagreements"),
		Silent: !n.config.Review.Alert || !n.own.Has(ledger.RoleRegulator), Logger: n.log, Metrics: n.env.Metrics,
	})
	return err
}
