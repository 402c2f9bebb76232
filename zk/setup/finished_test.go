package setup

import (
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

func fewPowers(t *testing.T, tau int64) *commit.SRS {
	t.Helper()
	raw, err := kzg.NewSRS(8, big.NewInt(tau))
	if err != nil {
		t.Fatal(err)
	}
	srs, err := commit.NewSRS(raw.Pk.G1, [2]bn254.G2Affine{raw.Vk.G2[0], raw.Vk.G2[1]})
	if err != nil {
		t.Fatal(err)
	}
	return srs
}

var transcript = commit.Digest{1, 2, 3}

func store(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := FinishedStore(dir, transcript)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFinishedKeys puts keys, opens them, and finds that they are what was put and nothing else.
func TestFinishedKeys(t *testing.T) {
	dir := t.TempDir()
	s, srs := store(t, dir), fewPowers(t, 12345)
	system := compiled(t, &committing{both: true})
	var pk, other groth16.ProvingKey
	for _, key := range []*groth16.ProvingKey{&pk, &other} {
		if err := groth16.Setup(system, key, new(groth16.VerifyingKey)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CheckSRS(srs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing is there: %v", err)
	}
	if err := errors.Join(s.PutSRS(srs), s.PutCircuit("c/v1", system, &pk, []byte("key"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.CheckSRS(srs), s.CheckCircuit("c/v1", system, &pk, []byte("key"))); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"other SRS": s.CheckSRS(fewPowers(t, 54321)), "other proving key": s.CheckCircuit("c/v1", system, &other, []byte("key")),
		"other verifying key": s.CheckCircuit("c/v1", system, &pk, []byte("another")),
	} {
		if !errors.Is(err, ErrNotTheKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	found, err := filepath.Glob(filepath.Join(s.Dir(), "c-v1-*.bin"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	b, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(found[0], append(b, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckCircuit("c/v1", system, &pk, []byte("key")); !errors.Is(err, ErrNotTheKey) {
		t.Errorf("longer file: %v", err)
	}
	keys, err := Finished(dir, transcript)
	if err != nil {
		t.Fatal(err)
	}
	if keys.SRS().Digest() != srs.Digest() || keys.Setup() != verify.CeremonySetup(transcript) {
		t.Errorf("SRS %s of setup %s", keys.SRS().Digest(), keys.Setup())
	}
	if _, err := keys.Chunk(64); err == nil || !strings.Contains(err.Error(), "holds no key chunk-64-v1") {
		t.Errorf("a key that nobody has made: %v", err)
	}
	if _, err := Finished(dir, commit.Digest{9}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a ceremony that is not there: %v", err)
	}
}

func TestPutRefusesUnusedCommittedValue(t *testing.T) {
	system := compiled(t, &committing{})
	var pk groth16.ProvingKey
	if err := groth16.Setup(system, &pk, new(groth16.VerifyingKey)); err != nil {
		t.Fatal(err)
	}
	if err := store(t, t.TempDir()).PutCircuit("c/v1", system, &pk, []byte("key")); err == nil || !strings.Contains(err.Error(), "occurs in no constraint") {
		t.Errorf("got %v", err)
	}
}
