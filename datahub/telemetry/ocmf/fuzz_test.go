package ocmf

import (
	"bytes"
	"encoding/json"
	"math/big"
	"testing"
)

func FuzzParse(f *testing.F) {
	var vectors []vector
	loadJSON(f, "testdata/vectors.json", &vectors)
	for _, v := range vectors {
		f.Add([]byte(v.Input))
	}
	f.Add([]byte(joined(payload(1, begins, `{"RI":"01-00:C1.08.00*FF"}`, ends), []byte{1})))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Bytes(), b) {
			t.Fatal("record did not keep its bytes")
		}
		if !bytes.Contains(b, append([]byte("OCMF|"), append(r.Signed(), '|')...)) {
			t.Fatal("the signed bytes are not those between the pipes")
		}
		if !json.Valid(r.Signed()) {
			t.Fatal("payload is no JSON")
		}
		meterings, issues := r.Meterings(true)
		for _, m := range meterings {
			if m.Signed && !m.ImportMilliWh.Known {
				t.Fatal("a value that is not there is signed")
			}
		}
		if len(meterings) > MaxReadings || len(issues) > maxIssues {
			t.Fatal("out of bounds")
		}
		Billable(PublicKey{}, r)
		if _, err := NewCounter().Add(r); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzPublicKey(f *testing.F) {
	var vectors []vector
	loadJSON(f, "testdata/vectors.json", &vectors)
	for _, v := range vectors[:8] {
		f.Add(v.Key)
	}
	r, err := Parse([]byte(vectors[0].Input))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParsePublicKey(text)
		if err == nil && !k.Known() {
			t.Fatal("no key and no error")
		}
		if err == nil {
			_ = r.Verify(k)
		}
	})
}

func FuzzScalars(f *testing.F) {
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Add([]byte{0x30, 0x81, 6, 2, 0x81, 1, 1, 2, 1, 1})
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		order := curves[0].order
		r, s, err := scalars(b, 32, order)
		if err != nil {
			return
		}
		for _, v := range []*big.Int{r, s} {
			if v.Sign() <= 0 || v.Cmp(order) >= 0 {
				t.Fatal("scalar out of range")
			}
		}
		der, err := encodeDER(r, s)
		if err != nil {
			t.Fatal(err)
		}
		if r2, s2, err := scalars(der, 32, order); err != nil || r.Cmp(r2) != 0 || s.Cmp(s2) != 0 {
			t.Fatal("DER reads otherwise")
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"2935.600", "-0.5", "1E-7", "+1", "00012", "1e400", ".5", "5.", "-", ""} {
		f.Add(s, 6)
	}
	f.Fuzz(func(t *testing.T, text string, places int) {
		places %= 10
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(d.String())
		if !ok {
			t.Fatalf("%q is no number", d)
		}
		if got, err := d.Exact(places); err == nil {
			scale := new(big.Rat).SetInt64(1)
			for range max(places, -places) {
				scale.Mul(scale, big.NewRat(10, 1))
			}
			if places < 0 {
				scale.Inv(scale)
			}
			if new(big.Rat).SetInt64(got).Cmp(want.Mul(want, scale)) != 0 {
				t.Fatalf("%q × 10^%d is not %d", d, places, got)
			}
		}
	})
}
