package session

import (
	"context"
	"errors"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Errors of what a party is given.
var (
	ErrNotYet    = errors.New("not yet")                                      // ask again
	ErrForbidden = errors.New("not for this party")                           // do not
	ErrAbsent    = errors.New("nothing is stored there")                      // by this party, ever
	ErrDestroyed = errors.New("the party's part of the session is destroyed") // for good
	ErrDeclined  = errors.New("declined")                                     // by the party's own rules: see Config
)

// Board is the ledger. A party believes it in everything: whoever can show a party a false ledger can have it open a sum of two inputs. So it is a peer of
// the party's own organisation that answers, or answers are checked by their signatures.
type Board interface {
	// Opening is what the ledger recorded of a session, and the name of that record.
	Opening(ctx context.Context, session transcript.ID) (opening *transcript.Opening, record string, err error)
	// Beacon is the hash of the block after the one that records the opening, and ErrNotYet until there is one. It is the same for ever.
	Beacon(ctx context.Context, session transcript.ID) ([32]byte, error)
	// Post records an entry in the party's own name. Of several for a party and round the first wins, whoever posts it: transcript.ErrRecorded if it was another.
	// It may return an error for an entry that is recorded.
	Post(ctx context.Context, e transcript.Entry) error
	// Entries are those recorded, in the ledger's order. They may be behind, and never differ from what is or will be recorded.
	Entries(ctx context.Context, session transcript.ID) ([]transcript.Entry, error)
}

// Mail asks another party's [Party.Serve]. It names the caller to it, by the certificate of its organisation, and hides what is answered from everyone else.
type Mail interface {
	// Fetch reads exactly size bytes: it allocates and reads no more, whatever the other side sends, and more or less is an error.
	Fetch(ctx context.Context, from string, session transcript.ID, item Item, size int) ([]byte, error)
}

// Store is a party's durable memory. What it promises is what the session's promises are made of.
type Store interface {
	// Put keeps a value under a name, unless there is one: the first wins, also among processes. What it returns is kept, durable and the same for ever.
	Put(ctx context.Context, session transcript.ID, slot string, value []byte) (kept []byte, err error)
	// Get is ErrAbsent only if nothing was ever kept there, and ErrDestroyed after all was destroyed: any doubt is another error.
	Get(ctx context.Context, session transcript.ID, slot string) ([]byte, error)
	// Destroy removes these slots, and without any the whole session: then Put and Get are ErrDestroyed, for good.
	Destroy(ctx context.Context, session transcript.ID, slots ...string) error
	// Sessions are those with anything kept and not all of it destroyed.
	Sessions(ctx context.Context) ([]transcript.ID, error)
}

// Sealer encrypts what a store keeps, with keys that are not where the store is: one for each slot of a session, so that what is destroyed opens from no copy of the store either.
type Sealer interface {
	// Seal encrypts a value of a slot. Associated data names where it belongs, so that none can be put in another's place.
	Seal(ctx context.Context, session transcript.ID, slot string, plaintext, associated []byte) ([]byte, error)
	// Open is an error for what was sealed before the slot's key was destroyed, as for anything else that it did not seal for this place.
	Open(ctx context.Context, session transcript.ID, slot string, sealed, associated []byte) ([]byte, error)
	// Destroy destroys the slot's key for good. It succeeds if there is none.
	Destroy(ctx context.Context, session transcript.ID, slot string) error
}
