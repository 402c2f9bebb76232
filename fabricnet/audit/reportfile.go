package audit

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// SigningBytes is what the auditor signs: a domain tag, the ledger id, and the report without its signature in compact JSON.
func (r *Report) SigningBytes() []byte {
	unsigned := *r
	unsigned.Signature = nil
	return ledger.Tagged("assay/v1/audit", r.Ledger[:], ledger.Encode(&unsigned))
}

// Marshal writes the one encoding that ParseReport reads: JSON indented for people, fields in order. It fails for a report of more than MaxReport bytes.
func (r *Report) Marshal() ([]byte, error) {
	b := r.encode()
	if len(b) > MaxReport {
		return nil, fmt.Errorf("audit report: has %d bytes, at most %d", len(b), MaxReport)
	}
	return b, nil
}

func (r *Report) encode() []byte {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		panic(fmt.Sprintf("encoding audit report: %v", err)) // no field can fail
	}
	return append(b, '\n')
}

// fit shortens the lists of a report that is too long to be read. The counts are of all, and the first failure stays.
func (r *Report) fit() {
	const signature = 1 << 10 // and who signed, and when
	for keep := max(maxRequests, maxListed); keep > 0 && len(r.encode()) > MaxReport-signature; keep /= 2 {
		first := r.Failure()
		r.Requests, r.Invalid = r.Requests[:min(len(r.Requests), keep)], r.Invalid[:min(len(r.Invalid), keep)]
		r.Unchecked, r.Others = r.Unchecked[:min(len(r.Unchecked), keep)], r.Others[:min(len(r.Others), keep)]
		if r.Findings = r.Findings[:min(len(r.Findings), keep)]; first != nil && r.Failure() == nil {
			r.Findings = append(r.Findings, *first)
		}
	}
}

// Sign signs the report for an organisation of the genesis.
func (r *Report) Sign(g *ledger.Genesis, org string, key crypto.Signer, at time.Time) error {
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return errors.New("signing audit report: key is not Ed25519")
	}
	r.AuditedAt, r.AuditedBy = at.Unix(), org
	signature, err := key.Sign(nil, r.SigningBytes(), crypto.Hash(0))
	if err != nil {
		return fmt.Errorf("signing audit report: %w", err)
	}
	r.Signature = signature
	if _, err := r.Marshal(); err != nil {
		return fmt.Errorf("signing audit report: %w", err)
	}
	if err := r.verify(g); err != nil {
		return fmt.Errorf("signing audit report: %w", err)
	}
	return nil
}

// ParseReport reads a report of at most MaxReport bytes, in the form that Marshal writes. It checks no signature: [Report.Verify] does.
func ParseReport(b []byte) (*Report, error) {
	if len(b) > MaxReport {
		return nil, fmt.Errorf("audit report: has %d bytes, at most %d", len(b), MaxReport)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	r := new(Report)
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("audit report: %w", err)
	}
	if !bytes.Equal(r.encode(), b) {
		return nil, errors.New("audit report: not in canonical form")
	}
	if r.Version != Version {
		return nil, fmt.Errorf("audit report: version is %.32q, must be %q", r.Version, Version)
	}
	if failed := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Failure }); r.Sound == failed || r.Sound != (r.Counts.Failures == 0) {
		return nil, errors.New("audit report: says that the channel is sound in one place and not in another")
	}
	return r, nil
}

// Expected is what whoever relies on a report knows of the channel otherwise.
type Expected struct {
	// By is the organisation that must have signed; "" wants a regulator.
	By string
	// ChannelGenesis is the hash of the channel's block 0. Without it the report may be about another channel that somebody founded for the same consortium.
	ChannelGenesis commit.Digest
	// Head is the hash of the last block that the report must cover, and no more; AtLeast is how high it must reach.
	Head    commit.Digest
	AtLeast uint64
}

// Verify checks that the report is about the consortium of this genesis, signed by whom it should be, and about the channel and the blocks that are expected.
func (r *Report) Verify(g *ledger.Genesis, want Expected) error {
	if err := r.verify(g); err != nil {
		return err
	}
	switch {
	case want.By != "" && r.AuditedBy != want.By:
		return fmt.Errorf("audit report: is signed by %s, not by %.64s", r.AuditedBy, want.By)
	case want.By == "" && !g.HasRole(r.AuditedBy, ledger.RoleRegulator):
		return fmt.Errorf("audit report: is signed by %s, which is not a regulator of the ledger", r.AuditedBy)
	case !want.ChannelGenesis.IsZero() && r.ChannelGenesis != want.ChannelGenesis:
		return fmt.Errorf("audit report: is about the channel with genesis block %s, not %s", r.ChannelGenesis, want.ChannelGenesis)
	case !want.Head.IsZero() && r.Hash != want.Head:
		return fmt.Errorf("audit report: ends with block %d with hash %s, not with %s", r.Height, r.Hash, want.Head)
	case r.Height < want.AtLeast:
		return fmt.Errorf("audit report: ends with block %d, must reach %d", r.Height, want.AtLeast)
	}
	return nil
}

// verify checks the ledger and the signature.
func (r *Report) verify(g *ledger.Genesis) error {
	if r.Ledger != g.ID() {
		return fmt.Errorf("audit report: is about ledger %s, the genesis is of %s", r.Ledger, g.ID())
	}
	if len(r.Signature) == 0 {
		return errors.New("audit report: is not signed")
	}
	org, ok := g.Organisation(r.AuditedBy)
	if !ok {
		return fmt.Errorf("audit report: %.64q is not an organisation of the ledger", r.AuditedBy)
	}
	key, err := org.PublicKey()
	if err != nil {
		return fmt.Errorf("audit report: %w", err)
	}
	if !ed25519.Verify(key, r.SigningBytes(), r.Signature) {
		return fmt.Errorf("audit report: signature by %s does not verify", r.AuditedBy)
	}
	return nil
}

// Failure is the first failure among the findings, or nil.
func (r *Report) Failure() *Finding {
	for i := range r.Findings {
		if r.Findings[i].Failure {
			return &r.Findings[i]
		}
	}
	return nil
}
