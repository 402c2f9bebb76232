// Package committest makes what tests and benchmarks of device commitments need: an SRS whose τ was known to this
// process, which is unsafe for anything else, and chunks of attesting devices. Nothing outside tests and benchmarks may
// import it.
package committest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

var (
	cacheLock sync.Mutex
	cache     = map[int]*commit.SRS{}
)

// UnsafeSRS returns powers of a random τ that this process knew for a moment, enough for chunks of this size and the
// mask of their proofs. A size gives the same SRS as long as the process lives. It panics on a size that is not one of
// commit.Sizes.
func UnsafeSRS(chunkSize int) *commit.SRS {
	cacheLock.Lock()
	defer cacheLock.Unlock()
	if srs, ok := cache[chunkSize]; ok {
		return srs
	}
	var tau fr.Element
	tau.MustSetRandom()
	g1, g2 := UnsafePowers(tau, 2*chunkSize+2)
	srs, err := commit.NewSRS(g1, g2)
	if err == nil {
		err = srs.Supports(uint32(chunkSize))
	}
	if err != nil {
		panic(fmt.Sprintf("committest: %v", err))
	}
	cache[chunkSize] = srs
	return srs
}

// UnsafePowers returns count powers of a known τ in G1 and [1], [τ] in G2.
func UnsafePowers(tau fr.Element, count int) ([]bn254.G1Affine, [2]bn254.G2Affine) {
	_, _, generator1, generator2 := bn254.Generators()
	powers := make([]fr.Element, count)
	powers[0].SetOne()
	for i := 1; i < count; i++ {
		powers[i].Mul(&powers[i-1], &tau)
	}
	g2 := [2]bn254.G2Affine{generator2, generator2}
	g2[1].ScalarMultiplication(&generator2, tau.BigInt(new(big.Int)))
	return bn254.BatchScalarMultiplicationG1(&generator1, powers), g2
}

// Device is a key with an enrolment secret.
type Device struct {
	Key    crypto.Signer
	Public commit.PublicKey
	Secret commit.Secret
}

// NewDevice draws a key and a secret.
func NewDevice(algorithm commit.Algorithm) Device {
	var key crypto.Signer
	var err error
	if algorithm == commit.P256 {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		panic(fmt.Sprintf("committest: drawing a %s key: %v", algorithm, err))
	}
	public, err := commit.NewPublicKey(key.Public())
	if err != nil {
		panic(fmt.Sprintf("committest: %v", err))
	}
	return Device{Key: key, Public: public, Secret: commit.NewSecret()}
}

// Chunk is a chunk of devices of which all attested: the arguments of commit.CheckChunk, and what they hide.
type Chunk struct {
	SRS          *commit.SRS
	Place        commit.ChunkPlace
	Devices      []Device
	Records      []record.Record
	Openings     []commit.Opening
	Enrolled     []commit.SlotKey
	Attestations [][]byte
	Commitment   bn254.G1Affine
}

// NewChunk fills a chunk of the given size with new devices and battery records, and lets every device attest in epoch
// 7.
func NewChunk(size int, algorithm commit.Algorithm) *Chunk {
	srs := UnsafeSRS(size)
	c := &Chunk{SRS: srs, Place: commit.ChunkPlace{
		Ledger: commit.Digest{1}, SRS: srs.Digest(), Fleet: "fleet-a", Chunk: 3, Size: uint32(size), Epoch: 7,
	}}
	points := make([]bn254.G1Affine, size)
	for slot := range size {
		device := NewDevice(algorithm)
		rec := Record(slot)
		place := c.Place.At(uint32(slot))
		opening, err := commit.Commit(srs, place, rec, device.Secret)
		if err != nil {
			panic(fmt.Sprintf("committest: slot %d: %v", slot, err))
		}
		attestation, err := commit.Attest(srs, place, rec, device.Secret, device.Key)
		if err != nil {
			panic(fmt.Sprintf("committest: slot %d: %v", slot, err))
		}
		c.Devices = append(c.Devices, device)
		c.Records = append(c.Records, rec)
		c.Openings = append(c.Openings, opening)
		c.Enrolled = append(c.Enrolled, commit.SlotKey{Slot: uint32(slot), Key: device.Public})
		c.Attestations = append(c.Attestations, attestation.Marshal())
		points[slot] = opening.C
	}
	c.Commitment = commit.Sum(points)
	return c
}

// Check runs commit.CheckChunk on the chunk.
func (c *Chunk) Check() (*commit.Checked, error) {
	return commit.CheckChunk(c.SRS, c.Place, c.Enrolled, c.Attestations, c.Commitment)
}

// Record returns a battery/v1 record that lies within the schema and differs from slot to slot.
func Record(slot int) record.Record {
	s := uint32(slot)
	return record.Record{1, 9_500 - s%2_500, 4_000 + 3*s%9_000, 400 + s%700, 45_000 - 5*s%20_000, 8 + s%40, 650 + s%250, s % 7}
}
