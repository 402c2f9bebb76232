package mpc_test

import (
	"time"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/heint"
	"github.com/tuneinsight/lattigo/v5/mhe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/sampling"
)

// library does with lattigo alone what a session does with it: keys, Shamir shares, encryption, addition, key switching, decryption. No proofs, no commitments, no disk, no flooding beyond a
// Gaussian of 2^20.
type library struct {
	owners, threshold int
	params            heint.Parameters
}

func newLibrary(owners, threshold int) *library {
	params, err := heint.NewParametersFromLiteral(heint.ParametersLiteral{LogN: 13, LogQ: []int{54, 54, 54, 54}, PlaintextModulus: 0x3fffffffe38001})
	if err != nil {
		panic(err)
	}
	return &library{owners, threshold, params}
}

// session returns how long all parties' operations take, one after the other.
func (l *library) session() time.Duration {
	began := time.Now()
	holders := l.owners + 1
	generator := rlwe.NewKeyGenerator(l.params)
	receiver, receiverKey := generator.GenKeyPairNew()
	secrets := make([]*rlwe.SecretKey, holders)
	for i := range secrets {
		secrets[i] = generator.GenSecretKeyNew()
	}
	key := l.publicKey(secrets)
	additive := append(l.additive(secrets[:l.owners]), secrets[l.owners])

	encryptor, evaluator := heint.NewEncryptor(l.params, key), heint.NewEvaluator(l.params, nil)
	plain := heint.NewPlaintext(l.params, l.params.MaxLevel())
	plain.IsBatched = false
	l.check(heint.NewEncoder(l.params).Encode(make([]uint64, 17), plain))
	sum := heint.NewCiphertext(l.params, 1, l.params.MaxLevel())
	for i := range l.owners {
		input, err := encryptor.EncryptNew(plain)
		l.check(err)
		if i == 0 {
			sum = input
			continue
		}
		l.check(evaluator.Add(sum, input, sum))
	}
	switching, err := mhe.NewPublicKeySwitchProtocol(l.params, ring.DiscreteGaussian{Sigma: 1 << 20, Bound: 6 << 20})
	l.check(err)
	combined, share := switching.AllocateShare(sum.Level()), switching.AllocateShare(sum.Level())
	for _, secret := range additive {
		switching.GenShare(secret, receiverKey, sum, &share)
		l.check(switching.AggregateShares(share, combined, &combined))
	}
	switching.KeySwitch(sum, combined, sum)
	l.check(heint.NewEncoder(l.params).Decode(heint.NewDecryptor(l.params, receiver).DecryptNew(sum), make([]uint64, 17)))
	return time.Since(began)
}

func (l *library) publicKey(secrets []*rlwe.SecretKey) *rlwe.PublicKey {
	crs, err := sampling.NewKeyedPRNG([]byte("common reference string"))
	l.check(err)
	protocol := mhe.NewPublicKeyGenProtocol(l.params)
	a := protocol.SampleCRP(crs)
	sum, share, key := protocol.AllocateShare(), protocol.AllocateShare(), rlwe.NewPublicKey(l.params)
	for _, secret := range secrets {
		protocol.GenShare(secret, a, &share)
		protocol.AggregateShares(sum, share, &sum)
	}
	protocol.GenPublicKey(sum, a, key)
	return key
}

// additive are the shares of as many owners as the threshold.
func (l *library) additive(secrets []*rlwe.SecretKey) []*rlwe.SecretKey {
	dealer := mhe.NewThresholdizer(l.params)
	held := make([]mhe.ShamirSecretShare, l.owners)
	for i := range held {
		held[i] = dealer.AllocateThresholdSecretShare()
	}
	part := dealer.AllocateThresholdSecretShare()
	for _, secret := range secrets {
		polynomial, err := dealer.GenShamirPolynomial(l.threshold, secret)
		l.check(err)
		for i := range held {
			dealer.GenShamirSecretShare(mhe.ShamirPublicPoint(i+1), polynomial, &part)
			l.check(dealer.AggregateShares(held[i], part, &held[i]))
		}
	}
	var active []mhe.ShamirPublicPoint
	for i := range l.threshold {
		active = append(active, mhe.ShamirPublicPoint(i+1))
	}
	out := make([]*rlwe.SecretKey, l.threshold)
	for i, own := range active {
		out[i] = rlwe.NewSecretKey(l.params)
		l.check(mhe.NewCombiner(*l.params.GetRLWEParameters(), own, active, l.threshold).GenAdditiveShare(active, own, held[i], out[i]))
	}
	return out
}

func (l *library) check(err error) {
	if err != nil {
		panic(err)
	}
}
