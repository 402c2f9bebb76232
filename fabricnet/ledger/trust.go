package ledger

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

const (
	// TrustVersion is the only value of Trust.Version.
	TrustVersion = "assay-trust/v1"
	// MaxTrust bounds an encoded export: two thousand exported epochs of a small fleet, or a hundred thousand chunks.
	MaxTrust = 64 << 20
)

// Trust is what an offline verifier takes from the ledger, as a regulator saw it at Height.
type Trust struct {
	Version string `json:"version"`
	// Ledger is the digest of Genesis. A relying party compares it with an id that it has from elsewhere.
	Ledger    commit.Digest `json:"ledger"`
	Genesis   Genesis       `json:"genesis"`
	Height    uint64        `json:"height"`
	BlockHash commit.Digest `json:"block_hash"`
	// Keys are the verifying keys pinned on the ledger.
	Keys []verify.PublishedKey `json:"keys"`
	// Facts are sorted by fleet and epoch.
	Facts []verify.Facts `json:"facts"`
	// Requests are those about the exported fleets and epochs, sorted by id.
	Requests   []TrustRequest `json:"requests"`
	ExportedAt int64          `json:"exported_at"`
	// ExportedBy is a regulator of the genesis, whose key Signature is by.
	ExportedBy string `json:"exported_by"`
	// Signature is Ed25519 over SigningBytes.
	Signature []byte `json:"signature"`

	ring *verify.Keyring // what ParseTrust parsed of Keys
}

// SigningBytes is what the regulator signs: a domain tag, the ledger id, and the export without its signature in compact JSON.
func (t *Trust) SigningBytes() []byte {
	unsigned := *t
	unsigned.Signature = nil
	return Tagged("assay/v1/trust", t.Ledger[:], mustMarshal(&unsigned))
}

// Marshal writes the one encoding that ParseTrust reads: JSON indented for people, fields in order.
func (t *Trust) Marshal() []byte {
	b, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		panic(fmt.Sprintf("encoding trust export: %v", err)) // no field can fail
	}
	return append(b, '\n')
}

// ParseTrust reads an export of at most MaxTrust bytes and checks it in itself: the ledger id is the genesis' digest, the signature is by a
// regulator of that genesis, every key parses and has its digest, and the facts are well-formed. It takes nothing but what Marshal writes.
func ParseTrust(b []byte) (*Trust, error) {
	if len(b) > MaxTrust {
		return nil, fmt.Errorf("trust export: has %d bytes, at most %d", len(b), MaxTrust)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	t := new(Trust)
	if err := d.Decode(t); err != nil {
		return nil, fmt.Errorf("trust export: %w", err)
	}
	if !bytes.Equal(t.Marshal(), b) {
		return nil, errors.New("trust export: not in canonical form")
	}
	var err error
	if t.ring, err = t.check(); err != nil {
		return nil, fmt.Errorf("trust export: %w", err)
	}
	return t, nil
}

// Check is what ParseTrust checks besides the encoding.
func (t *Trust) Check() error {
	_, err := t.check()
	return err
}

func (t *Trust) check() (*verify.Keyring, error) {
	if err := t.checkOrigin(); err != nil {
		return nil, err
	}
	ring, err := verify.NewKeyring(t.Keys)
	if err != nil {
		return nil, err
	}
	for i := range t.Facts {
		if i > 0 && compareFacts(&t.Facts[i-1], &t.Facts[i]) >= 0 {
			return nil, fmt.Errorf("facts of fleet %s at epoch %d are out of order or come twice", t.Facts[i].Fleet, t.Facts[i].Epoch)
		}
		if err := t.checkFacts(&t.Facts[i]); err != nil {
			return nil, fmt.Errorf("facts of fleet %s at epoch %d: %w", t.Facts[i].Fleet, t.Facts[i].Epoch, err)
		}
	}
	return ring, t.checkRequests()
}

// checkOrigin checks whose the export is and of which ledger.
func (t *Trust) checkOrigin() error {
	if t.Version != TrustVersion {
		return fmt.Errorf("version is %q, must be %q", t.Version, TrustVersion)
	}
	if err := t.Genesis.Check(); err != nil {
		return err
	}
	if t.Ledger != t.Genesis.ID() {
		return fmt.Errorf("ledger is %s, the genesis' digest is %s", t.Ledger, t.Genesis.ID())
	}
	return t.checkSignature()
}

func (t *Trust) checkSignature() error {
	if !t.Genesis.HasRole(t.ExportedBy, RoleRegulator) {
		return fmt.Errorf("exported_by: %q is not a regulator of the ledger", t.ExportedBy)
	}
	signer, _ := t.Genesis.Organisation(t.ExportedBy)
	key, err := signer.PublicKey()
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, t.SigningBytes(), t.Signature) {
		return fmt.Errorf("signature by %s does not verify", t.ExportedBy)
	}
	return nil
}

func (t *Trust) checkFacts(f *verify.Facts) error {
	if err := CheckID("fleet", f.Fleet); err != nil {
		return err
	}
	if f.Ledger != t.Ledger {
		return fmt.Errorf("are of ledger %s", f.Ledger)
	}
	if !t.Genesis.HasRole(f.Owner, RoleOwner) {
		return fmt.Errorf("owner %q is not an owner of the ledger", f.Owner)
	}
	if f.Epoch >= MaxEpoch {
		return fmt.Errorf("epoch is beyond the last, %d", uint64(MaxEpoch-1))
	}
	for i := range f.Chunks {
		if err := t.checkAnchor(&f.Chunks[i]); err != nil {
			return fmt.Errorf("chunk %d: %w", f.Chunks[i].Index, err)
		}
	}
	return f.Check()
}

func (t *Trust) checkAnchor(c *verify.ChunkFacts) error {
	if c.Index >= MaxChunks {
		return fmt.Errorf("index must be below %d", MaxChunks)
	}
	if !c.Anchored {
		return nil
	}
	if _, err := commit.ParsePoint(c.Commitment); err != nil {
		return fmt.Errorf("commitment: %w", err)
	}
	if c.Height == 0 || c.Height > t.Height {
		return fmt.Errorf("anchored at height %d, the export is of height %d", c.Height, t.Height)
	}
	return nil
}

func compareFacts(a, b *verify.Facts) int {
	if c := strings.Compare(a.Fleet, b.Fleet); c != 0 {
		return c
	}
	return cmp.Compare(a.Epoch, b.Epoch)
}

// Keyring is the verifying keys, parsed. What ParseTrust has parsed is not parsed again, as long as Keys are what they were then.
func (t *Trust) Keyring() (*verify.Keyring, error) {
	if t.ring != nil && t.ring.IsOf(t.Keys) {
		return t.ring, nil
	}
	return verify.NewKeyring(t.Keys)
}

// FactsAt finds what the ledger says about a fleet at an epoch.
func (t *Trust) FactsAt(fleet string, epoch uint64) (*verify.Facts, error) {
	for i := range t.Facts {
		if t.Facts[i].Fleet == fleet && t.Facts[i].Epoch == epoch {
			return &t.Facts[i], nil
		}
	}
	return nil, Refuse(NotFound, "the trust export has no facts of fleet %s at epoch %d", fleet, epoch)
}
