package ceremony

import (
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/commit"
)

// A mark is an empty file named by a contribution's digest, which covers the plan, the body and all contributions before. This machine has verified those. Marks
// let an interrupted call go on where it was; whoever can write them can make this machine believe anything, so they are no part of the ceremony's folder.

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
