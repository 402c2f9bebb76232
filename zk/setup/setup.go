// Package setup makes and keeps the keys that proofs stand on: the SRS behind
// anchors and openings, and a Groth16 key pair for each circuit.
//
// [UnsafeSingleParty] is for tests and demonstrations. One party draws every
// secret; it forgets them, but nobody can check that it did, and with them it
// could forge any proof. Its name says so, the published keys say so, and every
// verdict made with them says so. [Finished] opens the keys of a ceremony (package
// ceremony), which are sound if one of its contributors was honest; their setup
// names the ceremony's transcript.
//
// Keys are kept in a cache directory, each setup's in a folder of its own. A
// circuit's files are named after the digest of its constraint system, so a
// changed circuit never meets an old key. Proving keys are streamed; their digest
// is checked before they are parsed, since a parser trusts the lengths it reads.
// Any number of processes may fill and read one cache: a lock per key lets one of
// them work while the others wait, and files appear whole or not at all.
//
// What the package does not promise: a cache directory that someone else can
// write to is theirs. Whoever changes a key pair together with its manifest has
// made a setup of their own, whatever the folder is called; the ledger's pinned
// digests are what verifiers hold keys against.
package setup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

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

// Unsafe holds keys of a single-party setup. What its cache does not hold, it
// makes.
type Unsafe struct {
	*Keys
	report Report
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

// orDefault is dir, or DefaultDir if that is empty.
func orDefault(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	return DefaultDir()
}

// UnsafeSingleParty opens the setup cached in dir, or in [DefaultDir] if that is
// empty, making the SRS if there is none yet. Report may be nil.
func UnsafeSingleParty(dir string, report Report) (*Unsafe, error) {
	dir, err := orDefault(dir)
	if err != nil {
		return nil, err
	}
	if report == nil {
		report = func(string) {}
	}
	c, err := openCache(filepath.Join(dir, verify.SetupUnsafe))
	if err != nil {
		return nil, err
	}
	u := &Unsafe{&Keys{cache: c, setup: verify.SetupUnsafe, keys: map[string]*keyPair{}}, report}
	u.absent = u.make
	if u.srs, err = u.loadSRS(); err != nil {
		return nil, fmt.Errorf("unsafe SRS: %w", err)
	}
	return u, nil
}

func (u *Unsafe) make(id, name string, system *cs.R1CS, encode encoder) (*manifest, error) {
	u.report(fmt.Sprintf("unsafe single-party setup of %s (%d constraints, once; kept in %s)", id, system.GetNbConstraints(), u.cache.dir))
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
	return u.cache.readSRS(m)
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
