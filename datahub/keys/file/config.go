package file

import (
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/keys/reference"
)

// Config says where a key directory is and what opens it.
type Config struct {
	// Directory holds the keys: mode 0700, of the user that runs the node, on a disk that is backed up. Losing it is losing all data
	// that was stored under its keys.
	Directory string `yaml:"directory"`
	// Passphrase opens the directory: a reference, file:/path or env:NAME, to at least 12 bytes. Opening then takes about a second and
	// 256 MiB. Either this or identity.
	Passphrase reference.Reference `yaml:"passphrase"`
	// Identity opens the directory: a reference to a machine key as age-keygen writes it, kept somewhere else than the directory and its
	// backups. Either this or passphrase.
	Identity reference.Reference `yaml:"identity"`
	// Create makes the directory (not those above it) and its root key if there are none. Leave it out after the first start: a
	// disk that is not mounted is then an error and not a new, empty key store.
	Create bool `yaml:"create"`

	// workFactor of a new passphrase; tests lower it.
	workFactor int
}

// Check says whether the configuration is complete. It does not look at the disk.
func (c *Config) Check() error {
	if c.Directory == "" {
		return errors.New("keys: file: directory is missing")
	}
	if (c.Passphrase == "") == (c.Identity == "") {
		return errors.New("keys: file: give either passphrase or identity")
	}
	if c.Passphrase != "" {
		if err := c.Passphrase.Check(); err != nil {
			return fmt.Errorf("keys: file: passphrase: %w", err)
		}
		return nil
	}
	if err := c.Identity.Check(); err != nil {
		return fmt.Errorf("keys: file: identity: %w", err)
	}
	return nil
}
