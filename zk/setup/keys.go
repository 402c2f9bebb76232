package setup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/fromgnark"
)

// Keys are the SRS and the key pairs of one setup, kept in a cache directory.
// They implement [zk.Keys]. They are safe for concurrent use; a key is loaded,
// and where the setup allows it made, when it is first asked for, and kept until
// [Keys.Release].
type Keys struct {
	cache *cache
	setup string // as published keys name it
	srs   *commit.SRS
	// absent makes a key that the cache does not have, or says why there is none.
	absent func(id, name string, system *cs.R1CS, encode encoder) (*manifest, error)

	mu   sync.Mutex
	keys map[string]*keyPair
}

// srsName is the SRS's name in a cache.
const srsName = "srs"

type encoder = func(*groth16.VerifyingKey) ([]byte, error)

type keyPair struct {
	zk.CircuitKey
	published verify.PublishedKey
}

var _ zk.Keys = (*Keys)(nil)

// Setup is what the published keys say made them.
func (k *Keys) Setup() string { return k.setup }

// SRS returns the powers of tau.
func (k *Keys) SRS() *commit.SRS { return k.srs }

// SRSFile is the path of the file that holds them, as [commit.SRS.WriteTo]
// writes it.
func (k *Keys) SRSFile() string { return k.cache.path(srsName, ".bin") }

// Chunk returns the keys for chunks of n slots.
func (k *Keys) Chunk(n int) (*zk.CircuitKey, error) {
	pair, err := k.chunk(n)
	if err != nil {
		return nil, err
	}
	return &pair.CircuitKey, nil
}

func (k *Keys) chunk(n int) (*keyPair, error) {
	if !slices.Contains(commit.Sizes, n) {
		return nil, fmt.Errorf("no chunk has %d slots; sizes are %v", n, commit.Sizes)
	}
	return k.key(verify.ChunkCircuit(uint32(n)), func() (*cs.R1CS, error) { return zk.CompileChunk(n) }, fromgnark.EncodeChunkKey)
}

// Fleet returns the keys of the fleet circuit.
func (k *Keys) Fleet() (*zk.CircuitKey, error) {
	pair, err := k.fleet()
	if err != nil {
		return nil, err
	}
	return &pair.CircuitKey, nil
}

func (k *Keys) fleet() (*keyPair, error) {
	return k.key(verify.FleetCircuit, zk.CompileFleet, fromgnark.EncodeFleetKey)
}

// Published lists the verifying keys for a consortium with chunks of the given
// sizes: the SRS, one for each size, and the fleet's, these with the digests of
// the SRS and of their constraint systems.
func (k *Keys) Published(sizes ...int) ([]verify.PublishedKey, error) {
	b, err := verify.EncodeSRSKey(k.srs)
	if err != nil {
		return nil, err
	}
	out := []verify.PublishedKey{verify.NewPublishedKey(verify.SRSKey, k.setup, b)}
	for _, n := range sizes {
		pair, err := k.chunk(n)
		if err != nil {
			return nil, err
		}
		out = append(out, pair.published)
	}
	pair, err := k.fleet()
	if err != nil {
		return nil, err
	}
	return append(out, pair.published), nil
}

// Release forgets the keys in memory; they are loaded again when asked for.
func (k *Keys) Release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.keys)
}

func (k *Keys) key(id string, compile func() (*cs.R1CS, error), encode encoder) (*keyPair, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if pair := k.keys[id]; pair != nil {
		return pair, nil
	}
	system, err := compile()
	if err != nil {
		return nil, fmt.Errorf("circuit %s: %w", id, err)
	}
	pair, err := k.cached(id, system, encode)
	if err != nil {
		return nil, fmt.Errorf("%s setup of %s: %w", k.setup, id, err)
	}
	k.keys[id] = pair
	return pair, nil
}

// cached loads the key pair, or has it made and stored.
func (k *Keys) cached(id string, system *cs.R1CS, encode encoder) (*keyPair, error) {
	digest, err := CircuitDigest(system)
	if err != nil {
		return nil, err
	}
	name := digestName(id, digest)
	unlock, err := k.cache.lock(name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	m, err := k.cache.manifest(name)
	if errors.Is(err, os.ErrNotExist) {
		m, err = k.absent(id, name, system, encode)
	}
	if err != nil {
		return nil, err
	}
	pair := &keyPair{CircuitKey: zk.CircuitKey{System: system, Proving: new(groth16.ProvingKey)}}
	pair.published = verify.NewPublishedKey(id, k.setup, m.VerifyingKey)
	pair.published.SRS, pair.published.Circuit = k.srs.Digest(), digest
	return pair, k.cache.read(name, m, pair.Proving)
}

// readSRS reads the SRS that a manifest of the cache describes.
func (c *cache) readSRS(m *manifest) (*commit.SRS, error) {
	if len(m.VerifyingKey) != len(commit.Digest{}) {
		return nil, errors.New("manifest holds no SRS digest")
	}
	f, err := os.Open(c.path(srsName, ".bin"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return commit.ReadSRS(f, commit.Digest(m.VerifyingKey))
}

// checkBases refuses a key in which a committed value has the point at infinity
// as its basis: it would be neither bound nor hide anything.
func checkBases(pk *groth16.ProvingKey) error {
	for i := range pk.CommitmentKeys {
		for j := range pk.CommitmentKeys[i].Basis {
			if pk.CommitmentKeys[i].Basis[j].IsInfinity() || pk.CommitmentKeys[i].BasisExpSigma[j].IsInfinity() {
				return fmt.Errorf("value %d of commitment %d occurs in no constraint", j, i)
			}
		}
	}
	return nil
}
