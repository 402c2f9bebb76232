package zk_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestProf(t *testing.T) {
	logger.Disable()
	keys, _ := setup.UnsafeSingleParty("/tmp/assaycache2", nil)
	b := &benchmark{t: t, keys: keys}
	n := 1024
	f := b.facts(n, n)
	s := benchStatement()
	p, _ := s.Parameters()
	anchored, _ := commit.ParsePoint(f.Chunks[0].Commitment)
	keys.Chunk(n)
	ch := benchChunk(0, n, n)
	for range 6 {
		c0, t0 := cpu(), time.Now()
		if _, _, err := zk.ProveChunk(keys, verify.ChunkPlace{Size: uint32(n)}, &anchored, ch, p); err != nil {
			t.Fatal(err)
		}
		fmt.Println("wall", time.Since(t0), "cpu", cpu()-c0)
	}
}
