package collective

import (
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/heint"
	"github.com/tuneinsight/lattigo/v5/mhe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/sampling"
)

// Each step of a session of three owners, two of them active, with seventeen totals in one ciphertext, at standard parameters; beside it what lattigo
// needs for the part of it that it does: no proof, no hash, no flooding beyond a Gaussian of 2^20, no ties.

var benchShape = Shape{Used: 17, Ciphertexts: 1}

func benchTotals(t testing.TB, s *session) *Sum {
	m := make([]*big.Int, benchShape.Used)
	for j := range m {
		m[j] = big.NewInt(int64(j))
	}
	return s.sum(t, benchShape, m, m, m)
}

func BenchmarkPublicPart(b *testing.B) {
	p, s, ctx := Standard(), NewSecret(), Context{Party: "owner"}
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			_, _ = p.PublicPart([32]byte{1}, ctx, s)
		}
		b.ReportMetric(float64(p.PublicPartSize()), "bytes")
	})
	b.Run("check", func(b *testing.B) {
		part := must(p.PublicPart([32]byte{1}, ctx, s))
		for b.Loop() {
			if err := p.CheckPublicPart([32]byte{1}, ctx, part); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("lattigo", func(b *testing.B) {
		for b.Loop() {
			protocol := mhe.NewPublicKeyGenProtocol(p.rlwe)
			a := protocol.SampleCRP(must(sampling.NewKeyedPRNG([]byte("crs"))))
			share := protocol.AllocateShare()
			protocol.GenShare(rlwe.NewKeyGenerator(p.rlwe).GenSecretKeyNew(), a, &share)
		}
	})
}

func BenchmarkPublicKey(b *testing.B) {
	s := newSession(b, Standard(), 3, 2)
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.p.PublicKey(s.crs, s.regulator.part, s.owners[0].part, s.owners[1].part, s.owners[2].part)
		}
	})
	b.Run("lattigo", func(b *testing.B) {
		protocol := mhe.NewPublicKeyGenProtocol(s.p.rlwe)
		share := protocol.AllocateShare()
		for b.Loop() {
			sum := protocol.AllocateShare()
			for range 4 {
				protocol.AggregateShares(sum, share, &sum)
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	s := newSession(b, Standard(), 3, 2)
	one := s.owners[0]
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.p.Split(one.secret, 1, 2, []Point{1, 2, 3})
		}
		b.ReportMetric(float64(s.p.SecretPartSize()), "bytes/part")
	})
	b.Run("lattigo", func(b *testing.B) {
		secret := rlwe.NewKeyGenerator(s.p.rlwe).GenSecretKeyNew()
		for b.Loop() {
			dealer := mhe.NewThresholdizer(s.p.rlwe)
			polynomial := must(dealer.GenShamirPolynomial(2, secret))
			for x := range 3 {
				share := dealer.AllocateThresholdSecretShare()
				dealer.GenShamirSecretShare(mhe.ShamirPublicPoint(x+1), polynomial, &share)
			}
		}
	})
	b.Run("gather", func(b *testing.B) {
		received := s.received(1)
		for b.Loop() {
			_, _ = s.p.Gather(1, one.dealt, received...)
		}
	})
}

func BenchmarkOwnerKey(b *testing.B) {
	s := newSession(b, Standard(), 3, 2)
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.p.OwnerKey(s.owners[0].holding, []Point{1, 2})
		}
	})
	b.Run("lattigo", func(b *testing.B) {
		dealer := mhe.NewThresholdizer(s.p.rlwe)
		share, points := dealer.AllocateThresholdSecretShare(), []mhe.ShamirPublicPoint{1, 2}
		for b.Loop() {
			_ = mhe.NewCombiner(s.p.rlwe, 1, points, 2).GenAdditiveShare(points, 1, share, rlwe.NewSecretKey(s.p.rlwe))
		}
	})
}

func BenchmarkInput(b *testing.B) {
	s := newSession(b, Standard(), 3, 2)
	p, ctx := s.p, s.owners[0].ctx
	m := make([]*big.Int, benchShape.Used)
	for j := range m {
		m[j] = big.NewInt(int64(j))
	}
	in := must(p.Encrypt(s.key, ctx, benchShape, m, [32]byte{1}))
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			_, _ = p.Encrypt(s.key, ctx, benchShape, m, [32]byte{1})
		}
		b.ReportMetric(float64(p.InputSize(benchShape)), "bytes")
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if _, err := p.CheckInput(s.key, ctx, in); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		data := in.Marshal()
		for b.Loop() {
			_, _ = p.UnmarshalInput(benchShape, data)
		}
	})
	b.Run("lattigo", func(b *testing.B) {
		bgv := p.heint(0)
		encoder, values := heint.NewEncoder(bgv), make([]int64, benchShape.Used)
		encryptor := rlwe.NewEncryptor(bgv, rlwe.NewKeyGenerator(bgv).GenPublicKeyNew(rlwe.NewKeyGenerator(bgv).GenSecretKeyNew()))
		for b.Loop() {
			plain := heint.NewPlaintext(bgv, bgv.MaxLevel())
			plain.IsBatched = false
			_ = encoder.Encode(values, plain)
			_, _ = encryptor.EncryptNew(plain)
		}
		b.ReportMetric(float64(must(encryptor.EncryptNew(heint.NewPlaintext(bgv, bgv.MaxLevel()))).BinarySize()), "bytes")
	})
}

func BenchmarkAdd(b *testing.B) {
	s := newSession(b, Standard(), 3, 2)
	m := make([]*big.Int, benchShape.Used)
	for j := range m {
		m[j] = big.NewInt(int64(j))
	}
	var terms []*Term
	for _, one := range s.owners {
		terms = append(terms, must(s.p.CheckInput(s.key, one.ctx, must(s.p.Encrypt(s.key, one.ctx, benchShape, m, [32]byte{1})))))
	}
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.p.Add(terms...)
		}
	})
	b.Run("lattigo", func(b *testing.B) {
		bgv := s.p.heint(0)
		evaluator, ct := heint.NewEvaluator(bgv, nil), heint.NewCiphertext(bgv, 1, bgv.MaxLevel())
		for b.Loop() {
			sum := heint.NewCiphertext(bgv, 1, bgv.MaxLevel())
			for range 3 {
				_ = evaluator.Add(sum, ct, sum)
			}
		}
	})
}

func BenchmarkSwitchShare(b *testing.B) {
	s := newSession(b, Standard(), 3, 2)
	sum := benchTotals(b, s)
	key := must(s.p.OwnerKey(s.owners[0].holding, []Point{1, 2}))
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.p.SwitchShare(key, s.towards, sum)
		}
		b.ReportMetric(float64(s.p.SwitchShareSize(benchShape)), "bytes")
	})
	b.Run("lattigo", func(b *testing.B) {
		secret := rlwe.NewKeyGenerator(s.p.rlwe).GenSecretKeyNew()
		towards := rlwe.NewKeyGenerator(s.p.rlwe).GenPublicKeyNew(secret)
		ct := rlwe.NewCiphertext(s.p.rlwe, 1, s.p.rlwe.MaxLevel())
		ct.IsNTT = true
		protocol := must(mhe.NewPublicKeySwitchProtocol(s.p.rlwe, ring.DiscreteGaussian{Sigma: 1 << 20, Bound: 6 << 20}))
		for b.Loop() {
			share := protocol.AllocateShare(s.p.rlwe.MaxLevel())
			protocol.GenShare(secret, towards, ct, &share)
		}
		b.ReportMetric(float64(protocol.AllocateShare(s.p.rlwe.MaxLevel()).BinarySize()), "bytes")
	})
}

func BenchmarkOpen(b *testing.B) {
	s := newSession(b, Standard(), 3, 2)
	sum := benchTotals(b, s)
	shares := s.shares(b, sum, 1, 2)
	b.Run("collective", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.p.Open(s.receiver, sum, shares...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("lattigo", func(b *testing.B) {
		bgv := s.p.heint(0)
		protocol := must(mhe.NewPublicKeySwitchProtocol(bgv, ring.DiscreteGaussian{Sigma: 1 << 20, Bound: 6 << 20}))
		secret := rlwe.NewKeyGenerator(bgv).GenSecretKeyNew()
		ct := heint.NewCiphertext(bgv, 1, bgv.MaxLevel())
		ct.IsBatched = false
		share, encoder, got := protocol.AllocateShare(bgv.MaxLevel()), heint.NewEncoder(bgv), make([]int64, bgv.N())
		for b.Loop() {
			all, out := protocol.AllocateShare(bgv.MaxLevel()), heint.NewCiphertext(bgv, 1, bgv.MaxLevel())
			for range 3 {
				_ = protocol.AggregateShares(all, share, &all)
			}
			protocol.KeySwitch(ct, all, out)
			_ = encoder.Decode(rlwe.NewDecryptor(bgv, secret).DecryptNew(out), got)
		}
	})
}
