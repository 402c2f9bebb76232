package ocmf

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/telemetry/ocmf/ocmftest"
)

var edit, joined = ocmftest.Edit, ocmftest.Join

// meterKey is a test's meter.
type meterKey struct{ ocmftest.Meter }

func newMeter(t testing.TB) meterKey {
	t.Helper()
	return meterKey{ocmftest.NewMeter(t)}
}

func (k meterKey) public(t testing.TB) PublicKey {
	t.Helper()
	p, err := NewPublicKey(k.SPKI(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (k meterKey) record(t testing.TB, payload string) *Record {
	t.Helper()
	return mustParse(t, k.Record(t, payload))
}

func mustParse(t testing.TB, text string) *Record {
	t.Helper()
	r, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// forms are one signature in all the ways in which meters write it.
func forms(t *testing.T, der []byte) map[string][]byte {
	t.Helper()
	r, s, err := scalars(der, 32, elliptic.P256().Params().N)
	if err != nil {
		t.Fatal(err)
	}
	raw := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	unsigned := append([]byte{0x30, 68, 2, 32}, raw[:32]...)
	unsigned = append(append(unsigned, 2, 32), raw[32:]...)
	long := append([]byte{0x30, 0x82, 0, 76, 2, 0x84, 0, 0, 0, 32}, raw[:32]...)
	long = append(append(long, 2, 0x84, 0, 0, 0, 32), raw[32:]...)
	high, err := encodeDER(r, new(big.Int).Sub(elliptic.P256().Params().N, s))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"DER": der, "r and s side by side": raw, "unsigned integers": unsigned, "long lengths": long, "the other s": high}
}

func TestTrapSignatureForms(t *testing.T) {
	meter := newMeter(t)
	text := payload(1, begins, ends)
	sd := meter.Sign(t, text)
	for sd[4] < 0x80 && !(sd[3] == 33) { // until r has its top bit set, which unsigned integers get wrong
		sd = meter.Sign(t, text)
	}
	for name, form := range forms(t, sd) {
		t.Run(name, func(t *testing.T) {
			r := mustParse(t, joined(text, form))
			if err := r.Verify(meter.public(t)); err != nil {
				t.Error(err)
			}
			other := mustParse(t, joined(payload(2, begins, ends), form))
			if err := other.Verify(meter.public(t)); !errors.Is(err, ErrSignature) {
				t.Error(err)
			}
		})
	}
}

func TestTrapTwinOfASignatureIsTheSameRecord(t *testing.T) {
	meter := newMeter(t)
	text := payload(1, begins, ends)
	c := NewCounter()
	if step, err := c.Add(meter.record(t, text)); step.Continuity != First || err != nil {
		t.Fatal(step, err)
	}
	for name, form := range forms(t, meter.Sign(t, text)) {
		if step, _ := c.Add(mustParse(t, joined(text, form))); step.Continuity != Repeat {
			t.Errorf("%s: %s", name, step.Continuity)
		}
	}
}

func TestTrapSignaturesThatAreNone(t *testing.T) {
	meter := newMeter(t)
	text := payload(1, begins, ends)
	n := elliptic.P256().Params().N
	der := func(r, s *big.Int) []byte {
		b, err := encodeDER(r, s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one := big.NewInt(1)
	good := meter.Sign(t, text)
	for name, sd := range map[string][]byte{
		"r is 0": {0x30, 6, 2, 1, 0, 2, 1, 1}, "s is 0": {0x30, 6, 2, 1, 1, 2, 1, 0},
		"r is the order": der(n, one), "s is the order": der(one, n),
		"bytes after": append(bytes.Clone(good), 0), "cut off": good[:len(good)-1], "empty integer": {0x30, 4, 2, 0, 2, 0},
		"too short for r and s": make([]byte, 63), "endless length": {0x30, 0x80, 2, 1, 1, 2, 1, 1},
		"length beyond the bytes": {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1},
	} {
		if err := mustParse(t, joined(text, sd)).Verify(meter.public(t)); err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrapKeyForms(t *testing.T) {
	meter := newMeter(t)
	text := payload(1, begins, ends)
	r := meter.record(t, text)
	spki := meter.SPKI(t)
	point := spki[len(spki)-65:]
	spaced := ""
	for i, c := range strings.ToUpper(hex.EncodeToString(spki)) {
		if i%4 == 0 {
			spaced += " "
		}
		spaced += string(c)
	}
	for name, key := range map[string]string{
		"DER, hex": hex.EncodeToString(spki), "DER, base64": base64.StdEncoding.EncodeToString(spki),
		"DER, base64 without padding": base64.RawStdEncoding.EncodeToString(spki), "spaced hex": spaced, "0x": "0x" + hex.EncodeToString(spki),
		"X and Y, hex": hex.EncodeToString(point[1:]), "X and Y, base64": base64.StdEncoding.EncodeToString(point[1:]),
		"04, X and Y": hex.EncodeToString(point), "base64 in lines": strings.Join(strings.SplitAfter(base64.StdEncoding.EncodeToString(spki), "/"), "\n"),
		"composition, base16": "oca:base16:asn1:0x" + strings.ReplaceAll(strings.TrimSpace(spaced), " ", "-"),
		"composition, base64": "oca:base64:asn1:" + base64.StdEncoding.EncodeToString(spki),
	} {
		t.Run(name, func(t *testing.T) {
			k, err := ParsePublicKey(key)
			if err == nil {
				err = r.Verify(k)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTrapKeysThatAreNone(t *testing.T) {
	meter := newMeter(t)
	r := meter.record(t, payload(1, begins))
	spki := meter.SPKI(t)
	point := spki[len(spki)-65:]
	off := bytes.Clone(spki)
	off[len(off)-1] ^= 1
	offBare := bytes.Clone(point[1:])
	offBare[63] ^= 1
	compressed := append([]byte{2 + point[64]&1}, point[1:33]...)
	for name, key := range map[string]string{
		"empty": "", "not on the curve": hex.EncodeToString(off), "bare, not on the curve": hex.EncodeToString(offBare),
		"compressed": hex.EncodeToString(compressed), "bytes after": hex.EncodeToString(append(bytes.Clone(spki), 0)), "text": "no key at all",
		"composition of something else": "oca:base16:pem:00", "too long": strings.Repeat("00", 1300),
		"another curve": "3056301006072A8648CE3D020106052B8104000A0342000407A66AFE5715AC3BD4C4952DCF5DEBB4FA437550467A7FE5198E287B1B55AE470FD1A0DC9AF63DD2D1471F90FE1D6820D298788E401E8D0D826A4520C0CF2A9B",
	} {
		k, err := ParsePublicKey(key)
		if err == nil {
			err = r.Verify(k)
		}
		if err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
