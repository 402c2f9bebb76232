// Package statefile keeps what an audit adds up in a temporary file, so that its memory does not grow with the channel. The file is made in a folder of its own, which is removed when
// the audit ends; what a process leaves behind that is killed is worth nothing and can be removed.
package statefile

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/audit"
)

var bucket = []byte("state")

type store struct {
	dir string
	db  *bbolt.DB
}

// In gives what opens a store in a folder under parent, which is the system's place for temporary files if it is "".
func In(parent string) func() (audit.Store, error) {
	return func() (audit.Store, error) {
		dir, err := os.MkdirTemp(parent, "assay-audit-")
		if err != nil {
			return nil, fmt.Errorf("making a folder for the audit's state: %w", err)
		}
		db, err := bbolt.Open(filepath.Join(dir, "state.db"), 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true, NoGrowSync: true})
		if err != nil {
			os.RemoveAll(dir) //nolint:errcheck // the error that counts is the one before
			return nil, fmt.Errorf("opening the audit's state: %w", err)
		}
		return &store{dir, db}, nil
	}
}

func (s *store) Update(fn func(audit.Pairs) error) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		return fn(pairs{b})
	})
}

func (s *store) Close() error {
	return errors.Join(s.db.Close(), os.RemoveAll(s.dir))
}

type pairs struct{ *bbolt.Bucket }

func (p pairs) From(key []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		c := p.Cursor()
		for k, v := c.Seek(key); k != nil; k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}
