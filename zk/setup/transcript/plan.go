package transcript

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/assay-net/assay/zk/commit"
)

// Bounds of a plan.
const (
	MaxContributors = 64
	MaxCircuits     = 16
	// MaxPlan bounds a plan's JSON.
	MaxPlan = 64 << 10
	maxText = 512
	// maxDomain bounds the powers of tau for the circuits: contributions of 200 MB.
	maxDomain = 1 << 20
	// MinDomain is what the library's check of powers needs: it goes wrong below.
	MinDomain = 8
	minPowers = 4
	// minContributions: one alone would be a single party.
	minContributions = 2
)

// Version is that of plans.
const Version = "assay-ceremony/v1"

// LedgerBeacon is the rule of a ceremony that is closed by a ledger: each stage's closing value is the hash of the block which holds the record that ended
// the stage. A plan with this rule is one that a ledger records.
const LedgerBeacon = "the hash of the block that holds the end of the stage"

// Parts of a ceremony besides the circuits, whose parts are called as they are.
const (
	SRSPart    = "srs/v1"
	PowersPart = "powers/v1"
)

// Stages are the parts that are closed together. The second stands on the first.
const (
	FirstStage  = 1
	SecondStage = 2
)

// Plan is what a ceremony is about. Everybody who contributes signs its digest with the contribution.
type Plan struct {
	Version string `json:"version"`
	Name    string `json:"name"`
	// Ledger is the digest of the consortium's genesis.
	Ledger commit.Digest `json:"ledger"`
	// Beacon says, before anyone contributes, where the closing values will come from. [LedgerBeacon] is one that programs understand.
	Beacon       string        `json:"beacon"`
	Contributors []Contributor `json:"contributors"`
	// Minimum is how many of them every part needs before it can be closed.
	Minimum int `json:"minimum"`
	// Powers is the number of powers of tau of the SRS.
	Powers int `json:"powers"`
	// Domain is the size of the largest circuit's evaluation domain; the powers of tau for the circuits serve all of them.
	Domain   int           `json:"domain"`
	Circuits []CircuitPlan `json:"circuits"`
}

// Contributor is an organisation with its key, PKIX in DER.
type Contributor struct {
	ID  string `json:"id"`
	Key []byte `json:"key"`
}

// KeyDigest is what headers name a contributor by: the SHA-256 of the key.
func (c *Contributor) KeyDigest() commit.Digest { return sha256.Sum256(c.Key) }

// CircuitPlan names a circuit by its id and the digest of its constraint system.
type CircuitPlan struct {
	ID          string        `json:"id"`
	Constraints commit.Digest `json:"constraints"`
	Domain      int           `json:"domain"`
}

// Domain tags of what is hashed here.
const (
	tagPlan         = "assay/v1/ceremony/plan"
	tagContribution = "assay/v1/ceremony/contribution"
	tagStart        = "assay/v1/ceremony/start"
	tagBinding      = "assay/v1/ceremony/binding"
	tagClosing      = "assay/v1/ceremony/closing"
	tagTranscript   = "assay/v1/ceremony/transcript"
)

// Digest names the plan, and so the ceremony.
func (p *Plan) Digest() commit.Digest {
	t := commit.NewTranscript(tagPlan, p.Ledger)
	for _, text := range []string{p.Version, p.Name, p.Beacon} {
		t.Bytes([]byte(text))
	}
	for _, n := range []int{p.Minimum, p.Powers, p.Domain, len(p.Contributors)} {
		t.Uint(uint64(n))
	}
	for _, c := range p.Contributors {
		t.Bytes([]byte(c.ID))
		t.Bytes(c.Key)
	}
	t.Uint(uint64(len(p.Circuits)))
	for _, c := range p.Circuits {
		t.Bytes([]byte(c.ID))
		t.Bytes(c.Constraints[:])
		t.Uint(uint64(c.Domain))
	}
	return t.Digest()
}

// Parts are those of a stage, in the order of its closing: SRS and powers of tau in the first, the circuits in the second.
func (p *Plan) Parts(stage int) []string {
	switch stage {
	case FirstStage:
		return []string{SRSPart, PowersPart}
	case SecondStage:
		var out []string
		for i := range p.Circuits {
			out = append(out, p.Circuits[i].ID)
		}
		return out
	default:
		return nil
	}
}

// Contributor finds who has a key, by its SHA-256. It returns nil if nobody has.
func (p *Plan) Contributor(key commit.Digest) *Contributor {
	for i := range p.Contributors {
		if p.Contributors[i].KeyDigest() == key {
			return &p.Contributors[i]
		}
	}
	return nil
}

// Circuit finds a circuit by its id. It returns nil if the plan has none.
func (p *Plan) Circuit(id string) *CircuitPlan {
	for i := range p.Circuits {
		if p.Circuits[i].ID == id {
			return &p.Circuits[i]
		}
	}
	return nil
}

// ParsePlan reads a plan of at most [MaxPlan] bytes and checks it.
func ParsePlan(b []byte) (*Plan, error) {
	p := new(Plan)
	if err := decodeJSON("plan", b, MaxPlan, p); err != nil {
		return nil, err
	}
	return p, p.Check()
}

func decodeJSON(what string, b []byte, limit int, into any) error {
	if len(b) > limit {
		return fmt.Errorf("%s: %d bytes, at most %d", what, len(b), limit)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s: something follows the object", what)
	}
	return nil
}

// Check is everything about a plan that can be seen without its circuits.
func (p *Plan) Check() error {
	if p.Version != Version {
		return fmt.Errorf("plan: version %.64q, want %q", p.Version, Version)
	}
	for _, text := range []struct{ name, value string }{{"name", p.Name}, {"beacon", p.Beacon}} {
		if err := checkText(text.value); err != nil {
			return fmt.Errorf("plan: %s: %w", text.name, err)
		}
	}
	if p.Powers < minPowers || p.Powers > commit.MaxPowers {
		return fmt.Errorf("plan: %d powers, must be %d to %d", p.Powers, minPowers, commit.MaxPowers)
	}
	if err := p.checkContributors(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if err := p.checkCircuits(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	return nil
}

func checkText(s string) error {
	if s == "" || len(s) > maxText {
		return fmt.Errorf("has %d bytes, must have 1 to %d", len(s), maxText)
	}
	if !utf8.ValidString(s) || strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return errors.New("holds what cannot be printed")
	}
	return nil
}

func (p *Plan) checkContributors() error {
	n := len(p.Contributors)
	if n < minContributions || n > MaxContributors {
		return fmt.Errorf("%d contributors, must be %d to %d", n, minContributions, MaxContributors)
	}
	if p.Minimum < minContributions || p.Minimum > n {
		return fmt.Errorf("minimum is %d contributions, must be %d to %d, the number of contributors", p.Minimum, minContributions, n)
	}
	ids, keys := map[string]bool{}, map[commit.Digest]bool{}
	for i := range p.Contributors {
		c := &p.Contributors[i]
		if err := checkText(c.ID); err != nil {
			return fmt.Errorf("contributor %d: id: %w", i, err)
		}
		if _, err := commit.ParsePublicKey(c.Key); err != nil {
			return fmt.Errorf("contributor %s: %w", c.ID, err)
		}
		if ids[c.ID] || keys[c.KeyDigest()] {
			return fmt.Errorf("contributor %s: id or key is listed twice", c.ID)
		}
		ids[c.ID], keys[c.KeyDigest()] = true, true
	}
	return nil
}

func (p *Plan) checkCircuits() error {
	if len(p.Circuits) == 0 || len(p.Circuits) > MaxCircuits {
		return fmt.Errorf("%d circuits, must be 1 to %d", len(p.Circuits), MaxCircuits)
	}
	names := map[string]bool{FolderOf(SRSPart): true, FolderOf(PowersPart): true}
	largest := 0
	for _, c := range p.Circuits {
		if err := checkPart(c.ID); err != nil {
			return err
		}
		if names[FolderOf(c.ID)] {
			return fmt.Errorf("circuit %s: listed twice, or called as another part", c.ID)
		}
		names[FolderOf(c.ID)] = true
		if c.Domain < MinDomain || c.Domain > maxDomain || bits.OnesCount(uint(c.Domain)) != 1 {
			return fmt.Errorf("circuit %s: domain is %d, must be a power of two from %d to %d", c.ID, c.Domain, MinDomain, maxDomain)
		}
		largest = max(largest, c.Domain)
	}
	if p.Domain != largest {
		return fmt.Errorf("domain is %d, must be the largest circuit's, %d", p.Domain, largest)
	}
	return nil
}

// partBytes is the room for a part's name in a header.
const partBytes = 32

// checkPart accepts names such as chunk-64/v1.
func checkPart(id string) error {
	if len(id) == 0 || len(id) > partBytes {
		return fmt.Errorf("circuit %.64q: name has %d characters, must have 1 to %d", id, len(id), partBytes)
	}
	for i, r := range id {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || i > 0 && (r == '-' || r == '/')) {
			return fmt.Errorf("circuit %.64q: name may hold lower-case letters, digits and, inside, '-' and '/'", id)
		}
	}
	return nil
}

// FolderOf is a part's name as a folder's.
func FolderOf(part string) string { return strings.ReplaceAll(part, "/", "-") }
