package setup

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/assay-net/assay/zk/verify"
)

// Holds says whether the cache has the key pair that a circuit's published key is of, without loading it. The error wraps fs.ErrNotExist if there is
// none, and [ErrNotTheKey] if there is another.
func (k *Keys) Holds(p *verify.PublishedKey) error {
	name := digestName(p.CircuitID, p.Circuit)
	m, err := k.cache.manifest(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s holds no key %s: %w", k.cache.dir, name, err)
	}
	if err != nil {
		return err
	}
	if own := verify.KeyDigest(p.CircuitID, k.setup, m.VerifyingKey); own != p.Digest {
		return fmt.Errorf("key %s of %s has digest %s, %s %w", name, k.cache.dir, own, p.Digest, ErrNotTheKey)
	}
	return nil
}
