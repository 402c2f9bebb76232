package ceremony

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
	"github.com/assay-net/assay/zk/setup/transcript"
)

func TestMain(m *testing.M) {
	logger.Disable()
	flag.Parse()
	code := m.Run()
	if scratch != "" {
		os.RemoveAll(scratch) //nolint:errcheck // the system clears its own temporary directory
	}
	os.Exit(code)
}

const (
	twiceID = ceremonytest.TwiceID
	plainID = ceremonytest.PlainID
)

// verifyingKeys is where a test's keyset leaves the keys that it encodes.
type verifyingKeys map[string]*groth16.VerifyingKey

func small(t testing.TB, got verifyingKeys) *Keyset {
	encode := func(id string) func(*groth16.VerifyingKey) ([]byte, error) {
		return func(vk *groth16.VerifyingKey) ([]byte, error) {
			if got != nil {
				got[id] = vk
			}
			return ceremonytest.Encode(vk)
		}
	}
	return &Keyset{
		Powers: ceremonytest.Powers,
		EncodeSRS: func(srs *commit.SRS) ([]byte, error) {
			digest := srs.Digest()
			return digest[:], nil
		},
		Circuits: []Circuit{
			{twiceID, ceremonytest.Compile(t, &ceremonytest.Twice{}), encode(twiceID)},
			{plainID, ceremonytest.Compile(t, &ceremonytest.Plain{}), encode(plainID)},
		},
	}
}

// The contributors of every test, and somebody who is none.
var alice, bob, carol, mallory = signer(1), signer(2), signer(3), signer(4)

func signer(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func testPlan(t testing.TB) transcript.Plan {
	p := transcript.Plan{Name: "a test", Ledger: commit.Digest{7}, Beacon: "block 100 of channel test", Minimum: 2}
	for _, c := range []struct {
		id  string
		key crypto.Signer
	}{{"alice", alice}, {"bob", bob}, {"carol", carol}} {
		key, err := commit.NewPublicKey(c.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		p.Contributors = append(p.Contributors, transcript.Contributor{ID: c.id, Key: key.DER()})
	}
	return p
}

var (
	scratch   string
	beaconOne = transcript.Beacon{Value: commit.Digest{1, 2, 3}, Source: "block 100 of channel test"}
	beaconTwo = transcript.Beacon{Value: commit.Digest{4, 5, 6}, Source: "block 200 of channel test"}
)

// Stages of the ceremony that tests share: alice and bob have contributed; closed; both again; closed, with keys.
const (
	contributed = "1"
	halfway     = "2"
	complete    = "3"
	finished    = "4"
)

// stages makes one ceremony and keeps a copy of every stage.
var stages = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "assay-ceremony-test-")
	if err != nil {
		return "", err
	}
	scratch = dir
	t := &outside{}
	now := filepath.Join(dir, "now")
	c, err := Init(now, testPlan(t), small(t, nil))
	if err != nil {
		return "", err
	}
	keep := func(name string) error { return os.CopyFS(filepath.Join(dir, name), os.DirFS(now)) }
	contribute := func() error {
		for _, who := range []crypto.Signer{alice, bob} {
			if _, err := c.Contribute(context.Background(), who); err != nil {
				return err
			}
		}
		return nil
	}
	finalize := func(b transcript.Beacon) error {
		_, err := c.Finalize(context.Background(), b, filepath.Join(dir, "cache"))
		return err
	}
	return dir, errors.Join(c.Use(small(t, nil)), contribute(), keep(contributed), finalize(beaconOne), keep(halfway), contribute(), keep(complete),
		finalize(beaconTwo), keep(finished))
})

// outside is a testing.TB for what runs once for all tests.
type outside struct{ testing.TB }

func (*outside) Helper()           {}
func (*outside) Fatal(args ...any) { panic(args) }

// at opens a copy of the ceremony at a stage.
func ceremonyAt(t testing.TB, stage string) *Ceremony {
	t.Helper()
	all, err := stages()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(all, stage))); err != nil {
		t.Fatal(err)
	}
	return opened(t, dir)
}

func opened(t testing.TB, dir string) *Ceremony {
	t.Helper()
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Use(small(t, nil)); err != nil {
		t.Fatal(err)
	}
	return c
}

// cacheCopy is a copy of the cache with the finished ceremony's keys.
func cacheCopy(t testing.TB) string {
	t.Helper()
	all, err := stages()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(all, "cache"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func refused(t testing.TB, err error, want transcript.Fault) *transcript.Refusal {
	t.Helper()
	var r *transcript.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal (%s)", err, want)
	}
	if r.Fault != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	if r.Where == "" {
		t.Errorf("%v names no place", err)
	}
	return r
}
