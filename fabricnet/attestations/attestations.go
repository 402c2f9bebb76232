// Package attestations is the folder in which one organisation's endorsing peer keeps the attestations that it checked: a file per anchor, named by the
// Merkle root in the anchor, as ledger.JoinAttestations writes them. They are what an endorsement rests on, so whoever doubts an anchor asks for them.
//
// # What is promised
//
//   - When [Store.Keep] has returned, the attestations survive kill -9 and a power failure, if the disk keeps what it has synchronised. A reader never
//     sees half of them. Several calls may keep and read at once, in one process or in several.
//   - [Store.Read] and [Store.Blob] give nothing that does not have the root asked for: a changed file is an error.
//   - What is read is bounded before it is decoded. Files are for the folder's owner only.
//
// # What is not promised
//
// Keep takes the root from its caller, who has computed it. Nothing is ever removed: a chunk of 1,024 devices takes about 300 KB an epoch, and how
// long an organisation has to keep that is for it to say; files may be deleted or moved to an archive at any time. The folder holds all files side by side.
package attestations

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const (
	dirMode = 0o700
	// unfinished begins the name of a file that package durable is writing. No root begins so.
	unfinished = ".new-"
)

// MaxPerChunk is how many different sets of attestations are kept for one chunk and epoch. It is also among how many anchors, at most, an owner can choose.
const MaxPerChunk = 4

// counting keeps two calls from counting the same place.
var counting sync.Mutex

// count notes a root in the folder of its place, unless that is full. The notes may be lost in a crash: the bound is against filling the disk.
func (s Store) count(place commit.ChunkPlace, root commit.Digest) error {
	counting.Lock()
	defer counting.Unlock()
	dir := filepath.Join(s.Dir, "places", fmt.Sprintf("%s.%d.%d", place.Fleet, place.Epoch, place.Chunk))
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	note := filepath.Join(dir, root.String())
	if _, err := os.Stat(note); err == nil {
		return nil
	}
	notes, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(notes) >= MaxPerChunk {
		return ledger.Refuse(ledger.Conflict, "%d other sets of attestations were endorsed for chunk %d of fleet %s at epoch %d", len(notes), place.Chunk, place.Fleet, place.Epoch)
	}
	return os.WriteFile(note, nil, 0o600)
}

// Store is the folder. It need not exist before the first Keep.
type Store struct{ Dir string }

func (s Store) path(root commit.Digest) string { return filepath.Join(s.Dir, root.String()) }

// Keep writes the attestations of a chunk for an epoch durably under their root, unless they are there. It does not check that they have it. What is endorsed need not
// be recorded, and every part of a chunk's attestations is sound by itself with a root of its own: an owner gets MaxPerChunk of them kept for an epoch, and then a Conflict
// refusal.
func (s Store) Keep(place commit.ChunkPlace, root commit.Digest, blob []byte) error {
	if len(blob) > ledger.MaxTransient {
		return fmt.Errorf("keeping attestations under %s: have %d bytes, at most %d", root, len(blob), ledger.MaxTransient)
	}
	if err := s.count(place, root); err != nil {
		return fmt.Errorf("keeping attestations under %s: %w", root, err)
	}
	if err := s.keep(root, blob); err != nil {
		return fmt.Errorf("keeping attestations under %s: %w", root, err)
	}
	return nil
}

func (s Store) keep(root commit.Digest, blob []byte) error {
	there, err := s.load(root)
	if err == nil && bytes.Equal(there, blob) {
		return durable.SyncDir(s.Dir) // it may have been named just before a crash, or by a call that has not returned
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	return durable.WriteFile(s.path(root), blob)
}

func (s Store) makeDir() error {
	if _, err := os.Stat(s.Dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(s.Dir, dirMode); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(s.Dir))
}

// Blob returns the attestations under a root as ledger.JoinAttestations wrote them, after checking that they have it. The error is fs.ErrNotExist if there
// are none.
func (s Store) Blob(root commit.Digest) ([]byte, error) {
	blob, _, err := s.checked(root)
	return blob, err
}

// Read returns the attestations under a root in order of slot, after checking that they have it. The error is fs.ErrNotExist if there are none.
func (s Store) Read(root commit.Digest) ([][]byte, error) {
	_, list, err := s.checked(root)
	return list, err
}

func (s Store) checked(root commit.Digest) ([]byte, [][]byte, error) {
	blob, err := s.load(root)
	if err != nil {
		return nil, nil, fmt.Errorf("reading attestations under %s: %w", root, err)
	}
	list, err := Check(root, blob)
	if err != nil {
		return nil, nil, fmt.Errorf("reading attestations under %s: %w", root, err)
	}
	return blob, list, nil
}

// Check splits attestations from wherever they come and checks that they have the root.
func Check(root commit.Digest, blob []byte) ([][]byte, error) {
	list, err := ledger.SplitAttestations(blob)
	if err != nil {
		return nil, err
	}
	got, err := commit.MerkleRoot(list)
	if err != nil {
		return nil, err
	}
	if got != root {
		return nil, fmt.Errorf("the root of these attestations is %s, not %s", got, root)
	}
	return list, nil
}

func (s Store) load(root commit.Digest) ([]byte, error) {
	f, err := os.Open(s.path(root))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, ledger.MaxTransient+1))
	if err == nil && len(b) > ledger.MaxTransient {
		err = fmt.Errorf("%s: more than %d bytes", f.Name(), ledger.MaxTransient)
	}
	return b, err
}

// Clear removes what calls of Keep left that were cut off by a crash. Nobody may be keeping meanwhile.
func (s Store) Clear() error {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clearing attestations: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if err := os.Remove(filepath.Join(s.Dir, e.Name())); err != nil {
			return fmt.Errorf("clearing attestations: %w", err)
		}
	}
	return nil
}
