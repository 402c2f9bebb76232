package setup

import (
	"errors"
	"io/fs"
	"testing"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/assay-net/assay/zk/verify"
)

// TestHolds asks for the key that is there, for another of the same circuit, and for one of another circuit.
func TestHolds(t *testing.T) {
	dir := t.TempDir()
	s, system := store(t, dir), compiled(t, &committing{both: true})
	var pk groth16.ProvingKey
	if err := groth16.Setup(system, &pk, new(groth16.VerifyingKey)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.PutSRS(fewPowers(t, 12345)), s.PutCircuit("c/v1", system, &pk, []byte("key"))); err != nil {
		t.Fatal(err)
	}
	keys, err := Finished(dir, transcript)
	if err != nil {
		t.Fatal(err)
	}
	circuit, err := CircuitDigest(system)
	if err != nil {
		t.Fatal(err)
	}
	published := func(setup, encoded string) *verify.PublishedKey {
		k := verify.NewPublishedKey("c/v1", setup, []byte(encoded))
		k.Circuit = circuit
		return &k
	}
	if err := keys.Holds(published(keys.Setup(), "key")); err != nil {
		t.Error(err)
	}
	for _, k := range []*verify.PublishedKey{published(keys.Setup(), "another"), published(verify.SetupUnsafe, "key")} {
		if err := keys.Holds(k); !errors.Is(err, ErrNotTheKey) {
			t.Errorf("another key: %v", err)
		}
	}
	other := published(keys.Setup(), "key")
	other.Circuit[0] ^= 1
	if err := keys.Holds(other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another circuit: %v", err)
	}
}
