// Package setup makes and keeps the keys that proofs stand on: the SRS behind
// anchors and openings, and a Groth16 key pair for each circuit.
//
// [UnsafeSingleParty] is for tests and demonstrations. One party draws every
// secret; it forgets them, but nobody can check that it did, and with them it
// could forge any proof. Its name says so, the published keys say so, and every
// verdict made with them says so.
//
// Keys are kept in a cache directory. A circuit's files are named after the
// digest of its constraint system, so a changed circuit never meets an old key.
// Proving keys are streamed; their digest is checked before they are parsed,
// since a parser trusts the lengths it reads. Any number of processes may fill
// and read one cache: a lock per key lets one of them work while the others
// wait, and files appear whole or not at all.
//
// What the package does not promise: a cache directory that someone else can
// write to is theirs. Whoever changes a key pair together with its manifest has
// made a setup of their own; the ledger's pinned digests are what verifiers
// hold keys against.
package setup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// Powers is the number of powers of tau that the largest chunk needs.
var Powers = 2*commit.Sizes[len(commit.Sizes)-1] + 2

// Report is told what a long step is about to do.
type Report func(step string)

// Unsafe holds keys of a single-party setup. It implements [zk.Keys]. It is
// safe for concurrent use; keys are made or loaded when first asked for and
// kept until [Unsafe.Release].
type Unsafe struct {
	cache  *cache
	report Report
	srs    *commit.SRS

	mu   sync.Mutex
	keys map[string]*keyPair
}

// srsName is the SRS's name in a cache.
const srsName = "srs"

type keyPair struct {
	zk.CircuitKey
	published verify.PublishedKey
}

var _ zk.Keys = (*Unsafe)(nil)

// DefaultDir is the cache directory of this user: $ASSAY_CACHE if set, else
// "assay" in the system's cache directory.
func DefaultDir() (string, error) {
	if dir := os.Getenv("ASSAY_CACHE"); dir != "" {
		return dir, nil
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a cache directory (set ASSAY_CACHE): %w", err)
	}
	return filepath.Join(base, "assay"), nil
}

// UnsafeSingleParty opens the setup cached in dir, or in [DefaultDir] if that is
// empty, making the SRS if there is none yet. Report may be nil.
func UnsafeSingleParty(dir string, report Report) (*Unsafe, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	if report == nil {
		report = func(string) {}
	}
	c, err := openCache(filepath.Join(dir, "unsafe-single-party"))
	if err != nil {
		return nil, err
	}
	u := &Unsafe{cache: c, report: report, keys: map[string]*keyPair{}}
	if u.srs, err = u.loadSRS(); err != nil {
		return nil, fmt.Errorf("unsafe SRS: %w", err)
	}
	return u, nil
}

// SRS returns the powers of tau.
func (u *Unsafe) SRS() *commit.SRS { return u.srs }

// SRSFile is the path of the file that holds them, as [commit.SRS.WriteTo]
// writes it.
func (u *Unsafe) SRSFile() string { return u.cache.path(srsName, ".bin") }

// Chunk returns the keys for chunks of n slots.
func (u *Unsafe) Chunk(n int) (*zk.CircuitKey, error) {
	k, err := u.chunk(n)
	if err != nil {
		return nil, err
	}
	return &k.CircuitKey, nil
}

func (u *Unsafe) chunk(n int) (*keyPair, error) {
	if !slices.Contains(commit.Sizes, n) {
		return nil, fmt.Errorf("no chunk has %d slots; sizes are %v", n, commit.Sizes)
	}
	return u.key(verify.ChunkCircuit(uint32(n)), func() (*cs.R1CS, error) { return zk.CompileChunk(n) }, verify.EncodeChunkKey)
}

// Fleet returns the keys of the fleet circuit.
func (u *Unsafe) Fleet() (*zk.CircuitKey, error) {
	k, err := u.fleet()
	if err != nil {
		return nil, err
	}
	return &k.CircuitKey, nil
}

func (u *Unsafe) fleet() (*keyPair, error) {
	return u.key(verify.FleetCircuit, zk.CompileFleet, verify.EncodeFleetKey)
}

// Published lists the verifying keys for a consortium with chunks of the given
// sizes: the SRS, one for each size, and the fleet's.
func (u *Unsafe) Published(sizes ...int) ([]verify.PublishedKey, error) {
	b, err := verify.EncodeSRSKey(u.srs)
	if err != nil {
		return nil, err
	}
	out := []verify.PublishedKey{verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, b)}
	for _, n := range sizes {
		k, err := u.chunk(n)
		if err != nil {
			return nil, err
		}
		out = append(out, k.published)
	}
	k, err := u.fleet()
	if err != nil {
		return nil, err
	}
	return append(out, k.published), nil
}

// Release forgets the keys in memory; they are loaded again when asked for.
func (u *Unsafe) Release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.keys)
}

func (u *Unsafe) key(id string, compile func() (*cs.R1CS, error), encode func(*groth16.VerifyingKey) ([]byte, error)) (*keyPair, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if k := u.keys[id]; k != nil {
		return k, nil
	}
	system, err := compile()
	if err != nil {
		return nil, fmt.Errorf("circuit %s: %w", id, err)
	}
	k, err := u.cached(id, system, encode)
	if err != nil {
		return nil, fmt.Errorf("unsafe setup of %s: %w", id, err)
	}
	u.keys[id] = k
	return k, nil
}

// cached loads the key pair, or makes and stores it.
func (u *Unsafe) cached(id string, system *cs.R1CS, encode func(*groth16.VerifyingKey) ([]byte, error)) (*keyPair, error) {
	name, err := cacheName(id, system)
	if err != nil {
		return nil, err
	}
	unlock, err := u.cache.lock(name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	k := &keyPair{CircuitKey: zk.CircuitKey{System: system}}
	m, err := u.cache.manifest(name)
	if errors.Is(err, os.ErrNotExist) {
		u.report(fmt.Sprintf("unsafe single-party setup of %s (%d constraints, once; kept in %s)", id, system.GetNbConstraints(), u.cache.dir))
		m, err = u.make(name, system, encode)
	}
	if err != nil {
		return nil, err
	}
	k.published = verify.NewPublishedKey(id, verify.SetupUnsafe, m.VerifyingKey)
	k.Proving = new(groth16.ProvingKey)
	return k, u.cache.read(name, m, k.Proving)
}

func (u *Unsafe) make(name string, system *cs.R1CS, encode func(*groth16.VerifyingKey) ([]byte, error)) (*manifest, error) {
	var pk groth16.ProvingKey
	var vk groth16.VerifyingKey
	if err := groth16.Setup(system, &pk, &vk); err != nil {
		return nil, err
	}
	if err := checkBases(&pk); err != nil {
		return nil, err
	}
	encoded, err := encode(&vk)
	if err != nil {
		return nil, err
	}
	return u.cache.write(name, encoded, pk.WriteRawTo)
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

func (u *Unsafe) loadSRS() (*commit.SRS, error) {
	unlock, err := u.cache.lock(srsName)
	if err != nil {
		return nil, err
	}
	defer unlock()
	m, err := u.cache.manifest(srsName)
	if errors.Is(err, os.ErrNotExist) {
		u.report(fmt.Sprintf("unsafe single-party SRS with %d powers (once; kept in %s)", Powers, u.cache.dir))
		m, err = u.makeSRS()
	}
	if err != nil {
		return nil, err
	}
	if len(m.VerifyingKey) != len(commit.Digest{}) {
		return nil, errors.New("manifest holds no SRS digest")
	}
	f, err := os.Open(u.SRSFile())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return commit.ReadSRS(f, commit.Digest(m.VerifyingKey))
}

func (u *Unsafe) makeSRS() (*manifest, error) {
	tau, err := rand.Int(rand.Reader, fr.Modulus())
	if err != nil {
		return nil, fmt.Errorf("drawing tau: %w", err)
	}
	srs, err := newUnsafeSRS(tau)
	if err != nil {
		return nil, err
	}
	digest := srs.Digest()
	return u.cache.write(srsName, digest[:], srs.WriteTo)
}

func newUnsafeSRS(tau *big.Int) (*commit.SRS, error) {
	raw, err := kzg.NewSRS(uint64(Powers), tau)
	if err != nil {
		return nil, err
	}
	tau.SetInt64(0)
	return commit.NewSRS(raw.Pk.G1, [2]bn254.G2Affine{raw.Vk.G2[0], raw.Vk.G2[1]})
}
