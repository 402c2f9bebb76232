package score

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func encoded(t testing.TB, m *Model) (request, answer []byte) {
	t.Helper()
	q, _, err := Seal(m, Context{9})
	must(t, err)
	o := owner()
	mo, err := o.Collect(q.Shape, records(fleet(1, 400, 7)))
	must(t, err)
	a, err := o.Answer(q, Context{9}, mo)
	must(t, err)
	request, err = q.MarshalBinary()
	must(t, err)
	answer, err = a.MarshalBinary()
	must(t, err)
	return request, answer
}

func TestEncodingRoundTrip(t *testing.T) {
	for _, spread := range []bool{false, true} {
		request, answer := encoded(t, model(1, Logistic, 2, 3, spread))
		q, err := ParseRequest(request)
		must(t, err)
		if again, _ := q.MarshalBinary(); !bytes.Equal(again, request) {
			t.Error("the request changed")
		}
		a, err := ParseAnswer(answer)
		must(t, err)
		if again, _ := a.MarshalBinary(); !bytes.Equal(again, answer) {
			t.Error("the answer changed")
		}
	}
}

// damage is one change to a valid encoding that must be refused.
type damage struct {
	name string
	make func(b []byte) []byte
}

func at(i int, v byte) func([]byte) []byte {
	return func(b []byte) []byte { b[i] = v; return b }
}

func word(i int, v uint64) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[i:], v); return b }
}

func cut(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }

func longer(b []byte) []byte { return append(b, 0) }

func refuse(t *testing.T, valid []byte, damages []damage, parse func([]byte) error) {
	t.Helper()
	must(t, parse(bytes.Clone(valid)))
	for _, d := range damages {
		if parse(d.make(bytes.Clone(valid))) == nil {
			t.Errorf("%s: accepted", d.name)
		}
	}
}

func TestMalformedRequests(t *testing.T) {
	request, _ := encoded(t, model(1, Logistic, 2, 3, true))
	body := fixedHead + 2*featureSize
	sealed := body + polynomialLen
	refuse(t, request, []damage{
		{"empty", cut(0)}, {"part of the head", cut(fixedHead - 1)}, {"head only", cut(fixedHead)},
		{"no ciphertexts", cut(body)}, {"one byte short", cut(len(request) - 1)}, {"one byte long", longer},
		{"another kind", at(7, 'a')}, {"other parameters", at(8+len(Parameters)-1, '5')}, {"parameters' padding", at(31, 1)},
		{"no features", at(32, 0)}, {"fewer features", at(32, 1)}, {"more features", at(32, 3)}, {"too many features", at(32, 255)},
		{"degree 0", at(33, 0)}, {"even degree", at(33, 2)}, {"other degree", at(33, 5)}, {"high degree", at(33, 255)},
		{"other spread", at(34, 0)}, {"spread 2", at(34, 2)}, {"reserved", at(35, 1)},
		{"lane without a name", at(fixedHead, 0)}, {"lane's padding", at(fixedHead+MaxLaneName-1, 'x')},
		{"low above high", at(fixedHead+MaxLaneName+3, 255)},
		{"same feature twice", func(b []byte) []byte {
			copy(b[fixedHead+featureSize:body], b[fixedHead:fixedHead+featureSize])
			return b
		}},
		{"blind not reduced", word(body, moduli[0])}, {"last residue of blind", word(sealed-8, 1<<63)},
		{"coefficient not reduced", word(sealed, moduli[0])}, {"last coefficient", word(len(request)-8, moduli[2])},
	}, func(b []byte) error { _, err := ParseRequest(b); return err })
}

func TestMalformedAnswers(t *testing.T) {
	_, answer := encoded(t, model(1, Logistic, 2, 3, true))
	second := answerHead + numberSize + polynomialLen
	refuse(t, answer, []damage{
		{"empty", cut(0)}, {"part of the head", cut(answerHead - 1)}, {"head only", cut(answerHead)},
		{"one number", cut(second)}, {"one byte short", cut(len(answer) - 1)}, {"one byte long", longer},
		{"another kind", at(7, 'q')}, {"other parameters", at(8, 'A')},
		{"no number", at(32, 0)}, {"other count", at(32, 1)}, {"too many", at(32, 3)}, {"reserved", at(34, 1)},
		{"value not reduced", word(answerHead, moduli[0])}, {"mask not reduced", word(answerHead+numberSize, moduli[0])},
		{"second value", word(second+16, moduli[2])}, {"last residue", word(len(answer)-8, moduli[2])},
	}, func(b []byte) error { _, err := ParseAnswer(b); return err })
}

func TestLargestEncodings(t *testing.T) {
	for features := 1; features <= MaxFeatures; features++ {
		for degree := 1; degree <= MaxDegree; degree += 2 {
			for _, spread := range []bool{false, true} {
				s := plainShape(1, degree)
				s.Spread = spread
				for i := 1; i < features; i++ {
					s.Features = append(s.Features, Feature{Lane: "x", Low: uint32(i), High: 1_000})
				}
				if s.Check() == nil && (RequestSize(s) > MaxRequest || AnswerSize(s) > MaxAnswer) {
					t.Errorf("%d features, degree %d, spread %v: beyond the largest sizes", features, degree, spread)
				}
			}
		}
	}
}

// An answer that was changed on its way, or is no answer, opens to an error or to a number: never to a panic.
func TestDamagedAnswer(t *testing.T) {
	m := model(1, Linear, 2, 1, false)
	refused := 0
	for i := range 24 {
		q, s, err := Seal(m, Context{})
		must(t, err)
		mo, err := owner().Collect(q.Shape, records(fleet(1, 50, 7)))
		must(t, err)
		a, err := owner().Answer(q, Context{}, mo)
		must(t, err)
		a.numbers[0].mask.Coeffs[0][i] ^= 1
		if _, err := s.Open(a); err != nil {
			refused++
		}
	}
	if refused == 0 { // each is with probability at least 3/4
		t.Error("no damaged answer was refused")
	}
}

func FuzzParseRequest(f *testing.F) {
	request, _ := encoded(f, model(1, Linear, 1, 1, false))
	f.Add(request)
	f.Add(request[:fixedHead+featureSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := ParseRequest(b)
		if err != nil {
			return
		}
		if again, _ := q.MarshalBinary(); !bytes.Equal(again, b) {
			t.Error("another encoding of the same request")
		}
		if q.Shape.Check() != nil || len(b) > MaxRequest {
			t.Error("accepted a request out of bounds")
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	_, answer := encoded(f, model(1, Linear, 1, 1, false))
	f.Add(answer)
	f.Add(answer[:answerHead])
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAnswer(b)
		if err != nil {
			return
		}
		if again, _ := a.MarshalBinary(); !bytes.Equal(again, b) {
			t.Error("another encoding of the same answer")
		}
	})
}
