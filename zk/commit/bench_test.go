package commit_test

import (
	"runtime"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// BenchmarkCheckChunk1024 measures all the checks that one endorser owes for a full chunk, on one core.
func BenchmarkCheckChunk1024(b *testing.B) {
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		b.Run(string(algorithm), func(b *testing.B) {
			chunk := committest.NewChunk(1024, algorithm)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			b.ResetTimer()
			for range b.N {
				if _, err := chunk.Check(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAttest measures what a device does in an epoch.
func BenchmarkAttest(b *testing.B) {
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		b.Run(string(algorithm), func(b *testing.B) {
			srs := committest.UnsafeSRS(64)
			device := committest.NewDevice(algorithm)
			place := commit.Place{SRS: srs.Digest(), Fleet: "fleet-a", Size: 64, Slot: 5, Epoch: 1}
			for range b.N {
				if _, err := commit.Attest(srs, place, committest.Record(5), device.Secret, device.Key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
