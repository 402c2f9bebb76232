package ocmf

import (
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"

	"crypto/elliptic"

	"github.com/ProtonMail/go-crypto/bitcurves"
	"github.com/ProtonMail/go-crypto/brainpool"
)

// Who holds a private key can choose r so that the verifier's sum is the point at infinity, or twice the same point. Neither is a
// signature that a meter makes, and neither may end the process.
func TestSumsAtInfinity(t *testing.T) {
	for name, c := range map[string]elliptic.Curve{
		"secp192k1": bitcurves.S192(), "secp192r1": secp192r1(), "brainpool256r1": brainpool.P256r1(), "brainpool384r1": brainpool.P384r1(),
		"secp256k1": bitcurves.S256(), "secp256r1": elliptic.P256(), "secp384r1": elliptic.P384(),
	} {
		t.Run(name, func(t *testing.T) {
			const text = `{"PG":"T1"}`
			d, n := big.NewInt(42), c.Params().N
			//lint:ignore SA1019 no library has all curves behind another interface
			x, y := c.ScalarBaseMult(d.Bytes())
			digest := sha256.Sum256([]byte(text))
			e := new(big.Int).SetBytes(digest[:])
			if excess := 256 - n.BitLen(); excess > 0 {
				e.Rsh(e, uint(excess))
			}
			same := new(big.Int).Mul(e, new(big.Int).ModInverse(d, n))
			same.Mod(same, n)
			for _, r := range []*big.Int{same, new(big.Int).Sub(n, same)} {
				sd, err := encodeDER(r, big.NewInt(7))
				if err != nil {
					t.Fatal(err)
				}
				record := mustParse(t, joined(text, sd))
				record.Signature.Algorithm = "ECDSA-" + name + "-SHA256"
				size := (c.Params().BitSize + 7) / 8
				key, err := NewPublicKey(append(x.FillBytes(make([]byte, size)), y.FillBytes(make([]byte, size))...))
				if err != nil {
					t.Fatal(err)
				}
				if err := record.Verify(key); !errors.Is(err, ErrSignature) {
					t.Error(err)
				}
			}
		})
	}
}

func TestKeyOnACurveThatIsNotTheRecords(t *testing.T) {
	var vectors []vector
	loadJSON(t, "testdata/vectors.json", &vectors)
	for _, v := range vectors[:7] {
		r := mustParse(t, v.Input)
		for _, other := range vectors[:7] {
			k, err := ParsePublicKey(other.Key)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Verify(k); (err == nil) != (v.Key == other.Key) || errors.Is(err, ErrSignature) {
				t.Errorf("%s with the key of %s: %v", v.Expect.Name, other.Expect.Name, err)
			}
		}
	}
}

func TestKeyWithACurveThatIsNotTheFormats(t *testing.T) {
	for name, oid := range map[string]asn1.ObjectIdentifier{"secp521r1": {1, 3, 132, 0, 35}, "sm2": {1, 2, 156, 10197, 1, 301}} {
		if _, err := curveOfOID(oid); err == nil {
			t.Error(name)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	var vectors []vector
	loadJSON(b, "testdata/vectors.json", &vectors)
	for _, v := range vectors[:7] {
		b.Run(v.Expect.Name, func(b *testing.B) {
			r := mustParse(b, v.Input)
			k, err := ParsePublicKey(v.Key)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := r.Verify(k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
