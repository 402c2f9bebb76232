package setup

import (
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// committing is a circuit that commits to two values and uses one of them, or
// both.
type committing struct {
	Public frontend.Variable `gnark:",public"`
	A, B   frontend.Variable
	both   bool
}

func (c *committing) Define(api frontend.API) error {
	v, err := api.Compiler().(frontend.Committer).Commit(c.A, c.B)
	if err != nil {
		return err
	}
	api.AssertIsEqual(api.Mul(c.A, v), api.Mul(c.Public, v))
	if c.both {
		api.AssertIsEqual(c.B, c.B)
	}
	return nil
}

func compiled(t *testing.T, c frontend.Circuit) *cs.R1CS {
	t.Helper()
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		t.Fatal(err)
	}
	return ccs.(*cs.R1CS)
}

// TestSetupRefusesUnusedCommittedValue: the library compiles a circuit that
// commits to a value in no constraint without a word. The value's basis is the
// point at infinity, so it masks nothing.
func TestSetupRefusesUnusedCommittedValue(t *testing.T) {
	cache, err := openCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	u := &Unsafe{&Keys{cache: cache}, func(string) {}}
	encode := func(*groth16.VerifyingKey) ([]byte, error) { return []byte{1}, nil }
	if _, err := u.make("test", "key", compiled(t, &committing{}), encode); err == nil || !strings.Contains(err.Error(), "value 1 of commitment 0 occurs in no constraint") {
		t.Errorf("got %v", err)
	}
	if _, err := u.make("test", "key", compiled(t, &committing{both: true}), encode); err != nil {
		t.Error(err)
	}
}

// TestCacheNameFollowsCircuit: a changed circuit never meets an old key, and an
// unchanged one always its own.
func TestCacheNameFollowsCircuit(t *testing.T) {
	name := func(id string, system *cs.R1CS) string {
		t.Helper()
		n, err := cacheName(id, system)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	a, b := name("chunk-64/v1", compiled(t, &committing{})), name("chunk-64/v1", compiled(t, &committing{both: true}))
	if a == b || !strings.HasPrefix(a, "chunk-64-v1-") || strings.Contains(a, "/") {
		t.Errorf("names %s and %s", a, b)
	}
	for range 2 {
		if again := name("chunk-64/v1", compiled(t, &committing{})); again != a {
			t.Errorf("compiled again: %s, first %s", again, a)
		}
	}
	if other := name("chunk-256/v1", compiled(t, &committing{})); other == a {
		t.Error("two ids have one name")
	}
	seen := map[string]bool{}
	for _, n := range []int{64, 64, 256} {
		system, err := zk.CompileChunk(n)
		if err != nil {
			t.Fatal(err)
		}
		seen[strings.TrimPrefix(name("x", system), "x-")] = true
	}
	if len(seen) != 2 {
		t.Errorf("two circuits, one of them compiled twice, have %d digests", len(seen))
	}
}

// shared opens the cache that all tests on this machine share.
func shared(t *testing.T) *Unsafe {
	t.Helper()
	if testing.Short() {
		t.Skip("needs keys")
	}
	u, err := UnsafeSingleParty("", nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestKeysHaveNoInfinity looks at real keys: every committed value, the blinding
// ones among them, has a basis, and every public input a point.
func TestKeysHaveNoInfinity(t *testing.T) {
	u := shared(t)
	for _, n := range []int{64, 256} {
		key, err := u.Chunk(n)
		if err != nil {
			t.Fatal(err)
		}
		info := key.System.CommitmentInfo.(constraint.Groth16Commitments)
		for i, c := range key.Proving.CommitmentKeys {
			if len(c.Basis) != len(info[i].PrivateCommitted) || len(c.BasisExpSigma) != len(c.Basis) {
				t.Errorf("chunk of %d: commitment %d has %d and %d points for %d values", n, i, len(c.Basis), len(c.BasisExpSigma), len(info[i].PrivateCommitted))
			}
			for j := range c.Basis {
				if c.Basis[j].IsInfinity() || c.BasisExpSigma[j].IsInfinity() {
					t.Errorf("chunk of %d: value %d of commitment %d has no basis", n, j, i)
				}
			}
		}
		if want := 2*n + 2 + 1 + statement.VectorSize + 1; len(key.Proving.CommitmentKeys[0].Basis) != want {
			t.Errorf("chunk of %d: the link covers %d values, want %d", n, len(key.Proving.CommitmentKeys[0].Basis), want)
		}
	}
	published, err := u.Published(64, 256)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, k := range published {
		ids = append(ids, k.CircuitID)
		if err := verify.CheckKey(k); err != nil { // which refuses every point at infinity
			t.Error(err)
		}
		if k.Setup != verify.SetupUnsafe {
			t.Errorf("%s: setup %q", k.CircuitID, k.Setup)
		}
	}
	if got := strings.Join(ids, " "); got != "srs/v1 chunk-64/v1 chunk-256/v1 fleet-64/v1" {
		t.Errorf("published %s", got)
	}
}

// TestTwoCommitmentsHaveOwnBases: were a blinding value's basis the same in
// both commitments, or that of the library's mask, one would unblind the other.
func TestTwoCommitmentsHaveOwnBases(t *testing.T) {
	key, err := shared(t).Chunk(64)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[bn254.G1Affine]int{}
	for i, c := range key.Proving.CommitmentKeys {
		for _, p := range c.Basis {
			neg := p
			neg.Neg(&neg)
			if j, ok := seen[p]; ok && j != i {
				t.Errorf("commitments %d and %d share a base", i, j)
			}
			seen[p], seen[neg] = i, i
		}
	}
}

func TestSRS(t *testing.T) {
	u := shared(t)
	srs := u.SRS()
	if srs.Len() != Powers || Powers != commit.MaxPowers {
		t.Errorf("%d powers, want %d", srs.Len(), Powers)
	}
	_, _, g1, g2 := bn254.Generators()
	vk := srs.VerifyingKey()
	if vk.G1 != g1 || vk.G2[0] != g2 || vk.G2[1] == g2 {
		t.Error("openings stand on other generators")
	}
	for _, n := range commit.Sizes {
		if err := srs.Supports(uint32(n)); err != nil {
			t.Error(err)
		}
	}
}

func TestChunkRefusesSize(t *testing.T) {
	u := shared(t)
	for _, n := range []int{-64, 0, 1, 63, 65, 128, 8192} {
		if _, err := u.Chunk(n); err == nil {
			t.Errorf("a key for chunks of %d", n)
		}
		if _, err := u.Published(n); err == nil {
			t.Errorf("a published key for chunks of %d", n)
		}
	}
}

func TestRelease(t *testing.T) {
	u := shared(t)
	first, err := u.Chunk(64)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := u.Chunk(64); err != nil || again != first {
		t.Errorf("loaded twice: %v", err)
	}
	u.Release()
	again, err := u.Chunk(64)
	if err != nil || again == first {
		t.Fatalf("not released: %v", err)
	}
	if again.Proving.G1.Alpha != first.Proving.G1.Alpha {
		t.Error("another key after releasing")
	}
}
