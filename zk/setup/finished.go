package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// ErrNotTheKey is the error for a kept file that is not the key it stands for.
var ErrNotTheKey = errors.New("is not this key")

// Finished opens the keys of a finished ceremony in the cache dir, or in
// [DefaultDir] if that is empty. It makes nothing: a key that is not there is an
// error.
func Finished(dir string, transcript commit.Digest) (*Keys, error) {
	folder, err := finishedDir(dir, transcript)
	if err != nil {
		return nil, err
	}
	k := &Keys{cache: &cache{folder}, setup: verify.CeremonySetup(transcript), keys: map[string]*keyPair{}}
	k.absent = func(_, name string, _ *cs.R1CS, _ encoder) (*manifest, error) {
		return nil, fmt.Errorf("%s holds no key %s: finalize the ceremony, or copy its keys and verify them with its folder", folder, name)
	}
	m, err := k.cache.manifest(srsName)
	if err != nil {
		return nil, fmt.Errorf("SRS of ceremony %s: %w", transcript, err)
	}
	if k.srs, err = k.cache.readSRS(m); err != nil {
		return nil, fmt.Errorf("SRS of ceremony %s: %w", transcript, err)
	}
	return k, nil
}

func finishedDir(dir string, transcript commit.Digest) (string, error) {
	dir, err := orDefault(dir)
	return filepath.Join(dir, "ceremony-"+transcript.String()), err
}

// Store is where a ceremony's keys are put, for [Finished] to open, or held
// against what is there.
type Store struct{ cache *cache }

// FinishedStore opens the store of a ceremony in the cache dir, or in [DefaultDir]
// if that is empty. There need not be anything.
func FinishedStore(dir string, transcript commit.Digest) (*Store, error) {
	folder, err := finishedDir(dir, transcript)
	return &Store{&cache{folder}}, err
}

// Dir is the store's folder.
func (s *Store) Dir() string { return s.cache.dir }

// PutSRS keeps the SRS.
func (s *Store) PutSRS(srs *commit.SRS) error {
	digest := srs.Digest()
	return s.put(srsName, digest[:], srs.WriteTo)
}

// PutCircuit keeps a circuit's proving key and the encoding of its verifying key.
// It refuses a key in which a committed value has no basis.
func (s *Store) PutCircuit(id string, system *cs.R1CS, proving *groth16.ProvingKey, verifying []byte) error {
	if err := checkBases(proving); err != nil {
		return err
	}
	name, err := cacheName(id, system)
	if err != nil {
		return err
	}
	return s.put(name, verifying, proving.WriteRawTo)
}

func (s *Store) put(name string, verifying []byte, to func(io.Writer) (int64, error)) error {
	c, err := openCache(s.cache.dir)
	if err != nil {
		return err
	}
	unlock, err := c.lock(name)
	if err != nil {
		return err
	}
	defer unlock()
	_, err = c.write(name, verifying, to)
	return err
}

// CheckSRS says whether the SRS that is kept is this one. The error is, or wraps,
// [ErrNotTheKey] if it is not, and fs.ErrNotExist if there is none.
func (s *Store) CheckSRS(srs *commit.SRS) error {
	digest := srs.Digest()
	return s.check(srsName, digest[:], srs.WriteTo)
}

// CheckCircuit says whether the key pair that is kept is this one, as CheckSRS
// does.
func (s *Store) CheckCircuit(id string, system *cs.R1CS, proving *groth16.ProvingKey, verifying []byte) error {
	name, err := cacheName(id, system)
	if err != nil {
		return err
	}
	return s.check(name, verifying, proving.WriteRawTo)
}

// check holds manifest and file, which need not agree, against the key.
func (s *Store) check(name string, verifying []byte, to func(io.Writer) (int64, error)) error {
	m, err := s.cache.manifest(name)
	if err != nil {
		return err
	}
	want := sha256.New()
	n, err := to(want)
	if err != nil {
		return err
	}
	sum := hex.EncodeToString(want.Sum(nil))
	if hexSHA256(m.VerifyingKey) != hexSHA256(verifying) || m.SHA256 != sum || m.Bytes != n {
		return fmt.Errorf("the key that %s describes %w", s.cache.path(name, ".json"), ErrNotTheKey)
	}
	f, err := os.Open(s.cache.path(name, ".bin"))
	if err != nil {
		return err
	}
	defer f.Close()
	got := sha256.New()
	read, err := io.Copy(got, io.LimitReader(f, n+1))
	if err != nil {
		return fmt.Errorf("reading key file %s: %w", f.Name(), err)
	}
	if read != n || hex.EncodeToString(got.Sum(nil)) != sum {
		return fmt.Errorf("the file %s %w", f.Name(), ErrNotTheKey)
	}
	return nil
}
