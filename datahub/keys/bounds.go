package keys

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
)

// What a store takes. Every driver holds to the same bounds, so that what works with one works with the other.
const (
	MaxName    = 64
	MaxContext = 1024
	MaxMessage = 512 << 10
	MaxShare   = 512 << 10
	// MaxWrapped bounds what any driver makes of a data key.
	MaxWrapped = 256
	// DataKeySize is the length of a data key.
	DataKeySize = 32
)

// CheckName says whether a name may be used.
func CheckName(name string) error {
	if len(name) < 1 || len(name) > MaxName {
		return fmt.Errorf("name of a key has %d characters, must have 1 to %d", len(name), MaxName)
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("name of a key has a character other than a–z, 0–9 and '-' at position %d", i)
		}
	}
	return nil
}

// CheckDataKey says whether something may be wrapped in a context.
func CheckDataKey(dataKey, context []byte) error {
	if len(dataKey) != DataKeySize {
		return fmt.Errorf("data key has %d bytes, must have %d", len(dataKey), DataKeySize)
	}
	return checkContext(context)
}

// CheckWrapped says whether something can be a wrapped key at all.
func CheckWrapped(wrapped, context []byte) error {
	if len(wrapped) < DataKeySize || len(wrapped) > MaxWrapped {
		return fmt.Errorf("wrapped key has %d bytes, must have %d to %d: %w", len(wrapped), DataKeySize, MaxWrapped, ErrCorrupt)
	}
	return checkContext(context)
}

// CheckContexts says whether all contexts of a derivation are within bounds.
func CheckContexts(contexts [][]byte) error {
	for i, c := range contexts {
		if err := checkContext(c); err != nil {
			return fmt.Errorf("context %d: %w", i, err)
		}
	}
	return nil
}

func checkContext(context []byte) error {
	if len(context) > MaxContext {
		return fmt.Errorf("context has %d bytes, at most %d", len(context), MaxContext)
	}
	return nil
}

// CheckShare says whether a share may be kept.
func CheckShare(share []byte) error {
	if len(share) < 1 || len(share) > MaxShare {
		return fmt.Errorf("share has %d bytes, must have 1 to %d", len(share), MaxShare)
	}
	return nil
}

// CheckSigning says whether a message may be signed, and in the one way in which stores sign: Ed25519 of the message as it is.
func CheckSigning(message []byte, options crypto.SignerOpts) error {
	if options == nil || options.HashFunc() != 0 {
		return errors.New("messages are signed as they are, with crypto.Hash(0)")
	}
	if o, ok := options.(*ed25519.Options); ok && o.Context != "" {
		return errors.New("messages are signed without a context")
	}
	if len(message) > MaxMessage {
		return fmt.Errorf("message has %d bytes, at most %d", len(message), MaxMessage)
	}
	return nil
}

// WrapInput is what every driver authenticates beside a wrapped key: what it is for, the wrapping key's name and the context.
func WrapInput(name string, context []byte) []byte { return input("assay/keys/wrap/v1", name, context) }

// DeriveInput is what every driver computes HMAC-SHA256 of, under the secret of that name: one secret gives the same outputs
// wherever it is kept.
func DeriveInput(name string, context []byte) []byte {
	return input("assay/keys/derive/v1", name, context)
}

// input puts a tag, a name and a context together so that no two different triples give the same bytes.
func input(tag, name string, context []byte) []byte {
	b := make([]byte, 0, 2+len(tag)+len(name)+len(context))
	b = append(b, byte(len(tag)))
	b = append(b, tag...)
	b = append(b, byte(len(name)))
	b = append(b, name...)
	return append(b, context...)
}
