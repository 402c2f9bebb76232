package store

import (
	"context"
	"fmt"
	"time"
)

func (r *keyring) seenDooms() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.dooms
}

func (r *keyring) due() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return time.Since(r.checked) >= keyCheckEvery
}

// check forgets the open keys that were shredded since it was checked last, which it looks up when that is a while ago, or now.
// Without an answer no key is used.
func (r *keyring) check(ctx context.Context, now bool) error {
	if !now && !r.due() {
		return nil
	}
	if err := r.checking.take(ctx); err != nil {
		return err
	}
	defer r.checking.leave()
	if !now && !r.due() {
		return nil
	}
	if err := r.checkNow(ctx); err != nil {
		return fmt.Errorf("looking for shredded keys: %w", err)
	}
	return nil
}

func (r *keyring) checkNow(ctx context.Context) error {
	began := time.Now()
	dooms, err := r.driver.Dooms(ctx)
	if err != nil {
		return err
	}
	var doomed []period
	if dooms != r.seenDooms() {
		if doomed, err = r.doomed(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range doomed {
		r.open[p] = nil
	}
	r.dooms, r.checked = dooms, began
	return nil
}

// doomed returns which of the periods whose keys are held are shredded.
func (r *keyring) doomed(ctx context.Context) ([]period, error) {
	r.mu.RLock()
	fleets := make(map[string]bool)
	for p := range r.open {
		fleets[p.fleet] = true
	}
	r.mu.RUnlock()
	var out []period
	for fleet := range fleets {
		rows, err := r.driver.Keys(ctx, fleet, nil)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			p := period{fleet, rows[i].Period}
			if _, held := r.held(p); held && rows[i].Doomed {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// watch checks in the background, so that a key that another process shredded leaves this one's memory though it is not used.
func (r *keyring) watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(keyCheckEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				r.checkBriefly(ctx)
				r.proveOne(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-done
		r.mu.Lock()
		defer r.mu.Unlock()
		clear(r.open)
	}
}

func (r *keyring) checkBriefly(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, 2*keyCheckEvery)
	defer cancel()
	if err := r.check(limited, false); err != nil && ctx.Err() == nil {
		r.log.DebugContext(ctx, "no data key is used until the database answers", "error", err)
	}
}
