package ceremony

import (
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/commit"
)

// A mark is an empty file named by a contribution's digest, which covers the plan, the body and all contributions before. This machine has verified or made those.
// Marks let an interrupted call go on where it was, and spare verifying twice. Whoever can write them can make this machine believe anything, as can who writes to its
// key cache; so they are no part of the ceremony's folder, and Verify does without them.
// It is Verify, therefore, that an organisation stands on which consents to keys out of a cache that others could write to or that was copied.

func (c *Ceremony) marked(contribution commit.Digest) bool {
	if c.Marks == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(c.Marks, contribution.String()))
	return err == nil
}

func (c *Ceremony) mark(contribution commit.Digest) error {
	if c.Marks == "" {
		return nil
	}
	if err := os.MkdirAll(c.Marks, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(c.Marks, contribution.String()), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
