package collective

import (
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/heint"
	"github.com/tuneinsight/lattigo/v5/mhe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"
)

// lattigoKey is the whole secret key of a session, as lattigo keeps keys.
func (s *session) lattigoKey() *rlwe.SecretKey {
	key := rlwe.NewSecretKey(s.p.rlwe)
	for _, one := range append(s.owners, s.regulator) {
		s.p.ring.Add(key.Value.Q, one.secret.montgomery(s.p), key.Value.Q)
	}
	return key
}

// heint are lattigo's parameters for the k-th plaintext modulus: the same ring and keys.
func (p *Params) heint(k int) heint.Parameters {
	return must(heint.NewParametersFromLiteral(heint.ParametersLiteral{LogN: p.rlwe.LogN(), Q: p.q, PlaintextModulus: p.plain[k]}))
}

// whole gives a lattigo ciphertext of what we keep of one: its other coefficients are zero, and decrypt to nothing sensible.
func (p *Params) whole(c0 words, c1 ring.Poly, scale rlwe.Scale) *rlwe.Ciphertext {
	ct := rlwe.NewCiphertext(p.rlwe, 1, p.rlwe.MaxLevel())
	ct.IsNTT, ct.IsBatched, ct.Scale = true, false, scale
	for i := range p.q {
		copy(ct.Value[0].Coeffs[i], c0[i])
	}
	p.ring.NTT(ct.Value[0], ct.Value[0])
	ct.Value[1].Copy(c1)
	return ct
}

// Lattigo's own decryption and decoding read our inputs: they are its BGV ciphertexts, without the coefficients that nobody needs.
func TestLattigoDecryptsInputs(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	p, totals := s.p, integers(0, 1, -1, 123456789, -(1<<47))
	in := must(p.Encrypt(s.key, s.owners[0].ctx, Shape{Used: 5, Ciphertexts: 2}, totals, NewSecret().seed))
	for k := range p.plain {
		bgv := p.heint(k)
		plain := rlwe.NewDecryptor(p.rlwe, s.lattigoKey()).DecryptNew(p.whole(in.parts[k].c0, in.parts[k].c1, bgv.NewScale(1)))
		got := make([]int64, p.N())
		if err := heint.NewEncoder(bgv).Decode(plain, got); err != nil {
			t.Fatal(err)
		}
		for j, want := range totals {
			if got[j] != want.Int64() {
				t.Errorf("modulus %d, total %d: %d, want %d", k, j, got[j], want)
			}
		}
	}
}

// Our encoding is lattigo's coefficient encoding.
func TestLattigoEncodesAlike(t *testing.T) {
	p, totals := insecure(), integers(5, -6, 1<<48)
	for k := range p.plain {
		bgv := p.heint(k)
		plain := heint.NewPlaintext(bgv, bgv.MaxLevel())
		plain.IsBatched, plain.IsNTT = false, false
		if err := heint.NewEncoder(bgv).Encode([]int64{5, -6, 1 << 48}, plain); err != nil {
			t.Fatal(err)
		}
		got := p.newWords(len(totals))
		p.embed(got, k, totals)
		for i := range p.q {
			for j := range totals {
				if got[i][j] != plain.Value.Coeffs[i][j] {
					t.Errorf("modulus %d, prime %d, total %d: %d, want %d", k, i, j, got[i][j], plain.Value.Coeffs[i][j])
				}
			}
		}
	}
}

// Lattigo's public key switch, with our keys and sum, gives the totals that our shares give.
func TestLattigoSwitchesAlike(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	p, shape := s.p, Shape{Used: 4, Ciphertexts: 1}
	totals := [][]*big.Int{integers(1, 2, 3, 4), integers(1, -5, 0, 9), integers(1, 7, 7, 7)}
	sum := s.sum(t, shape, totals...)
	want, err := p.Open(s.receiver, sum, s.shares(t, sum, 1, 2)...)
	if err != nil || !equal(want, plainSum(totals...)) {
		t.Fatal(want, err)
	}
	bgv := p.heint(0)
	ct := p.whole(sum.c0[0], sum.c1[0], bgv.NewScale(1))
	secret := rlwe.NewKeyGenerator(p.rlwe).GenSecretKeyNew()
	towards := rlwe.NewKeyGenerator(p.rlwe).GenPublicKeyNew(secret)
	protocol := must(mhe.NewPublicKeySwitchProtocol(p.rlwe, ring.DiscreteGaussian{Sigma: 1 << 20, Bound: 6 << 20}))
	all := protocol.AllocateShare(p.rlwe.MaxLevel())
	for _, key := range []*ShareKey{
		must(p.OwnerKey(s.owners[0].holding, []Point{1, 2})), must(p.OwnerKey(s.owners[1].holding, []Point{1, 2})), must(p.RegulatorKey(s.regulator.secret)),
	} {
		share := protocol.AllocateShare(p.rlwe.MaxLevel())
		protocol.GenShare(&rlwe.SecretKey{Value: ringqp.Poly{Q: key.key}}, towards, ct, &share)
		if err := protocol.AggregateShares(all, share, &all); err != nil {
			t.Fatal(err)
		}
	}
	out := rlwe.NewCiphertext(p.rlwe, 1, p.rlwe.MaxLevel())
	protocol.KeySwitch(ct, all, out)
	got := make([]int64, p.N())
	if err := heint.NewEncoder(bgv).Decode(rlwe.NewDecryptor(p.rlwe, secret).DecryptNew(out), got); err != nil {
		t.Fatal(err)
	}
	for j := range want {
		if got[j] != want[j].Int64() {
			t.Errorf("total %d: %d, want %d", j, got[j], want[j])
		}
	}
}
