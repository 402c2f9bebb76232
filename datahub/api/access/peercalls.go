package access

import (
	"bytes"
	"context"
)

// peerCall is a call of a peer that is under way, which ends when the CA that its certificate is of is not the organisation's any more.
type peerCall struct {
	organisation string
	ca           []byte
	end          context.CancelFunc
}

// serving keeps a call until leave is called.
func (p *peers) serving(organisation string, ca []byte, end context.CancelFunc) (leave func()) {
	c := &peerCall{organisation, ca, end}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.currently(organisation, ca) {
		end() // it changed since the certificate was looked at
		return func() {}
	}
	p.served[c] = struct{}{}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.served, c)
	}
}

// currently says whether a CA is still its organisation's. Its caller has the lock.
func (p *peers) currently(organisation string, ca []byte) bool {
	now := p.cas[organisation]
	return now != nil && bytes.Equal(now.Raw, ca)
}

// endFormer ends the calls whose CA is not their organisation's any more. Its caller has the lock.
func (p *peers) endFormer() {
	for c := range p.served {
		if !p.currently(c.organisation, c.ca) {
			c.end()
			delete(p.served, c)
		}
	}
}

// changedNow makes the next call look at the ledger, and reports whether calls are under way that may have to end.
func (p *peers) changedNow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	return len(p.served) > 0
}

// again looks at the ledger for the sake of the calls that are under way. If it cannot be read, all of them end.
func (p *peers) again() {
	if p.current(context.Background()) == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.served {
		c.end()
	}
	clear(p.served)
}
