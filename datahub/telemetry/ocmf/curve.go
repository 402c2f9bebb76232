package ocmf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ProtonMail/go-crypto/bitcurves"
	"github.com/ProtonMail/go-crypto/brainpool"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k256 "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// curve is one of the seven that the format has.
type curve struct {
	// name is the one in SA between ECDSA- and -SHA256.
	name string
	oid  asn1.ObjectIdentifier
	// size is that of a coordinate in bytes, order that of the group.
	size  int
	order *big.Int
	// onCurve and verify take a point as 04‖X‖Y.
	onCurve func(point []byte) bool
	verify  func(point, digest []byte, r, s *big.Int) bool
}

var curves = []curve{
	nist("secp256r1", elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}),
	nist("secp384r1", elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}),
	{"secp256k1", asn1.ObjectIdentifier{1, 3, 132, 0, 10}, 32, bitcurves.S256().N, onSecp256k1, verifySecp256k1},
	slow("secp192k1", bitcurves.S192(), asn1.ObjectIdentifier{1, 3, 132, 0, 31}),
	slow("secp192r1", secp192r1(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 1}),
	slow("brainpool256r1", brainpool.P256r1(), asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 7}),
	slow("brainpool384r1", brainpool.P384r1(), asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 11}),
}

// curveOf is the curve that an algorithm names. "brainpoolP256r1" is how some meters write brainpool256r1.
func curveOf(algorithm string) (*curve, error) {
	name := strings.ToLower(strings.Trim(algorithm, " "))
	name, prefixed := strings.CutPrefix(name, "ecdsa-")
	name, suffixed := strings.CutSuffix(name, "-sha256")
	name = strings.Replace(name, "brainpoolp", "brainpool", 1)
	for i := range curves {
		if prefixed && suffixed && curves[i].name == name {
			return &curves[i], nil
		}
	}
	return nil, errors.New("names none of the format's algorithms")
}

func curveOfOID(oid asn1.ObjectIdentifier) (*curve, error) {
	for i := range curves {
		if curves[i].oid.Equal(oid) {
			return &curves[i], nil
		}
	}
	return nil, fmt.Errorf("key is on curve %s, which is none of the format's", oid)
}

// nist is a curve that the standard library has.
func nist(name string, c elliptic.Curve, oid asn1.ObjectIdentifier) curve {
	key := func(point []byte) (*ecdsa.PublicKey, error) { return ecdsa.ParseUncompressedPublicKey(c, point) }
	return curve{name, oid, (c.Params().BitSize + 7) / 8, c.Params().N,
		func(point []byte) bool { _, err := key(point); return err == nil },
		func(point, digest []byte, r, s *big.Int) bool {
			k, err := key(point)
			if err != nil {
				return false
			}
			der, err := encodeDER(r, s)
			return err == nil && ecdsa.VerifyASN1(k, digest, der)
		}}
}

func onSecp256k1(point []byte) bool {
	_, err := secp256k1.ParsePubKey(point)
	return err == nil
}

func verifySecp256k1(point, digest []byte, r, s *big.Int) bool {
	key, err := secp256k1.ParsePubKey(point)
	if err != nil {
		return false
	}
	var rs [2]secp256k1.ModNScalar
	if rs[0].SetByteSlice(r.Bytes()) || rs[1].SetByteSlice(s.Bytes()) {
		return false
	}
	return k256.NewSignature(&rs[0], &rs[1]).Verify(digest, key)
}

// secp192r1 is NIST P-192 (FIPS 186-4, D.1.2.1), for the standard library's arithmetic of curves with a = −3.
func secp192r1() *elliptic.CurveParams {
	n := func(hex string) *big.Int { v, _ := new(big.Int).SetString(hex, 16); return v }
	return &elliptic.CurveParams{
		Name: "secp192r1", BitSize: 192,
		P:  n("fffffffffffffffffffffffffffffffeffffffffffffffff"),
		N:  n("ffffffffffffffffffffffff99def836146bc9b1b4d22831"),
		B:  n("64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1"),
		Gx: n("188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012"),
		Gy: n("07192b95ffc8da78631011ed6b24cdd573f977a11e794811"),
	}
}

// slow is a curve with the general arithmetic of math/big. Its time depends on the values, which a verifier's may: all are public.
func slow(name string, c elliptic.Curve, oid asn1.ObjectIdentifier) curve {
	params := c.Params()
	size := (params.BitSize + 7) / 8
	coordinates := func(point []byte) (x, y *big.Int) {
		return new(big.Int).SetBytes(point[1 : 1+size]), new(big.Int).SetBytes(point[1+size:])
	}
	on := func(point []byte) bool {
		if len(point) != 1+2*size {
			return false
		}
		x, y := coordinates(point)
		//lint:ignore SA1019 no library has these curves behind another interface
		return x.Cmp(params.P) < 0 && y.Cmp(params.P) < 0 && c.IsOnCurve(x, y)
	}
	return curve{name, oid, size, params.N, on, func(point, digest []byte, r, s *big.Int) (valid bool) {
		if !on(point) {
			return false
		}
		// The libraries panic where a sum is the point at infinity. Only who holds the private key can bring that about, and no
		// meter's signature does.
		defer func() {
			if recover() != nil {
				valid = false
			}
		}()
		x, y := coordinates(point)
		return ecdsa.Verify(&ecdsa.PublicKey{Curve: c, X: x, Y: y}, digest, r, s)
	}}
}

// usable says whether this process may use the curve: the mode of FIPS 140-3 forbids all but the two of NIST.
func (c *curve) usable() error {
	if fips140.Enforced() && c.name != "secp256r1" && c.name != "secp384r1" {
		return errors.New("curve " + c.name + " may not be used in FIPS 140-3 mode")
	}
	return nil
}
