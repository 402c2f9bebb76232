package verdict

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// Outcome is a verdict in one word.
type Outcome string

const (
	// Holds says that the bundle is valid and every claim holds.
	Holds Outcome = "holds"
	// ClaimsFail says that the bundle is valid and shows that not every claim holds.
	ClaimsFail Outcome = "claims-fail"
	// NotValid says that the bundle shows nothing.
	NotValid Outcome = "not-valid"
)

// Failure names why a bundle is not valid: one of package verify's names, or one of these for what is decided outside of it.
type Failure = verify.Failure

const (
	// TrustRefused is an export that cannot be read, contradicts itself, or is not signed by a regulator of its genesis.
	TrustRefused Failure = "trust"
	// LedgerDiffers is an export of another ledger than the caller's.
	LedgerDiffers Failure = "ledger"
	// FactsMissing is an export without the facts that the bundle is about.
	FactsMissing Failure = "facts-missing"
	// NotAsked is a bundle that answers no request on the ledger.
	NotAsked Failure = "not-asked"
	// RequestEnded is a bundle whose request came to nothing.
	RequestEnded Failure = "request-ended"
	// CeremonyRefused is a transcript that cannot be read, contradicts itself, or is of a ceremony that is not finished. The reason names package transcript's fault.
	CeremonyRefused Failure = "ceremony"
	// CeremonyForeign is a transcript of another ledger's ceremony, or of other organisations' or keys' than this ledger has.
	CeremonyForeign Failure = "ceremony-parties"
	// CeremonyKeys is a transcript that pinned keys contradict, or of a ceremony that did not make the keys of the proof.
	CeremonyKeys Failure = "ceremony-keys"
)

// Files are what is checked.
type Files struct {
	Bundle, Trust []byte
	// Ceremony is the transcript of the ceremony that made the keys, or nil if there is none to check.
	Ceremony []byte
	// Ledger is the id that the export must be of. The zero digest compares nothing, and the verdict says so.
	Ledger commit.Digest
	// At is when they are checked, for the document; the zero time is left out.
	At time.Time
}

// Verdict is what came of checking. Whatever Outcome is, fields that were established are filled in.
type Verdict struct {
	Kind    string  `json:"kind"`
	Outcome Outcome `json:"outcome"`
	Valid   bool    `json:"valid"`
	// Holds is that the bundle is valid and every claim holds.
	Holds bool `json:"holds"`
	// Failure and Reason say why the bundle is not valid.
	Failure   Failure    `json:"failure,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	CheckedAt *time.Time `json:"checked_at,omitempty"`
	Bundle    File       `json:"bundle_file"`
	Trust     File       `json:"trust_file"`
	// Transcript is nil if none was given.
	Transcript *File  `json:"transcript_file,omitempty"`
	Rests      *Rests `json:"rests_on,omitempty"`
	// Ceremony is nil if no transcript was given, or if it was refused.
	Ceremony *Ceremony `json:"ceremony,omitempty"`
	// Proven is nil if the bundle is not valid.
	Proven *verify.Verdict `json:"verdict,omitempty"`
}

// File identifies a file.
type File struct {
	Bytes  int           `json:"bytes"`
	SHA256 commit.Digest `json:"sha256"`
}

// Rests is what a verdict rests on: the export, once it was found to be sound in itself.
type Rests struct {
	Ledger commit.Digest `json:"ledger"`
	// Compared says whether the caller named the ledger. Whoever makes a ledger of their own can make an export of it.
	Compared   bool          `json:"ledger_compared"`
	Consortium string        `json:"consortium"`
	ExportedBy string        `json:"exported_by"`
	Regulator  string        `json:"regulator"`
	ExportedAt time.Time     `json:"exported_at"`
	Height     uint64        `json:"height"`
	BlockHash  commit.Digest `json:"block_hash"`
	// Request is the one that the bundle answers.
	Request *ledger.TrustRequest `json:"request,omitempty"`
}

const maxReason = 1 << 10

// Check checks files of any origin. It never fails: what cannot be checked is not valid.
func Check(f Files) *Verdict {
	v := &Verdict{Kind: "verdict", Outcome: NotValid, Bundle: FileOf(f.Bundle), Trust: FileOf(f.Trust)}
	if !f.At.IsZero() {
		at := f.At.UTC().Truncate(time.Second)
		v.CheckedAt = &at
	}
	if f.Ceremony != nil {
		file := FileOf(f.Ceremony)
		v.Transcript = &file
	}
	if err := v.check(f); err != nil {
		v.Failure, v.Reason = FailureOf(err), ledger.Printable(err.Error(), maxReason)
		return v
	}
	v.Valid, v.Holds, v.Outcome = true, v.Proven.Holds(), ClaimsFail
	if v.Holds {
		v.Outcome = Holds
	}
	return v
}

// FileOf identifies these bytes.
func FileOf(b []byte) File { return File{len(b), sha256.Sum256(b)} }

// evidenceHead is how a file of evidence begins, which is taken for an export easily.
const evidenceHead = "{\n \"version\": \"assay-evidence/"

func (v *Verdict) check(f Files) error {
	if bytes.HasPrefix(f.Trust, []byte(evidenceHead)) {
		return because(TrustRefused, errors.New("the file is evidence of a request, not an export of the ledger: 'assay-verify evidence' checks it, with the ledger's blocks in it"))
	}
	trust, err := ledger.ParseTrust(f.Trust)
	if err != nil {
		return because(TrustRefused, err)
	}
	v.Rests = restsOn(trust)
	if v.Rests.Compared = !f.Ledger.IsZero(); v.Rests.Compared && f.Ledger != trust.Ledger {
		return because(LedgerDiffers, fmt.Errorf("the export is of ledger %s, not of %s", trust.Ledger, f.Ledger))
	}
	if f.Ceremony != nil {
		if v.Ceremony, err = ReadCeremony(f.Ceremony, Pinned{&trust.Genesis, trust.Height, trust.Keys}); err != nil {
			return err
		}
	}
	return v.bundle(f.Bundle, trust)
}

// bundle checks what the bundle proves, by what the export says.
func (v *Verdict) bundle(b []byte, trust *ledger.Trust) error {
	s, err := verify.BundleStatement(b)
	if err != nil {
		return err
	}
	facts, err := trust.FactsAt(s.Fleet, s.Epoch)
	if err != nil {
		return because(FactsMissing, fmt.Errorf("the export says nothing of fleet %s at epoch %d, which the bundle is about", s.Fleet, s.Epoch))
	}
	keys, err := trust.Keyring()
	if err != nil {
		return because(TrustRefused, err)
	}
	proven, err := verify.VerifyBundle(b, facts, keys)
	if err != nil {
		return err
	}
	if v.Rests.Request, err = asked(trust, proven); err != nil {
		return err
	}
	if v.Ceremony != nil {
		if err := v.Ceremony.Made(proven); err != nil {
			return err
		}
	}
	v.Proven = proven
	return nil
}

func restsOn(t *ledger.Trust) *Rests {
	r := &Rests{Ledger: t.Ledger, Consortium: t.Genesis.Name, ExportedBy: t.ExportedBy, ExportedAt: time.Unix(t.ExportedAt, 0).UTC(), Height: t.Height, BlockHash: t.BlockHash}
	if o, ok := t.Genesis.Organisation(t.ExportedBy); ok {
		r.Regulator = o.Name
	}
	return r
}

// asked finds the request that a bundle answers. One that answers none, or one that came to nothing, may be a sound proof of a question that its maker chose.
func asked(t *ledger.Trust, proven *verify.Verdict) (*ledger.TrustRequest, error) {
	id := commit.Digest(proven.Statement.Digest(proven.Ledger))
	r, ok := t.Request(id)
	if !ok {
		return nil, because(NotAsked, fmt.Errorf("the ledger holds no request for this statement (%s)", id))
	}
	if r.Status != ledger.StatusVerified && !r.Status.Approved() {
		return r, because(RequestEnded, fmt.Errorf("the ledger's request for this statement is %s", r.Status))
	}
	return r, nil
}

// failed is an error whose failure package verify does not name.
type failed struct {
	name Failure
	error
}

func (f *failed) Unwrap() error { return f.error }

func because(name Failure, err error) error { return &failed{name, err} }

// FailureOf names the failure behind an error. It prefers the more precise name of package verify, for a key in an export for one.
func FailureOf(err error) Failure {
	if name := verify.FailureOf(err); name != "" {
		return name
	}
	var f *failed
	if errors.As(err, &f) {
		return f.name
	}
	return ""
}
