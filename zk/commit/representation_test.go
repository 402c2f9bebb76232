package commit_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

func randomScalar() fr.Element {
	var s fr.Element
	return *s.MustSetRandom()
}

// forge makes the proof that a challenge without R would let anyone make for any point: choose the answers and the
// challenge, and solve for R.
func forge(srs *commit.SRS, p commit.Place, device commit.DeviceID, target bn254.G1Affine) commit.Representation {
	g, h := srs.Bases(p.Size, p.Slot)
	c := commit.Challenge(p, device, &g, &h, &target, &g) // g stands where R should
	proof := commit.Representation{Zx: randomScalar(), Zr: randomScalar()}
	var cC bn254.G1Affine
	cC.ScalarMultiplication(&target, c.BigInt(new(big.Int)))
	proof.R = commit.Combine(g, h, proof.Zx, proof.Zr)
	proof.R.Sub(&proof.R, &cC)
	return proof
}

// neighbour adds one unit of the next slot's base to a commitment.
func neighbour(srs *commit.SRS, p commit.Place, c bn254.G1Affine) bn254.G1Affine {
	next := srs.G1(int(p.Slot) + 1)
	c.Add(&c, &next)
	return c
}

func provenOpening(t *testing.T) (*commit.SRS, commit.Place, committest.Device, commit.Opening, commit.Representation) {
	t.Helper()
	srs, device := committest.UnsafeSRS(64), committest.NewDevice(commit.Ed25519)
	p := testPlace(srs)
	o, err := commit.Commit(srs, p, committest.Record(1), device.Secret)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := commit.Prove(srs, p, device.Public.DeviceID(), o, device.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return srs, p, device, o, proof
}

func TestRepresentationVerifies(t *testing.T) {
	srs, p, device, o, proof := provenOpening(t)
	if err := proof.VerifyOne(srs, p, device.Public.DeviceID(), o.C); err != nil {
		t.Fatal(err)
	}
	back, err := commit.ParseRepresentation(proof.Bytes())
	if err != nil || back != proof {
		t.Errorf("proof reads back as %v, %v", back, err)
	}
}

// ‡ The challenge covers R.
func TestProofForgedByLeavingROutOfTheChallengeIsRefused(t *testing.T) {
	srs, p, device, o, _ := provenOpening(t)
	for name, target := range map[string]bn254.G1Affine{
		"own commitment":         o.C,
		"support on a neighbour": neighbour(srs, p, o.C),
		"somebody else's power":  srs.G1(3),
	} {
		proof := forge(srs, p, device.Public.DeviceID(), target)
		if err := proof.VerifyOne(srs, p, device.Public.DeviceID(), target); err == nil {
			t.Errorf("%s: forged proof accepted", name)
		}
	}
}

func TestProofIsForNoOtherPlaceDeviceOrPoint(t *testing.T) {
	srs, p, device, o, proof := provenOpening(t)
	g, h := srs.Bases(p.Size, p.Slot)
	good := commit.Challenge(p, device.Public.DeviceID(), &g, &h, &o.C, &proof.R)
	for name, q := range elsewhere(p) {
		if c := commit.Challenge(q, device.Public.DeviceID(), &g, &h, &o.C, &proof.R); c.Equal(&good) {
			t.Errorf("challenge does not depend on %s", name)
		}
		if err := proof.VerifyOne(srs, q, device.Public.DeviceID(), o.C); err == nil {
			t.Errorf("proof verifies at another %s", name)
		}
	}
	if err := proof.VerifyOne(srs, p, commit.DeviceID{1}, o.C); err == nil {
		t.Error("proof verifies for another device")
	}
	if err := proof.VerifyOne(srs, p, device.Public.DeviceID(), neighbour(srs, p, o.C)); err == nil {
		t.Error("proof verifies for a commitment with support on a neighbour's slot")
	}
	for name, c := range map[string]fr.Element{
		"G": commit.Challenge(p, device.Public.DeviceID(), &h, &h, &o.C, &proof.R),
		"H": commit.Challenge(p, device.Public.DeviceID(), &g, &g, &o.C, &proof.R),
		"C": commit.Challenge(p, device.Public.DeviceID(), &g, &h, &g, &proof.R),
	} {
		if c.Equal(&good) {
			t.Errorf("challenge does not depend on %s", name)
		}
	}
}

func TestProofWithOneWrongPartIsRefused(t *testing.T) {
	srs, p, device, o, good := provenOpening(t)
	one := fr.One()
	for name, change := range map[string]func(*commit.Representation){
		"z_x": func(r *commit.Representation) { r.Zx.Add(&r.Zx, &one) },
		"z_r": func(r *commit.Representation) { r.Zr.Add(&r.Zr, &one) },
		"R":   func(r *commit.Representation) { r.R.Neg(&r.R) },
		"R at infinity": func(r *commit.Representation) {
			r.R.SetInfinity()
		},
		"R off the curve": func(r *commit.Representation) { r.R.X.SetUint64(4) },
	} {
		bad := good
		change(&bad)
		if err := bad.VerifyOne(srs, p, device.Public.DeviceID(), o.C); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	// 0 = 0·G + 0·H, so whoever commits to infinity could prove it.
	g, h := srs.Bases(p.Size, p.Slot)
	var infinity bn254.G1Affine
	zero := fr.Element{}
	challenge := func(R bn254.G1Affine) fr.Element {
		return commit.Challenge(p, device.Public.DeviceID(), &g, &h, &infinity, &R)
	}
	proof := commit.ProveBases(g, h, zero, zero, randomScalar(), randomScalar(), challenge)
	if err := proof.VerifyOne(srs, p, device.Public.DeviceID(), infinity); err == nil {
		t.Error("a commitment at infinity was accepted")
	}
	// Nonces of zero satisfy the equation and reveal x and r.
	proof = commit.ProveBases(g, h, o.X, o.R, zero, zero, func(R bn254.G1Affine) fr.Element {
		return commit.Challenge(p, device.Public.DeviceID(), &g, &h, &o.C, &R)
	})
	if err := proof.VerifyOne(srs, p, device.Public.DeviceID(), o.C); err == nil {
		t.Error("an R at infinity was accepted")
	}
}

// ‡ One nonce never serves two statements: answers to two challenges would give x and r away.
func TestOneNonceNeverServesTwoStatements(t *testing.T) {
	srs, p, device, o, proof := provenOpening(t)
	again, err := commit.Prove(srs, p, device.Public.DeviceID(), o, device.Secret)
	if err != nil || again != proof {
		t.Errorf("proving twice gave two proofs (%v)", err)
	}
	seen := map[[32]byte]string{proof.R.X.Bytes(): "the first"}
	check := func(name string, srs *commit.SRS, p commit.Place, id commit.DeviceID, o commit.Opening, secret commit.Secret) {
		other, err := commit.Prove(srs, p, id, o, secret)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		x := other.R.X.Bytes()
		if same, ok := seen[x]; ok {
			t.Errorf("a statement with another %s has the nonce of %s", name, same)
		}
		seen[x] = name
	}
	id := device.Public.DeviceID()
	for name, q := range elsewhere(p) {
		if name != "srs" && name != "size" { // those have other bases in any case
			check(name, srs, q, id, o, device.Secret)
		}
	}
	check("device", srs, p, commit.DeviceID{1}, o, device.Secret)
	check("secret", srs, p, id, o, commit.NewSecret())
	otherX, otherC := o, o
	otherX.X.Double(&o.X)
	otherC.C = neighbour(srs, p, o.C)
	check("x", srs, p, id, otherX, device.Secret)
	check("C", srs, p, id, otherC, device.Secret)
}

func TestParseRefusesPointsAndScalarsThatAreNotCanonical(t *testing.T) {
	_, _, _, _, proof := provenOpening(t)
	good := proof.Bytes()
	for name, b := range badPoints(t) {
		if p, err := commit.ParsePoint(b); err == nil {
			t.Errorf("point %s: read as %v", name, p)
		}
		if len(b) == commit.PointBytes {
			if _, err := commit.ParseRepresentation(append(append([]byte{}, b...), good[32:]...)); err == nil {
				t.Errorf("R %s: accepted", name)
			}
		}
	}
	for offset, name := range map[int]string{32: "z_x", 64: "z_r"} {
		bad := append([]byte{}, good...)
		copy(bad[offset:], addModulus(bad[offset:offset+32], fr.Modulus()))
		if _, err := commit.ParseRepresentation(bad); err == nil {
			t.Errorf("%s that is not reduced was accepted", name)
		}
	}
	for _, n := range []int{0, 95, 97} {
		if _, err := commit.ParseRepresentation(make([]byte, n)); err == nil {
			t.Errorf("proof of %d bytes accepted", n)
		}
	}
	for _, n := range []int{0, 31, 33, 48} {
		if _, err := commit.ParseScalar(make([]byte, n)); err == nil {
			t.Errorf("scalar of %d bytes accepted", n)
		}
	}
	if _, err := commit.ParseScalar(fr.Modulus().Bytes()); err == nil {
		t.Error("the modulus was accepted as a scalar")
	}
}
