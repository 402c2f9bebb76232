package verify_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

// measure reports the processor's time too: endorsers share a machine's cores, and elapsed time says little on a busy
// one.
func measure(b *testing.B, do func()) {
	before := processorTime(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkVerifyBundle measures the verification of bundles over few chunks and over many.
func BenchmarkVerifyBundle(b *testing.B) {
	keys, err := setup.UnsafeSingleParty("", nil)
	if err != nil {
		b.Fatal(err)
	}
	published, err := keys.Published(size)
	if err != nil {
		b.Fatal(err)
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		b.Fatal(err)
	}
	for _, chunks := range []int{1, 3, 16} {
		b.Run(fmt.Sprint(chunks), func(b *testing.B) {
			l := &lending{keys: keys, ring: ring, statement: asked()}
			l.statement.Claims = nil
			var indices []uint32
			for i := range chunks {
				indices = append(indices, uint32(i))
			}
			if err := l.report(indices...); err != nil {
				b.Fatal(err)
			}
			for _, f := range l.facts.Chunks {
				l.facts.Enrolled += uint64(f.Enrolled)
			}
			bundle, _, err := l.prove(&cheat{})
			if err != nil {
				b.Fatal(err)
			}
			raw, err := bundle.Marshal()
			if err != nil {
				b.Fatal(err)
			}
			measure(b, func() {
				if _, err := verify.VerifyBundle(raw, l.facts, ring); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkNewKeyring measures the parsing of the keys that bundles over chunks of one size need.
func BenchmarkNewKeyring(b *testing.B) {
	keys, err := setup.UnsafeSingleParty("", nil)
	if err != nil {
		b.Fatal(err)
	}
	published, err := keys.Published(size)
	if err != nil {
		b.Fatal(err)
	}
	measure(b, func() {
		if _, err := verify.NewKeyring(published); err != nil {
			b.Fatal(err)
		}
	})
}
