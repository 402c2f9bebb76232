package score

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// kept is what a lender and an owner keep of a session, and what they would send.
func kept(t testing.TB, m *Model) (secret, moments []byte, q *Request, a *Answer) {
	t.Helper()
	q, s, err := Seal(m, Context{9})
	must(t, err)
	secret, err = s.MarshalBinary()
	must(t, err)
	o := owner()
	mo, err := o.Collect(q.Shape, records(fleet(1, 400, 7)))
	must(t, err)
	moments, err = mo.MarshalBinary()
	must(t, err)
	a, err = o.Answer(q, Context{9}, mo)
	must(t, err)
	return secret, moments, q, a
}

// A secret that was kept opens what the one that it was kept of would have.
func TestKeptSecretOpens(t *testing.T) {
	for _, m := range []*Model{model(1, Logistic, 2, 3, true), model(2, Linear, 3, 1, false), {Kind: Linear, Degree: 1, Features: []Weighted{{model(1, Linear, 1, 1, false).Features[0].Feature, 0}}}} {
		q, s, err := Seal(m, Context{9})
		must(t, err)
		secret, err := s.MarshalBinary()
		must(t, err)
		o := owner()
		mo, err := o.Collect(q.Shape, records(fleet(1, 400, 7)))
		must(t, err)
		a, err := o.Answer(q, Context{9}, mo)
		must(t, err)
		again, err := ParseSecret(secret)
		must(t, err)
		if twice, err := again.MarshalBinary(); err != nil || !bytes.Equal(twice, secret) {
			t.Errorf("the secret changed: %v", err)
		}
		want, err := s.Open(a)
		must(t, err)
		got, err := again.Open(a)
		must(t, err)
		if got != want {
			t.Errorf("opened %+v, want %+v", got, want)
		}
	}
}

// What has opened an answer opens no other, and is not to be kept as if it had not.
func TestSpentSecretStaysSpent(t *testing.T) {
	secret, _, q, a := kept(t, model(1, Linear, 2, 1, false))
	s, err := ParseSecret(secret)
	must(t, err)
	_, err = s.Open(a)
	must(t, err)
	if _, err := s.MarshalBinary(); !errors.Is(err, ErrSpent) {
		t.Errorf("kept: %v", err)
	}
	if _, err := s.Open(a); !errors.Is(err, ErrSpent) {
		t.Errorf("opened again: %v", err)
	}
	other, err := ParseSecret(secret)
	must(t, err)
	other.Destroy()
	if _, err := other.MarshalBinary(); !errors.Is(err, ErrSpent) {
		t.Errorf("kept what is destroyed: %v", err)
	}
	if s, err = ParseSecret(secret); err != nil || s.request != q.Digest() {
		t.Errorf("of another request: %v", err)
	}
}

func TestMalformedSecrets(t *testing.T) {
	secret, _, _, _ := kept(t, model(1, Logistic, 2, 3, true))
	first, key := secretHead, secretHead+2*openingSize
	refuse(t, secret, []damage{
		{"empty", cut(0)}, {"head only", cut(secretHead)}, {"one byte short", cut(len(secret) - 1)}, {"one byte long", longer},
		{"another kind", at(7, 'a')}, {"other parameters", at(8, 'x')}, {"no numbers", at(32, 0)}, {"one number", at(32, 1)}, {"three", at(32, 3)}, {"reserved", at(33, 1)},
		{"no terms", word(first, 0)}, {"many terms", word(first, MaxMonomials+1)}, {"terms beyond int", word(first, math.MaxUint64)},
		{"mass NaN", word(first+8, math.Float64bits(math.NaN()))}, {"mass negative", word(first+8, math.Float64bits(-1))},
		{"mass", word(first+8, math.Float64bits(2*maxMass))}, {"gross", word(first+16, math.Float64bits(math.Inf(1)))},
		{"gross NaN", word(first+16, math.Float64bits(math.NaN()))}, {"second number", word(first+openingSize, 0)}, {"key", at(key, 3)}, {"key's end", at(len(secret)-1, 255)},
	}, func(b []byte) error { _, err := ParseSecret(b); return err })
}

func TestKeptMoments(t *testing.T) {
	_, b, q, _ := kept(t, model(1, Logistic, 2, 3, true))
	m, err := ParseMoments(b, q.Shape)
	must(t, err)
	if again, _ := m.MarshalBinary(); !bytes.Equal(again, b) || m.Batteries() != 400 {
		t.Error("the moments changed")
	}
	_, err = owner().Answer(q, Context{9}, m)
	must(t, err)
	for name, s := range map[string]Shape{
		"features": {Features: q.Shape.Features[:1], Degree: 3, Spread: true}, "degree": {Features: q.Shape.Features, Degree: 1, Spread: true},
		"spread": {Features: q.Shape.Features, Degree: 3}, "order": {Features: []Feature{q.Shape.Features[1], q.Shape.Features[0]}, Degree: 3, Spread: true},
	} {
		if _, err := ParseMoments(b, s); err == nil {
			t.Errorf("%s: read as of another shape", name)
		}
	}
	body := momentsHead + 2*featureSize
	refuse(t, b, []damage{
		{"empty", cut(0)}, {"one byte short", cut(len(b) - 1)}, {"one byte long", longer}, {"another kind", at(7, 'a')}, {"parameters", at(8, 'x')},
		{"reserved", at(35, 1)}, {"nobody", word(momentsHead-8, 0)}, {"batteries", word(momentsHead-8, math.MaxUint64)},
		{"constant", word(body, 1)}, {"a moment", word(body+8, 1<<momentBits+1)}, {"a negative one", word(body+8, ^uint64(1<<momentBits))}, {"a lane", at(momentsHead, 'x')},
	}, func(b []byte) error { _, err := ParseMoments(b, q.Shape); return err })
}

func FuzzParseSecret(f *testing.F) {
	secret, _, _, _ := kept(f, model(1, Linear, 1, 1, false))
	f.Add(secret)
	f.Add(secret[:secretHead])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSecret(b)
		if err != nil {
			return
		}
		if again, err := s.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("two encodings of one secret: %v", err)
		}
	})
}

func FuzzParseMoments(f *testing.F) {
	_, moments, q, _ := kept(f, model(1, Linear, 1, 1, false))
	f.Add(moments)
	f.Add(binary.LittleEndian.AppendUint64(moments[:len(moments)-8:len(moments)-8], 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMoments(b, q.Shape)
		if err != nil {
			return
		}
		if again, _ := m.MarshalBinary(); !bytes.Equal(again, b) {
			t.Error("two encodings of the same moments")
		}
	})
}
