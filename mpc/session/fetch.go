package session

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// atOnce bounds how many answers of others are in memory before they are checked.
const atOnce = 4

// fetch asks another party for an item of exactly this size.
func (p *Party) fetch(ctx context.Context, from string, item Item, size int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	b, err := p.cfg.Mail.Fetch(ctx, from, p.session, item, size)
	if err != nil {
		return nil, fmt.Errorf("%s from %s: %w", item, from, err)
	}
	if len(b) != size {
		return nil, fmt.Errorf("%s from %s: %d bytes, want %d", item, from, len(b), size)
	}
	return b, nil
}

// gather calls get for each name, a few at once, and returns what came. Its error is a violation, if there was one; else it says what has not come.
func gather[T any](ctx context.Context, names []string, get func(context.Context, string) (T, error)) (map[string]T, error) {
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		got   = map[string]T{}
		errs  = make([]error, len(names))
		slots = make(chan struct{}, atOnce)
	)
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			v, err := get(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			if errs[i] = err; err == nil {
				got[name] = v
			}
		})
	}
	wg.Wait()
	return got, gathered(ctx, errs)
}

// gathered makes one error of many: an error that is this party's own, such as its store's, is one to return; what another party does not bring is waited for.
func gathered(ctx context.Context, errs []error) error {
	var missing waiting
	for _, err := range errs {
		var broken *violation
		var own *ownError
		switch {
		case err == nil:
		case errors.As(err, &broken), errors.As(err, &own):
			return err
		default:
			missing = append(missing, string(transcript.Reason(err.Error()))) // in it may be what others wrote
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if missing != nil {
		return missing
	}
	return nil
}

// ownError is an error that is no other party's doing.
type ownError struct{ error }

func (e *ownError) Unwrap() error { return e.error }
