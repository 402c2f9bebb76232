package review

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// DossierVersion is the only value of Dossier.Version.
const DossierVersion = "assay-query-dossier/v1"

// Dossier is what was looked at of a query, as one organisation was given it by its own access to the ledger. Of a disagreement it is signed and kept as JSON.
type Dossier struct {
	Version string          `json:"version"`
	Ledger  commit.Digest   `json:"ledger"`
	Genesis *ledger.Genesis `json:"genesis"`
	// Height and BlockHash are the last block's.
	Height    uint64        `json:"height"`
	BlockHash commit.Digest `json:"block_hash"`
	// Query is the query with what followed, Sessions are its sessions with their entries, in the order in which they began.
	Query    ledger.QueryEntry     `json:"query"`
	Sessions []ledger.SessionState `json:"sessions"`
	// Grants are those of the approved parts, in the order of the answers; null where there is none. Policies are the texts that the approvals name.
	Grants   []*ledger.GrantEntry  `json:"grants"`
	Policies []ledger.PolicyRecord `json:"policies"`
	// Transactions say in which block each of those is that were found, Blocks are these blocks as far as there is room for them.
	Transactions []evidence.Transaction `json:"transactions"`
	Format       string                 `json:"block_format"`
	Blocks       []evidence.Block       `json:"blocks"`

	Faults     []string `json:"faults"`
	ReviewedAt int64    `json:"reviewed_at"`
	ReviewedBy string   `json:"reviewed_by"`
	// Signature is Ed25519 over SigningBytes, with the key that ReviewedBy has in the genesis.
	Signature []byte `json:"signature"`
}

// SigningBytes is what is signed: a domain tag, the ledger id, and the dossier without its signature in compact JSON, as [ledger.Tagged] puts them together.
func (d *Dossier) SigningBytes() ([]byte, error) {
	unsigned := *d
	unsigned.Signature = nil
	b, err := json.Marshal(&unsigned)
	if err != nil {
		return nil, err
	}
	return ledger.Tagged("assay/v1/query-dossier", d.Ledger[:], b), nil
}

// sign adds what was found, and gives the file.
func (d *Dossier) sign(x *evidence.Exporter, faults []string) ([]byte, error) {
	now := time.Now
	if x.Clock != nil {
		now = x.Clock
	}
	if _, ok := x.Key.Public().(ed25519.PublicKey); !ok {
		return nil, errors.New("signing a dossier: key is not Ed25519")
	}
	d.Faults, d.ReviewedBy, d.ReviewedAt = faults, x.Organisation, now().Unix()
	message, err := d.SigningBytes()
	if err != nil {
		return nil, fmt.Errorf("signing a dossier: %w", err)
	}
	if d.Signature, err = x.Key.Sign(nil, message, crypto.Hash(0)); err != nil {
		return nil, fmt.Errorf("signing a dossier: %w", err)
	}
	return json.MarshalIndent(d, "", "  ")
}

// untold is what an event tells of a query and the query does not show, or nothing.
func (d *Dossier) untold(e ledger.Event) string {
	p := &e.Payload
	switch e.Name {
	case ledger.EventQueryAnswered:
		if !slices.ContainsFunc(d.Query.Answers, func(a ledger.QueryAnswer) bool {
			return a.Fleet == p.Fleet && a.Decision.TxID == e.TxID && a.Decision.Approved
		}) {
			return fmt.Sprintf("an event tells of an approval in transaction %s, and the query does not have it", e.TxID)
		}
	case ledger.EventSessionBegun:
		if !slices.ContainsFunc(d.Sessions, func(s ledger.SessionState) bool { return s.Session.TxID == e.TxID }) {
			return fmt.Sprintf("an event tells of a session that transaction %s began, and the query does not have it", e.TxID)
		}
	case ledger.EventPosted: // or it was said again, in a transaction that left no other trace
		if !slices.ContainsFunc(d.Sessions, func(s ledger.SessionState) bool {
			return p.Session != nil && s.ID == *p.Session && s.Entry(p.Organisation, p.Round) != nil
		}) {
			return fmt.Sprintf("an event tells of an entry by %s for round %.16q in transaction %s, and no session of the query has it", p.Organisation, p.Round, e.TxID)
		}
	}
	return ""
}
