package ceremony

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

var ctx = context.Background()

// TestWholeCeremony finalizes on a second machine, which gets the same keys, and proves with them.
func TestWholeCeremony(t *testing.T) {
	c, cache := ceremonyAt(t, finished), cacheCopy(t)
	r, err := c.Verify(ctx, cache)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Contributions) != 8 || len(r.Closings) != 4 || len(r.Keys) != 3 || r.Transcript.IsZero() {
		t.Errorf("%d contributions, %d closings, %d keys, transcript %s", len(r.Contributions), len(r.Closings), len(r.Keys), r.Transcript)
	}
	for _, k := range r.Keys {
		if !k.Kept || k.Setup != verify.CeremonySetup(r.Transcript) {
			t.Errorf("key %+v", k)
		}
	}
	got := verifyingKeys{}
	if err := c.Use(small(t, got)); err != nil {
		t.Fatal(err)
	}
	again := t.TempDir()
	second, err := opened(t, c.dir).Finalize(ctx, transcript.Beacon{}, again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, second); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Finalize(ctx, transcript.Beacon{}, again); err != nil {
		t.Fatal(err)
	}
	keys, err := setup.Finished(again, r.Transcript)
	if err != nil {
		t.Fatal(err)
	}
	if srs := keys.SRS(); srs.Len() != ceremonytest.Powers || srs.Digest() != r.Keys[0].Source {
		t.Errorf("SRS with %d powers", srs.Len())
	}
	provesWith(t, again, got)
}

// provesWith makes a proof for the circuit with two commitments, and one for the other.
func provesWith(t *testing.T, cache string, verifying verifyingKeys) {
	t.Helper()
	for id, assignment := range map[string]frontend.Circuit{
		twiceID: &ceremonytest.Twice{Public: 5, A: 5, B: 5, C: 1}, plainID: &ceremonytest.Plain{Public: 1 << 21, X: 2},
	} {
		found, err := filepath.Glob(filepath.Join(cache, "*", transcript.FolderOf(id)+"*.bin"))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		b, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		var pk groth16.ProvingKey
		if _, err := pk.UnsafeReadFrom(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		var circuit frontend.Circuit = &ceremonytest.Twice{}
		if id == plainID {
			circuit = &ceremonytest.Plain{}
		}
		full, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
		if err != nil {
			t.Fatal(err)
		}
		proof, err := groth16.Prove(ceremonytest.Compile(t, circuit), &pk, full)
		if err != nil {
			t.Fatal(err)
		}
		public, err := full.Public()
		if err != nil {
			t.Fatal(err)
		}
		if err := groth16.Verify(proof, verifying[id], public.Vector().(fr.Vector)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestSinglePartyKeysHaveTheSameShape: what a ceremony makes is what the single-party setup makes, but for the secrets.
func TestSinglePartyKeysHaveTheSameShape(t *testing.T) {
	got := verifyingKeys{}
	c := ceremonyAt(t, finished)
	if err := c.Use(small(t, got)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for _, circuit := range c.keys.Circuits {
		var pk groth16.ProvingKey
		var vk groth16.VerifyingKey
		if err := groth16.Setup(circuit.System, &pk, &vk); err != nil {
			t.Fatal(err)
		}
		shape := func(vk *groth16.VerifyingKey) []any {
			return []any{len(vk.G1.K), len(vk.CommitmentKeys), vk.PublicAndCommitmentCommitted}
		}
		if diff := cmp.Diff(shape(&vk), shape(got[circuit.ID])); diff != "" {
			t.Error(circuit.ID, diff)
		}
	}
	if n := len(c.keys.Circuits[0].System.CommitmentInfo.(constraint.Groth16Commitments)); n != 2 {
		t.Errorf("the test's circuit has %d commitments", n)
	}
}

// TestSealedSRSHasItsGenerator: what the library seals after reading has G1 at infinity, and under that every opening passes.
func TestSealedSRSHasItsGenerator(t *testing.T) {
	s := &srsState{kzg.InitializeSetup(ceremonytest.Powers)}
	if err := s.bind(beaconOne.Value); err != nil {
		t.Fatal(err)
	}
	s.Contribute()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	var library kzg.MpcSetup
	if _, err := library.ReadFrom(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	if raw := library.Seal([]byte("beacon")); !raw.Vk.G1.IsInfinity() {
		t.Log("the library has begun to set the generator")
	}
	srs, err := s.seal(&transcript.End{Beacon: beaconOne.Value, Digest: beaconTwo.Value})
	if err != nil {
		t.Fatal(err)
	}
	_, _, g1, g2 := bn254.Generators()
	if vk := srs.VerifyingKey(); vk.G1 != g1 || vk.G2[0] != g2 {
		t.Error("openings stand on other generators")
	}
}

// TestContributeGoesOn: a repeated call adds nothing, one that was interrupted adds what is missing.
func TestContributeGoesOn(t *testing.T) {
	c := ceremonyAt(t, contributed)
	if _, err := c.Contribute(ctx, alice); !errors.Is(err, ErrNothingToDo) {
		t.Errorf("got %v", err)
	}
	made, err := c.Contribute(ctx, carol)
	if err != nil || len(made) != 2 || made[0].Number != 3 {
		t.Fatalf("made %v, %v", made, err)
	}
	if err := os.Remove(c.contributionPath(transcript.PowersPart, 3)); err != nil {
		t.Fatal(err)
	}
	if made, err = c.Contribute(ctx, carol); err != nil || len(made) != 1 || made[0].Part != transcript.PowersPart {
		t.Errorf("made %v, %v", made, err)
	}
	if _, err := c.Contribute(ctx, mallory); err == nil {
		t.Error("mallory contributed")
	} else {
		refused(t, err, transcript.WrongContributor)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ceremonyAt(t, contributed).Contribute(stopped, carol); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

func TestStatus(t *testing.T) {
	for stage, want := range map[string]*Status{
		contributed: {Stage: 1, Open: []OpenPart{{transcript.SRSPart, 2, []string{"carol"}, true}, {transcript.PowersPart, 2, []string{"carol"}, true}}},
		halfway:     {Stage: 2, Open: []OpenPart{{twiceID, 0, []string{"alice", "bob", "carol"}, false}, {plainID, 0, []string{"alice", "bob", "carol"}, false}}},
		complete:    {Stage: 2, Open: []OpenPart{{twiceID, 2, []string{"carol"}, true}, {plainID, 2, []string{"carol"}, true}}},
		finished:    {},
	} {
		c := ceremonyAt(t, stage)
		c.keys = nil
		got, err := c.Status()
		if err != nil {
			t.Fatal(err)
		}
		want.Record = got.Record
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestVerifyOnTheWay verifies what there is before anything is closed.
func TestVerifyOnTheWay(t *testing.T) {
	for stage, contributions := range map[string]int{contributed: 4, halfway: 4, complete: 8} {
		r, err := ceremonyAt(t, stage).Verify(ctx, "")
		if err != nil || len(r.Contributions) != contributions || !r.Transcript.IsZero() || len(r.Keys) != 0 {
			t.Errorf("stage %s: %+v, %v", stage, r, err)
		}
	}
}
