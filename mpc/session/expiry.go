package session

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Expiry is the last second at which a session can be answered of which a store has keys: from then on nobody can need them. It is ErrAbsent or ErrDestroyed of one that it has none of. Neither
// the ledger nor a party is needed for it, so that a node that is cut off from the ledger need not keep keys for as long as that lasts: see DestroyKeys.
func Expiry(ctx context.Context, store Store, session transcript.ID) (int64, error) {
	value, err := store.Get(ctx, session, expirySlot)
	if errors.Is(err, ErrAbsent) || errors.Is(err, ErrDestroyed) {
		return 0, err
	}
	if err != nil {
		return 0, fmt.Errorf("reading %s of session %s: %w", expirySlot, session, err)
	}
	at, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading %s of session %s: not as it is stored", expirySlot, session)
	}
	return at, nil
}

// DestroyKeys destroys what a store has of a session that opens inputs, and no more: a receiver may have a result to deliver, an owner a dispute to settle. A party of the session that lives sees it in
// its next step, or by Party.Expire.
func DestroyKeys(ctx context.Context, store Store, session transcript.ID) error {
	if err := store.Destroy(ctx, session, secretSlot, holdingSlot, shareSlot); err != nil {
		return fmt.Errorf("destroying the keys of session %s: %w", session, err)
	}
	return nil
}
