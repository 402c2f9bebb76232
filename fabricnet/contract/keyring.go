package contract

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/verify"
)

// KeyringCache keeps the pinned keys parsed between calls. What it gives depends on the keys alone. A nil one parses them every time.
type KeyringCache struct {
	mu     sync.Mutex
	digest [sha256.Size]byte
	ring   *verify.Keyring
}

func (c *KeyringCache) keyring(published []verify.PublishedKey) (*verify.Keyring, error) {
	if c == nil {
		return parseKeyring(published)
	}
	digest := sha256.Sum256(ledger.Encode(published))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ring != nil && c.digest == digest {
		return c.ring, nil
	}
	ring, err := parseKeyring(published)
	if err == nil {
		c.digest, c.ring = digest, ring
	}
	return ring, err
}

func parseKeyring(published []verify.PublishedKey) (*verify.Keyring, error) {
	keys, err := verify.NewKeyring(published)
	if err != nil {
		return nil, fmt.Errorf("reading pinned keys: %w", err)
	}
	return keys, nil
}
