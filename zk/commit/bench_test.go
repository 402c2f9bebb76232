package commit_test

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// measure reports the processor's time too, divided by count: endorsers share a machine's cores, and elapsed time says
// little on a busy one.
func measure(b *testing.B, count int, unit string, do func()) {
	before := processorTime(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N*count), unit)
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkCheckChunk1024 measures all the checks that one endorser owes for a full chunk, on one core.
func BenchmarkCheckChunk1024(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(string(algorithm), func(b *testing.B) {
			chunk := committest.NewChunk(1024, algorithm)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			measure(b, 1024, "cpu-µs/attestation", func() {
				if _, err := chunk.Check(); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkParsePublicKey measures what an endorser does for each enrolled key before it checks a chunk.
func BenchmarkParsePublicKey(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(string(algorithm), func(b *testing.B) {
			der := committest.NewDevice(algorithm).Public.DER()
			measure(b, 1, "cpu-µs/op", func() {
				if _, err := commit.ParsePublicKey(der); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkAttest measures what a device does in an epoch.
func BenchmarkAttest(b *testing.B) {
	for _, algorithm := range algorithms {
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
