package sessiontest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// ErrLost is what a caller sees of a fault.
var ErrLost = errors.New("lost by the test")

// Fault is what goes wrong with a record.
type Fault int

// The faults of a record.
const (
	NoFault     Fault = iota
	LostRequest       // nothing is recorded, and the caller sees ErrLost
	LostAnswer        // it is recorded, and the caller sees ErrLost
)

// Board is a ledger in memory. Every record is a block of its own.
type Board struct {
	mu       sync.Mutex
	now      time.Time
	blocks   [][32]byte
	sessions map[transcript.ID]*record
	fault    func(transcript.Entry) Fault
	behind   map[string]int // entries that a party does not see yet
}

type record struct {
	opening transcript.Opening
	name    string
	block   int
	kept    *transcript.Transcript
	entries []transcript.Entry
}

// NewBoard is an empty ledger at this time.
func NewBoard(now time.Time) *Board {
	return &Board{now: now, sessions: map[transcript.ID]*record{}, behind: map[string]int{}}
}

// Now is the ledger's time.
func (b *Board) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// Set moves the ledger's time.
func (b *Board) Set(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// Block appends a block.
func (b *Board) Block() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.block()
}

func (b *Board) block() {
	var last [32]byte
	if n := len(b.blocks); n > 0 {
		last = b.blocks[n-1]
	}
	b.blocks = append(b.blocks, sha256.Sum256(append(last[:], strconv.Itoa(len(b.blocks))...)))
}

// Open records an opening, and gives the session's ID. Its beacon is there after the next block.
func (b *Board) Open(o transcript.Opening) (transcript.ID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := "record-" + strconv.Itoa(len(b.blocks))
	id := o.ID(name)
	kept, err := transcript.New(id, &o)
	if err != nil {
		return id, err
	}
	b.sessions[id] = &record{opening: o, name: name, block: len(b.blocks), kept: kept}
	b.block()
	return id, nil
}

// SetFault asks before each record what is to go wrong with it.
func (b *Board) SetFault(fault func(transcript.Entry) Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = fault
}

// Behind keeps the last entries of each session from a party.
func (b *Board) Behind(party string, entries int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.behind[party] = entries
}

// Entries are all that is recorded of a session.
func (b *Board) Entries(id transcript.ID) []transcript.Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sessions[id].entries)
}

// As is the ledger as a party's own peer shows it.
func (b *Board) As(party string) session.Board { return &view{b, party} }

type view struct {
	*Board
	party string
}

func (v *view) find(id transcript.ID) (*record, error) {
	r := v.sessions[id]
	if r == nil {
		return nil, fmt.Errorf("session %s is not recorded", id)
	}
	return r, nil
}

func (v *view) Opening(_ context.Context, id transcript.ID) (*transcript.Opening, string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, err := v.find(id)
	if err != nil {
		return nil, "", err
	}
	o := r.opening
	return &o, r.name, nil
}

func (v *view) Beacon(_ context.Context, id transcript.ID) ([32]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, err := v.find(id)
	if err != nil {
		return [32]byte{}, err
	}
	if len(v.blocks) <= r.block+1 {
		return [32]byte{}, session.ErrNotYet
	}
	return v.blocks[r.block+1], nil
}

func (v *view) Entries(_ context.Context, id transcript.ID) ([]transcript.Entry, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, err := v.find(id)
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.entries[:max(0, len(r.entries)-v.behind[v.party])]), nil
}

func (v *view) Post(_ context.Context, e transcript.Entry) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, err := v.find(e.Session)
	if err != nil {
		return err
	}
	if e.Party != v.party {
		return fmt.Errorf("%s records in the name of %s", v.party, e.Party)
	}
	fault := NoFault
	if v.fault != nil {
		fault = v.fault(e)
	}
	if fault == LostRequest {
		return ErrLost
	}
	e.At = v.now.Unix()
	if err := r.kept.Add(e); err != nil {
		return err
	}
	r.entries = append(r.entries, e)
	v.block()
	if fault == LostAnswer {
		return ErrLost
	}
	return nil
}
