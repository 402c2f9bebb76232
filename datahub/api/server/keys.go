package server

import (
	"container/list"
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// maxKeys bounds how many idempotency keys are remembered, and keyAge for how long.
	maxKeys = 1 << 16
	keyAge  = 24 * time.Hour
)

var errKey = fmt.Errorf("must be given once, as 1 to %d letters, digits or -._:", access.MaxHeader)

// keyOf is a call's idempotency key, or empty.
func keyOf(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, access.IdempotencyHeader)
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1 || !access.Plain(values[0]):
		return "", invalid(access.IdempotencyHeader, errKey)
	}
	return values[0], nil
}

// claimKey ties the call's key, if it has one, to what is called. The caller says in the end whether it was done.
func (s *Server) claimKey(ctx context.Context, method string, m proto.Message) (done func(ok bool), err error) {
	nothing := func(bool) {}
	if !assayv1.Changes(method) {
		return nothing, nil
	}
	key, err := keyOf(ctx)
	if err != nil || key == "" {
		return nothing, err
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, errFault
	}
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	name := sha256.Sum256(ledger.Tagged("assay/v1/api-key", []byte(caller.Peer), []byte(caller.Name), []byte(key)))
	call := sha256.Sum256(ledger.Tagged("assay/v1/api-call", []byte(method), body))
	if !s.keys.claim(name, call) {
		return nil, exists("the idempotency key was used for another call")
	}
	return func(ok bool) { s.keys.release(name, ok) }, nil
}

// keyTable remembers which call a key was used for. It keeps digests, so an entry has one size whatever is called.
type keyTable struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[[32]byte]*list.Element
	order   *list.List // of *keyUse, the latest in front
}

type keyUse struct {
	name, call [32]byte
	at         time.Time
	// running are the calls that have not ended, done says that one was carried out.
	running int
	done    bool
}

func newKeyTable(now func() time.Time) *keyTable {
	return &keyTable{now: now, entries: map[[32]byte]*list.Element{}, order: list.New()}
}

// claim reports whether a key is new, or was used for the very same call.
func (t *keyTable) claim(name, call [32]byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for last := t.order.Back(); last != nil && (t.order.Len() >= maxKeys || now.Sub(last.Value.(*keyUse).at) > keyAge); last = t.order.Back() {
		t.forget(last)
	}
	e, ok := t.entries[name]
	if !ok {
		t.entries[name] = t.order.PushFront(&keyUse{name: name, call: call, at: now, running: 1})
		return true
	}
	use := e.Value.(*keyUse)
	if use.call != call {
		return false
	}
	use.running++
	return true
}

// release ends a claim. A key whose call was refused is free again.
func (t *keyTable) release(name [32]byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.entries[name]
	if !known {
		return
	}
	use := e.Value.(*keyUse)
	use.running--
	use.done = use.done || ok
	if use.running <= 0 && !use.done {
		t.forget(e)
	}
}

func (t *keyTable) forget(e *list.Element) {
	delete(t.entries, e.Value.(*keyUse).name)
	t.order.Remove(e)
}
