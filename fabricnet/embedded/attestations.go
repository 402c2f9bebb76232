package embedded

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func attestationsOf(dir, org string) attestations.Store {
	return attestations.Store{Dir: filepath.Join(dir, "peers", org, "attestations")}
}

// Attestations returns the attestations that an organisation's peer keeps under an anchor's root, in order of slot, after checking that they have this root.
func (l *Ledger) Attestations(org string, root commit.Digest) ([][]byte, error) {
	if _, ok := l.genesis.Organisation(org); !ok {
		return nil, ledger.Refuse(ledger.NotFound, "%q is not an organisation of this ledger", org)
	}
	list, err := attestationsOf(l.dir, org).Read(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ledger.Refuse(ledger.NotFound, "%s keeps no attestations under %s", org, root)
	}
	return list, err
}
