package commit_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"io"
	"math/big"
	"testing"

	"filippo.io/edwards25519"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

var algorithms = []commit.Algorithm{commit.Ed25519, commit.P256}

func TestSignAndVerify(t *testing.T) {
	for _, algorithm := range algorithms {
		device := committest.NewDevice(algorithm)
		msg := []byte("a message")
		signature, err := commit.Sign(device.Key, msg)
		if err != nil {
			t.Fatal(err)
		}
		if err := device.Public.Verify(msg, signature); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		if again, err := commit.Sign(device.Key, msg); err != nil || !bytes.Equal(again, signature) {
			t.Errorf("%s: signing twice gave two signatures", algorithm)
		}
		for i := range signature {
			bad := bytes.Clone(signature)
			bad[i] ^= 1
			if err := device.Public.Verify(msg, bad); err == nil {
				t.Errorf("%s: verifies with byte %d changed", algorithm, i)
			}
		}
		for _, bad := range [][]byte{nil, signature[:63], append(bytes.Clone(signature), 0), make([]byte, 64)} {
			if err := device.Public.Verify(msg, bad); err == nil {
				t.Errorf("%s: signature of %d bytes verifies", algorithm, len(bad))
			}
		}
		if err := device.Public.Verify([]byte("another"), signature); err == nil {
			t.Errorf("%s: verifies over another message", algorithm)
		}
		if err := committest.NewDevice(algorithm).Public.Verify(msg, signature); err == nil {
			t.Errorf("%s: verifies under another key", algorithm)
		}
		if err := (commit.PublicKey{}).Verify(msg, signature); err == nil {
			t.Errorf("%s: verifies under no key", algorithm)
		}
	}
}

// highS returns the other signature that ECDSA accepts.
func highS(signature []byte) []byte {
	s := new(big.Int).SetBytes(signature[32:])
	out := bytes.Clone(signature)
	s.Sub(elliptic.P256().Params().N, s).FillBytes(out[32:])
	return out
}

// ‡ A second signature made from the device's own must not pass.
func TestHighSIsRefused(t *testing.T) {
	device := committest.NewDevice(commit.P256)
	signature, err := commit.Sign(device.Key, []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("m"))
	high := highS(signature)
	public := device.Key.Public().(*ecdsa.PublicKey)
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(high[:32]), new(big.Int).SetBytes(high[32:])) {
		t.Fatal("the high-s signature should be valid ECDSA")
	}
	if err := device.Public.Verify([]byte("m"), high); err == nil {
		t.Error("high s accepted")
	}
}

func TestEd25519ScalarThatIsNotReducedIsRefused(t *testing.T) {
	device := committest.NewDevice(commit.Ed25519)
	signature, err := commit.Sign(device.Key, []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	little := bytes.Clone(signature[32:])
	reverse(little)
	other := addModulus(little, order)
	reverse(other)
	if err := device.Public.Verify([]byte("m"), append(signature[:32:32], other...)); err == nil {
		t.Error("s + L accepted")
	}
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

// randomisedSigner stands for a key in hardware: it hides its type, and signs with randomness and any s.
type randomisedSigner struct{ key *ecdsa.PrivateKey }

func (s randomisedSigner) Public() crypto.PublicKey { return s.key.Public() }
func (s randomisedSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.key.Sign(rand.Reader, digest, opts)
}

func TestSignMakesSLowWhateverTheSignerDoes(t *testing.T) {
	device := committest.NewDevice(commit.P256)
	hardware := randomisedSigner{device.Key.(*ecdsa.PrivateKey)}
	for range 32 {
		signature, err := commit.Sign(hardware, []byte("m"))
		if err != nil {
			t.Fatal(err)
		}
		if err := device.Public.Verify([]byte("m"), signature); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPublicKeyParses(t *testing.T) {
	for _, algorithm := range algorithms {
		public := committest.NewDevice(algorithm).Public
		back, err := commit.ParsePublicKey(public.DER())
		if err != nil {
			t.Fatal(err)
		}
		if back.DeviceID() != public.DeviceID() || back.DeviceID() != sha256.Sum256(public.DER()) || back.Algorithm() != algorithm {
			t.Errorf("%s: reads back as %s %s", algorithm, back.Algorithm(), back.DeviceID())
		}
	}
}

func TestPublicKeyRefused(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]any{"p-384": &p384.PublicKey, "rsa": &rsa.PublicKey{N: big.NewInt(1).Lsh(big.NewInt(1), 255), E: 3}} {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := commit.ParsePublicKey(der); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	good := committest.NewDevice(commit.P256).Public.DER()
	offCurve := bytes.Clone(good)
	offCurve[len(offCurve)-1] ^= 1
	for name, der := range map[string][]byte{
		"empty": {}, "cut": good[:90], "trailing": append(bytes.Clone(good), 0), "off the curve": offCurve, "long": make([]byte, 4096),
	} {
		if _, err := commit.ParsePublicKey(der); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A second spelling of one key would be a second device. A BIT STRING of one unused bit is one that x509 reads.
func TestPublicKeyHasOneSpelling(t *testing.T) {
	for {
		good := committest.NewDevice(commit.Ed25519).Public.DER()
		if good[12]&0x80 != 0 {
			continue // shifting would lose a bit: draw another key
		}
		key := new(big.Int).SetBytes(good[12:])
		other := append(bytes.Clone(good[:11]), 1) // one unused bit
		other = append(other, key.Lsh(key, 1).FillBytes(make([]byte, 32))...)
		if parsed, err := x509.ParsePKIXPublicKey(other); err != nil || !parsed.(ed25519.PublicKey).Equal(ed25519.PublicKey(good[12:])) {
			t.Skipf("x509 no longer reads the other spelling: %v", err)
		}
		if _, err := commit.ParsePublicKey(other); err == nil {
			t.Error("a second spelling of one key was accepted")
		}
		return
	}
}

// Under a key of small order a signature can be made without any private key.
func TestEd25519KeysOfSmallOrderAreRefused(t *testing.T) {
	for _, text := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000", // order 1
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0000000000000000000000000000000000000000000000000000000000000000", // order 4
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p, another spelling of 0
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p + 1
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // not reduced
		"0200000000000000000000000000000000000000000000000000000000000000", // not on the curve
	} {
		key, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := commit.NewPublicKey(ed25519.PublicKey(key)); err == nil {
			t.Errorf("key %s: accepted", text)
		}
	}
	for range 200 {
		if key := committest.NewDevice(commit.Ed25519).Public; key.Algorithm() != commit.Ed25519 {
			t.Fatal("an honest key was refused")
		}
	}
}

// parsedSlowly reports whether a key is one that x509 reads, writes back the same, and that is no Ed25519 key of small
// order.
func parsedSlowly(der []byte) bool {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return false
	}
	if again, err := x509.MarshalPKIXPublicKey(parsed); err != nil || !bytes.Equal(again, der) {
		return false
	}
	switch key := parsed.(type) {
	case ed25519.PublicKey:
		point, err := new(edwards25519.Point).SetBytes(key)
		return err == nil && bytes.Equal(point.Bytes(), key) && new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) == 0
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256()
	}
	return false
}

func TestPublicKeyParsesAsX509DoesIt(t *testing.T) {
	for _, algorithm := range algorithms {
		good := committest.NewDevice(algorithm).Public.DER()
		for bit := range 8 * len(good) {
			der := bytes.Clone(good)
			der[bit/8] ^= 1 << (bit % 8)
			if _, err := commit.ParsePublicKey(der); (err == nil) != parsedSlowly(der) {
				t.Errorf("%s: bit %d changed: error %v", algorithm, bit, err)
			}
		}
		for n := range good {
			if _, err := commit.ParsePublicKey(good[:n]); err == nil {
				t.Errorf("%s: %d bytes accepted", algorithm, n)
			}
		}
	}
}

func FuzzParsePublicKey(f *testing.F) {
	for _, algorithm := range algorithms {
		f.Add(committest.NewDevice(algorithm).Public.DER())
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := commit.ParsePublicKey(der)
		if err == nil && !bytes.Equal(key.DER(), der) {
			t.Fatal("a second encoding of one key was read")
		}
		if slowly := len(der) <= commit.MaxPublicKey && parsedSlowly(der); slowly != (err == nil) {
			t.Fatalf("error %v, and x509 reads it: %v", err, slowly)
		}
	})
}
