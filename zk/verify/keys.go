package verify

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/assay-net/assay/zk/commit"
)

// Circuit ids. One key pair serves every statement at its size.
const (
	FleetInputs  = 64
	FleetCircuit = "fleet-64/v1"
	SRSKey       = "srs/v1"
)

// ChunkCircuit is the id of the circuit for chunks of n slots.
func ChunkCircuit(n uint32) string { return fmt.Sprintf("chunk-%d/v1", n) }

// CircuitIDs lists every key that a consortium publishes.
func CircuitIDs() []string {
	ids := []string{SRSKey}
	for _, n := range commit.Sizes {
		ids = append(ids, ChunkCircuit(uint32(n)))
	}
	return append(ids, FleetCircuit)
}

// Setups that made a key.
const (
	// SetupUnsafe keys come from one party that could forge proofs with what it
	// knew. Every verdict made with one says so.
	SetupUnsafe = "unsafe-single-party"
	// setupCeremony is what the name of a ceremony begins with; the digest of its
	// transcript follows.
	setupCeremony = "ceremony:"
)

// CeremonySetup names the setup of a key that came out of a ceremony with this
// transcript. A verifier that was given the transcript can replay it; the name
// alone says only which transcript those who pinned the key claim.
func CeremonySetup(transcript commit.Digest) string { return setupCeremony + transcript.String() }

func checkSetup(setup string) error {
	if setup == SetupUnsafe {
		return nil
	}
	var transcript commit.Digest
	if digest, ok := strings.CutPrefix(setup, setupCeremony); ok && transcript.UnmarshalText([]byte(digest)) == nil && !transcript.IsZero() {
		return nil
	}
	return KeySetup.errorf("unknown setup %.128q", setup)
}

// PublishedKey is a verifying key as the ledger holds it.
type PublishedKey struct {
	CircuitID string        `json:"circuit_id"`
	Key       []byte        `json:"key"`
	Digest    commit.Digest `json:"digest"`
	// Setup names the setup that made it, a ceremony by its transcript's digest.
	Setup string `json:"setup"`
	// SRS is the digest of the SRS that a circuit's key is used with, and Circuit that of the constraint system that it was made for. The SRS's own key has
	// neither. No check of a proof rests on them: they say what to replay a setup from.
	SRS     commit.Digest `json:"srs,omitzero"`
	Circuit commit.Digest `json:"circuit,omitzero"`
	// Status is the ledger's. The digest does not cover it.
	Status KeyStatus `json:"status,omitzero"`
}

func (k *PublishedKey) equal(other *PublishedKey) bool {
	return k.CircuitID == other.CircuitID && bytes.Equal(k.Key, other.Key) && k.Digest == other.Digest && k.Setup == other.Setup &&
		k.SRS == other.SRS && k.Circuit == other.Circuit && k.Status == other.Status
}

// NewPublishedKey names the key's digest.
func NewPublishedKey(circuitID, setup string, key []byte) PublishedKey {
	return PublishedKey{CircuitID: circuitID, Key: key, Digest: KeyDigest(circuitID, setup, key), Setup: setup}
}

// Pin is what an organisation consents to that wants this key on the ledger: its digest and those of its SRS and circuit. Without these it is the key's digest.
func (k *PublishedKey) Pin() commit.Digest {
	if k.SRS.IsZero() && k.Circuit.IsZero() {
		return k.Digest
	}
	t := commit.NewTranscript(tagPin, commit.Digest{})
	t.Bytes(k.Digest[:])
	t.Bytes(k.SRS[:])
	t.Bytes(k.Circuit[:])
	return t.Digest()
}

// KeyDigest names a key: SHA-256 over a tag, the circuit id, the setup and the
// encoding. The setup is covered so that an unsafe key cannot be relabelled.
func KeyDigest(circuitID, setup string, key []byte) commit.Digest {
	t := commit.NewTranscript(tagKey, commit.Digest{})
	t.Bytes([]byte(circuitID))
	t.Bytes([]byte(setup))
	t.Bytes(key)
	return t.Digest()
}

// CheckKey parses a published key and checks that its digest is its own. The
// setup must be one this verifier knows.
func CheckKey(k PublishedKey) error {
	_, err := NewKeyring([]PublishedKey{k})
	return err
}

// Keyring holds parsed keys. It is built from keys that the ledger pins, and
// from nothing that a prover sends.
type Keyring struct {
	circuits map[string]*circuitKey
	srsKey   *srsKey
	keys     map[string]PublishedKey
}

// NewKeyring parses keys. It refuses unknown circuit ids, wrong digests, and a
// circuit id that comes twice.
func NewKeyring(keys []PublishedKey) (*Keyring, error) {
	r := &Keyring{circuits: map[string]*circuitKey{}, keys: map[string]PublishedKey{}}
	for _, k := range keys {
		if err := r.add(k); err != nil {
			return nil, fmt.Errorf("key %q: %w", k.CircuitID, err)
		}
	}
	return r, nil
}

// IsOf reports whether the keyring is what NewKeyring makes of these keys, in whatever order.
func (r *Keyring) IsOf(keys []PublishedKey) bool {
	if len(keys) != len(r.keys) {
		return false
	}
	seen := map[string]bool{}
	for i := range keys {
		own, ok := r.keys[keys[i].CircuitID]
		if !ok || seen[own.CircuitID] || !own.equal(&keys[i]) {
			return false
		}
		seen[own.CircuitID] = true
	}
	return true
}

func (r *Keyring) add(k PublishedKey) error {
	if _, ok := r.keys[k.CircuitID]; ok {
		return KeyDuplicate.errorf("listed twice")
	}
	if err := checkSetup(k.Setup); err != nil {
		return err
	}
	if err := k.Status.Check(); err != nil {
		return KeyStatusWrong.errorf("status: %w", err)
	}
	if KeyDigest(k.CircuitID, k.Setup, k.Key) != k.Digest {
		return KeyMismatch.errorf("bytes do not match the digest")
	}
	var err error
	switch id := k.CircuitID; {
	case id == SRSKey:
		r.srsKey, err = decodeSRSKey(k.Key)
	case id == FleetCircuit:
		r.circuits[id], err = decodeKey(k.Key, FleetPublic, nil)
	case isChunkCircuit(id):
		r.circuits[id], err = decodeKey(k.Key, chunkPublic, chunkCommitted)
	default:
		err = CircuitUnknown.errorf("unknown circuit; known are %s", strings.Join(CircuitIDs(), ", "))
	}
	if err != nil {
		return KeyEncoding.of(err)
	}
	k.Key = bytes.Clone(k.Key)
	r.keys[k.CircuitID] = k
	return nil
}

func isChunkCircuit(id string) bool {
	for _, n := range commit.Sizes {
		if id == ChunkCircuit(uint32(n)) {
			return true
		}
	}
	return false
}

func (r *Keyring) circuit(id string) (*circuitKey, error) {
	if key := r.circuits[id]; key != nil {
		return key, r.usable(id)
	}
	return nil, KeyUnknown.errorf("no key is pinned for circuit %q", id)
}

func (r *Keyring) srs() (*srsKey, error) {
	if r.srsKey == nil {
		return nil, KeyUnknown.errorf("no key is pinned for %q", SRSKey)
	}
	return r.srsKey, r.usable(SRSKey)
}

// SRSDigest is the digest of the pinned SRS.
func (r *Keyring) SRSDigest() (commit.Digest, error) {
	s, err := r.srs()
	if err != nil {
		return commit.Digest{}, err
	}
	return s.Digest, nil
}

// Published returns the key pinned for a circuit.
func (r *Keyring) Published(id string) (PublishedKey, bool) {
	k, ok := r.keys[id]
	k.Key = bytes.Clone(k.Key) // the caller may change it
	return k, ok
}
