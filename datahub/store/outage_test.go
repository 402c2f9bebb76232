package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/store/postgrestest"
)

// load commits batch after batch, each again until it is acknowledged.
type load struct {
	store   *store.Store
	through atomic.Uint64
	stop    context.CancelFunc
	done    chan error
}

func startLoad(t *testing.T, s *store.Store) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{store: s, stop: cancel, done: make(chan error, 1)}
	go func() {
		for ctx.Err() == nil {
			b := writerBatch(l.through.Load()/70, l.through.Load())
			if err := l.commit(b); err != nil {
				l.done <- err
				return
			}
			l.through.Add(writerFrames)
		}
		l.done <- nil
	}()
	t.Cleanup(cancel)
	return l
}

func (l *load) commit(b *store.Batch) error {
	deadline := time.Now().Add(time.Minute)
	for tick := time.Tick(10 * time.Millisecond); ; <-tick {
		err := l.store.Commit(context.Background(), b)
		if err == nil || !errors.Is(err, store.ErrUnavailable) || time.Now().After(deadline) {
			return err
		}
	}
}

// advance waits until the load has gone on by some batches.
func (l *load) advance(t *testing.T, batches uint64) {
	t.Helper()
	goal := l.through.Load() + batches*writerFrames
	deadline := time.After(time.Minute)
	for tick := time.Tick(5 * time.Millisecond); l.through.Load() < goal; {
		select {
		case err := <-l.done:
			t.Fatalf("the load ended: %v", err)
		case <-deadline:
			t.Fatal("the load does not go on")
		case <-tick:
		}
	}
}

func (l *load) finish(t *testing.T) {
	t.Helper()
	l.stop()
	must(t, <-l.done)
	if through := checkWritten(t, l.store); through != l.through.Load() {
		t.Errorf("acknowledged up to %d, stored up to %d", l.through.Load(), through)
	}
}

func putWriterDevices(t *testing.T, s *store.Store) {
	t.Helper()
	for n := range writerDevices {
		must(t, s.PutDevices(t.Context(), []store.Device{{ID: device(n), Fleet: "alpha", Slot: uint32(n), State: store.Enrolled}}))
	}
}

func TestPostgresRestartedAndKilledUnderLoad(t *testing.T) {
	server := postgrestest.Start(t, postgrestest.Options{})
	e := newEnv(t, server.Database(t))
	s := e.open(t)
	putWriterDevices(t, s)
	l := startLoad(t, s)
	for range 3 {
		l.advance(t, 5)
		server.Restart(t)
		l.advance(t, 5)
		server.Kill(t)
		server.Start(t)
	}
	l.advance(t, 5)
	l.finish(t)
}

func TestPostgresWithoutConnectionsToSpare(t *testing.T) {
	const connections = 6
	server := postgrestest.Start(t, postgrestest.Options{MaxConnections: connections})
	e := newEnv(t, server.Database(t))
	s := e.open(t)
	putWriterDevices(t, s)
	l := startLoad(t, s)
	l.advance(t, 3)
	held := holdConnections(t, e.url)
	_, err := store.Open(t.Context(), store.Config{URL: e.url}, e.keys, store.Options{})
	is(t, err, store.ErrUnavailable)
	l.advance(t, 3) // over the connection that it has
	results := make(chan error)
	for n := range connections {
		go func() { results <- s.Commit(t.Context(), frames("alpha", 100+n, 7, 1, 1)) }()
	}
	for range connections {
		if err := <-results; err != nil {
			is(t, err, store.ErrUnavailable)
		}
	}
	for _, conn := range held {
		must(t, conn.Close(t.Context()))
	}
	must(t, l.commit(frames("alpha", 200, 7, 1, 1)))
	l.stop()
	must(t, <-l.done)
}

// holdConnections takes every connection that the server has to spare.
func holdConnections(t *testing.T, url string) (held []*pgx.Conn) {
	t.Helper()
	for {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			if len(held) == 0 {
				t.Fatal(err)
			}
			return held
		}
		held = append(held, conn)
		t.Cleanup(func() { conn.Close(context.Background()) })
	}
}
