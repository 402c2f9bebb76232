package score

import (
	"sync"
	"testing"

	"github.com/tuneinsight/lattigo/v5/he/hefloat"
)

const benchBatteries = 100_000

var benchFleet = sync.OnceValue(func() [][]uint32 { return fleet(1, benchBatteries, 7) })

var benchModels = []struct {
	name  string
	model *Model
}{
	{"linear-16", model(1, Linear, 16, 1, false)},
	{"logistic-8-degree-3", model(1, Logistic, 8, 3, false)},
	{"logistic-8-degree-3-spread", model(1, Logistic, 8, 3, true)},
	{"logistic-16-degree-3", model(1, Logistic, 16, 3, false)},
	{"logistic-8-degree-7", model(1, Logistic, 8, 7, false)},
}

func each(b *testing.B, run func(b *testing.B, m *Model)) {
	for _, c := range benchModels {
		b.Run(c.name, func(b *testing.B) { run(b, c.model) })
	}
}

// BenchmarkScore is a whole query over 100 000 batteries, with the encodings in between.
func BenchmarkScore(b *testing.B) {
	f := benchFleet()
	each(b, func(b *testing.B, m *Model) {
		var r Result
		for b.Loop() {
			r = play(b, m, owner(), f)
		}
		b.ReportMetric(float64(RequestSize(m.Shape())), "request-bytes")
		b.ReportMetric(float64(AnswerSize(m.Shape())), "answer-bytes")
		b.ReportMetric(r.MeanError, "error")
	})
}

// BenchmarkClear is the same score battery by battery on open data.
func BenchmarkClear(b *testing.B) {
	f := benchFleet()
	each(b, func(b *testing.B, m *Model) {
		for b.Loop() {
			_, err := m.Clear(lanes(7), records(f))
			must(b, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	each(b, func(b *testing.B, m *Model) {
		for b.Loop() {
			_, _, err := Seal(m, Context{})
			must(b, err)
		}
	})
}

func BenchmarkCollect(b *testing.B) {
	f := benchFleet()
	each(b, func(b *testing.B, m *Model) {
		s := m.Shape()
		for b.Loop() {
			_, err := owner().Collect(s, records(f))
			must(b, err)
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	f := benchFleet()
	each(b, func(b *testing.B, m *Model) {
		q, _, err := Seal(m, Context{})
		must(b, err)
		mo, err := owner().Collect(q.Shape, records(f[:7_000]))
		must(b, err)
		for b.Loop() {
			_, err := owner().Answer(q, Context{}, mo)
			must(b, err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	q, s, err := Seal(benchModels[1].model, Context{})
	must(b, err)
	mo, err := owner().Collect(q.Shape, records(benchFleet()[:1_000]))
	must(b, err)
	a, err := owner().Answer(q, Context{}, mo)
	must(b, err)
	for b.Loop() {
		s.numbers[0].round(s.decrypt(a.numbers[0]))
	}
}

// BenchmarkLattigo is what the library's own primitives cost at the same parameters.
func BenchmarkLattigo(b *testing.B) {
	p := lattigo(b)
	keys := hefloat.NewKeyGenerator(p)
	secret, public := keys.GenKeyPairNew()
	c := hefloat.NewCiphertext(p, 1, p.MaxLevel())
	must(b, hefloat.NewEncryptor(p, secret).EncryptZero(c))
	plain := hefloat.NewPlaintext(p, p.MaxLevel())
	b.Run("encrypt-secret-key", func(b *testing.B) {
		e := hefloat.NewEncryptor(p, secret)
		for b.Loop() {
			e.EncryptZeroNew(p.MaxLevel())
		}
	})
	b.Run("encrypt-public-key", func(b *testing.B) {
		e := hefloat.NewEncryptor(p, public)
		for b.Loop() {
			e.EncryptZeroNew(p.MaxLevel())
		}
	})
	b.Run("times-plaintext", func(b *testing.B) {
		e := hefloat.NewEvaluator(p, nil)
		out := hefloat.NewCiphertext(p, 1, p.MaxLevel())
		for b.Loop() {
			must(b, e.Mul(c, plain, out))
		}
	})
	b.Run("decrypt", func(b *testing.B) {
		d := hefloat.NewDecryptor(p, secret)
		for b.Loop() {
			d.Decrypt(c, plain)
		}
	})
}
