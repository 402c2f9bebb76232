package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// attestationStore is a peer's own: files of attestations, named by the Merkle root over them.
type attestationStore struct{ dir string }

func attestationsOf(dir, org string) attestationStore {
	return attestationStore{filepath.Join(dir, "peers", org, "attestations")}
}

func (s attestationStore) path(root commit.Digest) string { return filepath.Join(s.dir, root.String()) }

// keep writes the attestations durably, unless they are there.
func (s attestationStore) keep(root commit.Digest, blob []byte) error {
	there, err := s.read(root)
	if err == nil && bytes.Equal(there, blob) {
		return syncDir(filepath.Dir(s.path(root))) // it may have been named just before a crash
	}
	return writeFile(s.path(root), blob)
}

// read returns what is kept under a root, if it is at most ledger.MaxTransient bytes.
func (s attestationStore) read(root commit.Digest) ([]byte, error) {
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

// Attestations returns the attestations that an organisation's peer keeps under an anchor's root, in order of slot, after checking that they have this root.
func (l *Ledger) Attestations(org string, root commit.Digest) ([][]byte, error) {
	if _, ok := l.genesis.Organisation(org); !ok {
		return nil, ledger.Refuse(ledger.NotFound, "%q is not an organisation of this ledger", org)
	}
	blob, err := attestationsOf(l.dir, org).read(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ledger.Refuse(ledger.NotFound, "%s keeps no attestations under %s", org, root)
	}
	if err != nil {
		return nil, fmt.Errorf("reading attestations: %w", err)
	}
	list, err := ledger.SplitAttestations(blob)
	if err != nil {
		return nil, fmt.Errorf("reading attestations under %s: %w", root, err)
	}
	got, err := commit.MerkleRoot(list)
	if err != nil {
		return nil, fmt.Errorf("reading attestations under %s: %w", root, err)
	}
	if got != root {
		return nil, fmt.Errorf("reading attestations under %s: their root is %s", root, got)
	}
	return list, nil
}
