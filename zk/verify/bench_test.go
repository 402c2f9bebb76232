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
			l := measured(b, keys, chunks)
			measure(b, func() {
				if _, err := verify.VerifyBundle(l.raw, l.facts, ring); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// measured is a fleet of so many chunks with its bundle.
func measured(b *testing.B, keys *setup.Unsafe, chunks int) *lending {
	b.Helper()
	l := &lending{keys: keys, statement: asked()}
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
	if l.raw, err = bundle.Marshal(); err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkSecondVerifier measures the second verifier, once it has read the keys. What a chunk takes does not depend on
// its size: 20 chunks of 1,024 are 20,480 devices.
func BenchmarkSecondVerifier(b *testing.B) {
	v := startSecond(b)
	keys, err := setup.UnsafeSingleParty("", nil)
	if err != nil {
		b.Fatal(err)
	}
	published, err := keys.Published(size)
	if err != nil {
		b.Fatal(err)
	}
	for _, chunks := range []int{1, 20} {
		b.Run(fmt.Sprint(chunks), func(b *testing.B) {
			l := measured(b, keys, chunks)
			question := asking{"bundle", l.raw, l.facts, published}
			for b.Loop() {
				var got outcome
				if err := v.Ask(question, &got); err != nil || got.Failure != "" {
					b.Fatalf("failure %q (%s), %v", got.Failure, got.Why, err)
				}
			}
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
