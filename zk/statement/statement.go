// Package statement is the question a financier asks about a fleet and the
// document every proof is bound to.
//
// A [Statement] names a fleet and an epoch, a cohort (ranges over lanes), a
// valuation model, up to [MaxClaims] linear claims over the totals, the totals
// to disclose exactly, a minimum coverage, and who asks, under which grant, for
// which purpose, until when. Everything in it is public and meant to be read
// by both sides' lawyers: [Statement.Text] prints it in words.
//
// A statement has one canonical encoding, JSON as [Statement.Canonical] writes
// it. [Parse] takes nothing else, so that a digest names one document;
// [Read] takes the same document in any layout, from a person.
// [Statement.Digest] is bound into every proof.
//
// [Statement.Parameters] turns cohort and valuation into the numbers that the
// chunk circuit takes as inputs, [Statement.Integers] the claims. Both are
// derived by the verifier itself; a prover's word is never taken for them. No
// statement needs a proving key of its own.
//
// What a statement does not promise: that the model is a good one, or that its
// answer hides a battery. The first is for the financier, the second for the
// owner, who has to read the valuation as a filter too: a curve that is zero
// everywhere but at one age, over a cohort of thousands, discloses as "value"
// the health of the one battery of that age. Bounds on cohorts alone do not
// stop that.
package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/assay-net/assay/zk/record"
)

// Bounds of a statement.
const (
	Version      = "assay-statement/v1"
	MaxBytes     = 64 << 10
	MaxClaims    = 4
	MaxName      = 128 // bytes of an identifier
	MaxPurpose   = 512
	NonceBytes   = 16
	CoverageFull = 10000 // minimum coverage in 0.01 %
)

// Statement is a question about one fleet at one epoch.
type Statement struct {
	// Version is [Version].
	Version string `json:"version"`
	// Fleet and Epoch say which anchors the proof is about.
	Fleet string `json:"fleet"`
	Epoch uint64 `json:"epoch"`
	// Schema names the lanes, e.g. "battery/v1".
	Schema string `json:"schema"`
	// Cohort restricts which devices are counted. A lane it does not name is
	// bounded by the schema.
	Cohort []Range `json:"cohort"`
	// Valuation is the model behind the total "value"; without one, value is 0.
	Valuation *Valuation `json:"valuation,omitempty"`
	// Claims are proven to hold or not to hold.
	Claims []Claim `json:"claims"`
	// Disclose lists totals to be revealed exactly.
	Disclose []string `json:"disclose"`
	// MinimumCoverage is attested / enrolled in percent, e.g. "95.00".
	MinimumCoverage string `json:"minimum_coverage"`
	// KeyClasses, when not empty, lists where device keys may live for the
	// statement to stand: "secure_element", "module", "gateway", "software".
	KeyClasses []string `json:"key_classes,omitempty"`
	// Requester is the organisation that asks, Grant the owner's permission it
	// asks under, Purpose what for.
	Requester string `json:"requester"`
	Grant     string `json:"grant"`
	Purpose   string `json:"purpose"`
	// Nonce is 16 random bytes in hex, so that no two requests are equal.
	Nonce string `json:"nonce"`
	// Expiry is when a ledger stops accepting a proof, UTC, whole seconds.
	Expiry time.Time `json:"expiry"`
}

// Parse reads the canonical encoding and checks everything that can be checked
// without a ledger. Any other encoding of the same statement is refused.
func Parse(b []byte) (*Statement, error) {
	s, err := decode(b)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(s.Canonical(), b) {
		return nil, errors.New("statement: not in canonical form")
	}
	return s, nil
}

// Read reads a statement in any JSON layout, at most [MaxBytes] long.
func Read(r io.Reader) (*Statement, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading statement: %w", err)
	}
	return decode(b)
}

func decode(b []byte) (*Statement, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("statement: longer than %d bytes", MaxBytes)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("statement: not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	s := new(Statement)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("statement: trailing data")
	}
	return s, s.Check()
}

// Canonical is the one encoding that is digested: compact JSON, fields in the
// order of the type, empty lists as [].
func (s *Statement) Canonical() []byte {
	c := *s
	c.Cohort = nonNil(c.Cohort)
	c.Claims = nonNil(c.Claims)
	c.Disclose = nonNil(c.Disclose)
	if c.Valuation != nil {
		v := *c.Valuation
		v.Curves = nonNil(v.Curves)
		c.Valuation = &v
	}
	b, err := json.Marshal(&c)
	if err != nil {
		// Only a year outside 0…9999 can fail, which Check refuses.
		panic(fmt.Sprintf("encoding statement: %v", err))
	}
	return b
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Digest names the statement on one ledger: SHA-256 over a domain tag, the
// ledger id, and the canonical encoding behind its length.
func (s *Statement) Digest(ledger [32]byte) [32]byte {
	c := s.Canonical()
	h := sha256.New()
	h.Write([]byte("assay/statement/v1"))
	h.Write(ledger[:])
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(c)))
	h.Write(n[:])
	h.Write(c)
	return [32]byte(h.Sum(nil))
}

// Check reports the first field that is missing, out of bounds or not what the
// schema allows.
func (s *Statement) Check() error {
	if s.Version != Version {
		return fmt.Errorf("statement: version is %q, want %q", s.Version, Version)
	}
	schema, err := record.Lookup(s.Schema)
	if err != nil {
		return fmt.Errorf("statement: schema: %w", err)
	}
	if err := s.checkParties(); err != nil {
		return err
	}
	if err := checkCohort(schema, s.Cohort); err != nil {
		return err
	}
	if _, err := s.Parameters(); err != nil {
		return err
	}
	if _, err := s.Integers(); err != nil {
		return err
	}
	if _, err := s.Disclosed(); err != nil {
		return err
	}
	_, err = s.CoverageBound()
	return err
}

func (s *Statement) checkParties() error {
	for _, f := range []struct {
		field, value string
		max          int
		required     bool
	}{
		{"fleet", s.Fleet, MaxName, true},
		{"requester", s.Requester, MaxName, true},
		{"grant", s.Grant, MaxName, false},
		{"purpose", s.Purpose, MaxPurpose, true},
	} {
		if err := checkText(f.field, f.value, f.max, f.required); err != nil {
			return err
		}
	}
	if b, err := hex.DecodeString(s.Nonce); err != nil || len(b) != NonceBytes || hex.EncodeToString(b) != s.Nonce {
		return fmt.Errorf("statement: nonce must be %d bytes in lower-case hex", NonceBytes)
	}
	if !s.Expiry.Equal(s.Expiry.Truncate(time.Second)) || s.Expiry.Location() != time.UTC || s.Expiry.Year() < 2000 || s.Expiry.Year() > 9999 {
		return errors.New("statement: expiry must be a UTC time in whole seconds from 2000 to 9999")
	}
	return s.checkKeyClasses()
}

func (s *Statement) checkKeyClasses() error {
	seen := map[string]bool{}
	for _, c := range s.KeyClasses {
		switch c {
		case "secure_element", "module", "gateway", "software":
		default:
			return fmt.Errorf("statement: key_classes: unknown class %q", c)
		}
		if seen[c] {
			return fmt.Errorf("statement: key_classes: %q is listed twice", c)
		}
		seen[c] = true
	}
	return nil
}

func checkText(field, value string, max int, required bool) error {
	switch {
	case required && value == "":
		return fmt.Errorf("statement: %s is missing", field)
	case len(value) > max:
		return fmt.Errorf("statement: %s is longer than %d bytes", field, max)
	case !utf8.ValidString(value):
		return fmt.Errorf("statement: %s is not valid UTF-8", field)
	}
	for _, r := range value {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("statement: %s holds an unprintable character", field)
		}
	}
	return nil
}

// CoverageBound is the minimum coverage in 0.01 %.
func (s *Statement) CoverageBound() (uint64, error) {
	d, err := parseDecimal(s.MinimumCoverage, 2)
	if err != nil {
		return 0, fmt.Errorf("statement: minimum_coverage: %w", err)
	}
	v := d.scaled(2)
	if v.Sign() < 0 || !v.IsUint64() || v.Uint64() > CoverageFull {
		return 0, fmt.Errorf("statement: minimum_coverage is %s %%, want 0 to 100", s.MinimumCoverage)
	}
	return v.Uint64(), nil
}
