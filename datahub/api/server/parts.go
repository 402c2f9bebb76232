package server

import (
	"context"
	"time"
)

const (
	// partsFresh is how long it is told how the parts are without another look at them.
	partsFresh = 2 * time.Second
	// partsWait bounds a look.
	partsWait = 10 * time.Second
)

// partsCache looks at the node's parts once for all who ask: anybody may, and a look calls whatever is beneath the node.
type partsCache struct {
	look func(context.Context) []Part
	now  func() time.Time
	// turn has one place: whoever has it may look, and write the rest.
	turn chan struct{}
	last []Part
	at   time.Time
}

func newPartsCache(look func(context.Context) []Part, now func() time.Time) *partsCache {
	return &partsCache{look: look, now: now, turn: make(chan struct{}, 1)}
}

// late is the part that stands for all if they do not answer in time.
const late = "answer"

// of gives the parts as they were a moment ago.
func (c *partsCache) of(ctx context.Context) []Part {
	if c.look == nil {
		return nil
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return []Part{{Name: late, Detail: "not in time"}}
	}
	defer func() { <-c.turn }()
	if age := c.now().Sub(c.at); age >= 0 && age < partsFresh {
		return c.last
	}
	// Whoever asked first and does not wait must not make it fail for the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partsWait)
	defer cancel()
	c.last = c.look(ctx)
	c.at = c.now()
	return c.last
}
