package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const (
	keyCheckFile    = "key-check"
	keyCheckMessage = "assay/v1/jetstream-directory"
)

// claimDirectory locks the directory and makes sure that it was written with this key: JetStream given another key would start
// over with empty streams.
func claimDirectory(directory string, key []byte) (*flock.Flock, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("broker: directory: %w", err)
	}
	lock := flock.New(filepath.Join(directory, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("broker: locking the directory: %w", err)
	}
	if !held {
		return nil, fmt.Errorf("broker: directory %s is in use by another process", directory)
	}
	if err := checkKey(filepath.Join(directory, keyCheckFile), key); err != nil {
		lock.Unlock() //nolint:errcheck // nothing was changed
		return nil, fmt.Errorf("broker: directory %s: %w", directory, err)
	}
	return lock, nil
}

func checkKey(path string, key []byte) error {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(keyCheckMessage))
	want := []byte(hex.EncodeToString(mac.Sum(nil)))
	have, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(path, want, 0o600)
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(have, want) != 1 {
		return errors.New("it was written with another key")
	}
	return nil
}
