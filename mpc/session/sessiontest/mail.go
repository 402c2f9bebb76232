package sessiontest

import (
	"context"
	"fmt"
	"sync"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// Request is one party asking another.
type Request struct {
	Caller, From string
	Session      transcript.ID
	Item         session.Item
	Size         int
}

// Answer is what comes back.
type Answer func() ([]byte, error)

// Mail carries requests between the parties that are there.
type Mail struct {
	mu      sync.Mutex
	parties map[string]*session.Party
	through func(Request, Answer) ([]byte, error)
}

// NewMail is a mail with nobody there.
func NewMail() *Mail { return &Mail{parties: map[string]*session.Party{}} }

// Attach has a party answer from now on; nil has it gone.
func (m *Mail) Attach(name string, p *session.Party) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parties[name] = p
}

// Interpose has every request go through a function, which may ask for the true answer.
func (m *Mail) Interpose(through func(Request, Answer) ([]byte, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.through = through
}

// As is the mail as a party uses it.
func (m *Mail) As(party string) session.Mail { return &box{m, party} }

type box struct {
	*Mail
	caller string
}

// Fetch is an error for an answer of another length than was asked for, as on a wire that reads no more.
func (b *box) Fetch(ctx context.Context, from string, id transcript.ID, item session.Item, size int) ([]byte, error) {
	b.mu.Lock()
	p, through := b.parties[from], b.through
	b.mu.Unlock()
	answer := func() ([]byte, error) {
		if p == nil {
			return nil, fmt.Errorf("%s is not there", from)
		}
		parsed, err := session.ParseItem(item.String())
		if err != nil {
			return nil, err
		}
		return p.Serve(b.caller, parsed)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if through == nil {
		return answer()
	}
	return through(Request{b.caller, from, id, item, size}, answer)
}
