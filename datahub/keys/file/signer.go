package file

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"io"

	"github.com/assay-net/assay/datahub/keys"
)

// signer reads its key whenever it signs.
type signer struct {
	store  *Store
	entry  entry
	public ed25519.PublicKey
}

func (s *Store) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	e := entry{signing, name}
	seed, err := s.keyOrNew(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("opening a signing key: %w", err)
	}
	defer clear(seed)
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	return &signer{s, e, append(ed25519.PublicKey(nil), private[ed25519.SeedSize:]...)}, nil
}

func (s *signer) Public() crypto.PublicKey { return s.public }

func (s *signer) Sign(_ io.Reader, message []byte, options crypto.SignerOpts) ([]byte, error) {
	if err := keys.CheckSigning(message, options); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	seed, err := s.store.load(context.Background(), s.entry)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	defer clear(seed)
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	if !s.public.Equal(private.Public()) {
		return nil, fmt.Errorf("signing: key %s is not the one that it was", s.entry.name)
	}
	return ed25519.Sign(private, message), nil
}
