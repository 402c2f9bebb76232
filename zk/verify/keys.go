package verify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

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

// Public inputs of the circuits, without the constant wire.
const (
	chunkPublic = 5
	// FleetPublic: inputs, folded, T, binding, coefficients, bounds, results,
	// disclosure flags and values.
	FleetPublic = FleetInputs + 3 + 4*10 + 4 + 4 + 10 + 10
)

// chunkCommitted are the public and earlier-commitment values that each
// in-circuit commitment's challenge covers, as Groth16's key numbers them: the
// link covers cd, the lookups cover the link's challenge.
var chunkCommitted = [][]int{{1}, {chunkPublic + 1}}

// EncodeChunkKey encodes the verifying key of a chunk circuit. It refuses a
// key whose commitments cover anything else than this package checks.
func EncodeChunkKey(vk *groth16.VerifyingKey) ([]byte, error) {
	if len(vk.G1.K) != chunkPublic+3 || fmt.Sprint(vk.PublicAndCommitmentCommitted) != fmt.Sprint(chunkCommitted) {
		return nil, fmt.Errorf("verifying key has %d public points and covers %v, want %d and %v",
			len(vk.G1.K), vk.PublicAndCommitmentCommitted, chunkPublic+3, chunkCommitted)
	}
	return encodeKey(vk), nil
}

// EncodeFleetKey encodes the verifying key of the fleet circuit.
func EncodeFleetKey(vk *groth16.VerifyingKey) ([]byte, error) {
	if len(vk.G1.K) != FleetPublic+1 || len(vk.CommitmentKeys) != 0 {
		return nil, fmt.Errorf("verifying key has %d public points and %d commitments, want %d and none",
			len(vk.G1.K), len(vk.CommitmentKeys), FleetPublic+1)
	}
	return encodeKey(vk), nil
}

func encodeKey(vk *groth16.VerifyingKey) []byte {
	w := &writer{}
	w.point(&vk.G1.Alpha)
	w.point2(&vk.G2.Beta)
	w.point2(&vk.G2.Gamma)
	w.point2(&vk.G2.Delta)
	for i := range vk.G1.K {
		w.point(&vk.G1.K[i])
	}
	for i := range vk.CommitmentKeys {
		w.point2(&vk.CommitmentKeys[i].G)
		w.point2(&vk.CommitmentKeys[i].GSigmaNeg)
	}
	return w.b
}

// decodeKey reads a key of a known shape. No point of it may be infinity: a
// public input whose point is, is bound by nothing.
func decodeKey(b []byte, public int, committed [][]int) (*circuitKey, error) {
	r := &reader{b: b}
	vk := new(groth16.VerifyingKey)
	vk.G1.Alpha = r.point("alpha")
	vk.G2.Beta = r.point2("beta")
	vk.G2.Gamma = r.point2("gamma")
	vk.G2.Delta = r.point2("delta")
	vk.G1.K = make([]bn254.G1Affine, public+1+len(committed))
	for i := range vk.G1.K {
		vk.G1.K[i] = r.point(fmt.Sprintf("point of public input %d", i))
	}
	vk.CommitmentKeys = make([]pedersen.VerifyingKey, len(committed))
	for i := range vk.CommitmentKeys {
		vk.CommitmentKeys[i] = pedersen.VerifyingKey{G: r.point2("commitment key"), GSigmaNeg: r.point2("commitment key")}
	}
	vk.PublicAndCommitmentCommitted = committed
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := checkShape(vk); err != nil {
		return nil, err
	}
	return newCircuitKey(vk), nil
}

// checkShape refuses keys that no honest setup makes. With one secret behind
// both commitments, or with gamma equal to delta, values of one part of the
// proof could be moved into another.
func checkShape(vk *groth16.VerifyingKey) error {
	g := []bn254.G2Affine{vk.G2.Beta, vk.G2.Gamma, vk.G2.Delta}
	for i := range vk.CommitmentKeys {
		if vk.CommitmentKeys[i].G != vk.CommitmentKeys[0].G {
			return errors.New("the commitments' keys have different generators")
		}
		g = append(g, vk.CommitmentKeys[i].GSigmaNeg)
	}
	for i := range g {
		for j := range i {
			if g[i].Equal(&g[j]) {
				return errors.New("two of the key's secrets are equal")
			}
		}
	}
	return nil
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
	return k, ok
}
