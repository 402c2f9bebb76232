// Package keys is where an organisation keeps what must stay secret: the keys that wrap data keys, the secrets that
// blinding scalars and devices' secrets are derived from, the key that it signs with, and shares of keys that it holds
// together with others.
//
// It promises that a named key never leaves the store in the clear: callers send in what is to be wrapped, derived or
// signed. It promises the same behaviour of every driver, which keystest checks: `file` keeps everything in one
// directory, sealed with a passphrase or a machine key; `vault` leaves it to a HashiCorp Vault. Package keystore opens
// either from a configuration.
//
// It does not promise that a destroyed key is gone from backups of the store itself: whoever keeps copies of a key
// directory or snapshots of a Vault decides how long they live. Nor does it back anything up. A store that is lost
// takes with it all data that was wrapped under its keys.
package keys

import (
	"context"
	"crypto"
	"errors"
)

// The errors that callers tell apart. Anything else is a defect of the set-up.
var (
	// ErrUnavailable says that the key store cannot answer now: sealed, unreachable, its token expired. Trying again later may help.
	ErrUnavailable = errors.New("the key store is not available")
	// ErrNotFound says that there is no key or share of that name, or none any more.
	ErrNotFound = errors.New("no such key")
	// ErrDenied says that the key store answers, and does not allow it.
	ErrDenied = errors.New("the key store does not allow it")
	// ErrCorrupt says that what was to be unwrapped is not what was wrapped under this key in this context.
	ErrCorrupt = errors.New("not wrapped under this key and context")
)

// Store keeps an organisation's keys. Implementations are safe for concurrent use, and no method returns a key that is named:
// wrapping keys, derivation secrets and signing keys stay where they are. Names are 1 to 64 characters of a–z, 0–9 and '-', and
// each kind of key has names of its own.
type Store interface {
	// Wrap seals a data key of 32 bytes under the wrapping key of that name, which is made if there is none. Context is
	// authenticated, not stored, and has at most 1,024 bytes.
	Wrap(ctx context.Context, name string, dataKey, context []byte) ([]byte, error)
	// Unwrap opens what Wrap sealed.
	Unwrap(ctx context.Context, name string, wrapped, context []byte) ([]byte, error)
	// Destroy deletes a wrapping key for good, with all that it wrapped. It succeeds if there is none.
	Destroy(ctx context.Context, name string) error
	// Derive computes a pseudorandom function, keyed with the secret of that name, of each context. The secret is made if there is
	// none. Equal contexts give equal outputs for ever. It takes any number of contexts of up to 1,024 bytes.
	Derive(ctx context.Context, name string, contexts [][]byte) ([][32]byte, error)
	// Signer signs as the organisation with the key of that name, which is made if there is none. Its public key is an
	// ed25519.PublicKey, and it signs messages of up to 512 KiB, with crypto.Hash(0).
	Signer(ctx context.Context, name string) (crypto.Signer, error)
	// PutShare keeps a secret share of 1 byte to 512 KiB; Share returns it. A share may be replaced, and then the one before is
	// gone. Longer secrets are sealed under a data key that is wrapped or kept as a share.
	PutShare(ctx context.Context, name string, share []byte) error
	Share(ctx context.Context, name string) ([]byte, error)
	// Check says whether the store can be used now.
	Check(ctx context.Context) error
	Close() error
}
