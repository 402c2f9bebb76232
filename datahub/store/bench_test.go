package store_test

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/commit"
)

// BenchmarkCommit writes batches of 400 frames of 400 bytes from 1,000 devices, and tells frames a second.
func BenchmarkCommit(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkCommit(b, sqliteEnv(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkCommit(b, postgresEnv(b)) })
}

func benchmarkCommit(b *testing.B, e *env) {
	const batch, devices, size = 400, 1000, 400
	s := e.open(b)
	payload := make([]byte, size)
	rand.Read(payload)
	sequence := make([]uint64, devices)
	next := 0
	b.SetBytes(batch * size)
	for b.Loop() {
		var out store.Batch
		for range batch {
			i := next % devices
			next++
			sequence[i]++
			id := benchDevice(i)
			out.Frames = append(out.Frames, store.Frame{Fleet: "bench", Device: id, Epoch: 7, Sequence: sequence[i], Received: time.Now(), Kind: 1, Readings: 10, Payload: payload})
			out.Progress = append(out.Progress, store.Progress{Device: id, Through: sequence[i]})
			out.Seen = append(out.Seen, store.Seen{Device: id, At: time.Now()})
		}
		mustCommit(b, s, &out)
	}
	elapsed := b.Elapsed()
	b.ReportMetric(float64(b.N*batch)/elapsed.Seconds(), "frames/s")
	b.ReportMetric(float64(e.size(b))/float64(b.N*batch), "stored-B/frame")
}

// size is how many bytes the database has.
func (e *env) size(b *testing.B) (n int64) {
	b.Helper()
	statement := "SELECT pg_database_size(current_database())"
	if strings.HasPrefix(e.url, "sqlite:") {
		statement = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
	}
	must(b, e.raw(b).QueryRow(statement).Scan(&n))
	return n
}

// BenchmarkSeal seals a frame of 400 bytes: the part of a commit that is not the database's.
func BenchmarkSeal(b *testing.B) {
	s := sqliteEnv(b).open(b)
	one := &store.Batch{Frames: []store.Frame{{Fleet: "bench", Epoch: 7, Sequence: 1, Payload: make([]byte, 400)}}}
	mustCommit(b, s, one)
	b.SetBytes(400)
	for b.Loop() {
		s.SealForBenchmark(b.Context(), one)
	}
}

func benchDevice(i int) (id commit.DeviceID) {
	binary.BigEndian.PutUint32(id[:], uint32(i)*2654435761)
	return id
}
