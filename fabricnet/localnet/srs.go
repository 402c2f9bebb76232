package localnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/zk/commit"
)

// maxSRS bounds an SRS file before it is read.
const maxSRS = 1 << 30

// giveSRS gives the file to every contract service that has none; one that runs is stopped for it, so that it starts with it. A service that has another keeps it, and nothing is
// given to anybody: an SRS is pinned on the ledger for ever, and attestations made with one are nothing under another.
func (n *Network) giveSRS(ctx context.Context, from string) error {
	given, err := readSRS(from)
	if err != nil {
		return fmt.Errorf("SRS: %w", err)
	}
	var without []string
	for _, o := range n.state.Organisations {
		has, err := os.ReadFile(n.layout.srs(o.ID))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			without = append(without, o.ID)
		case err != nil:
			return fmt.Errorf("SRS of %s: %w", o.ID, err)
		case !bytes.Equal(has, given):
			return fmt.Errorf("SRS: the contract service of %s has another, %s, than %s, %s; a network keeps the one it has",
				o.ID, commit.SRSFileDigest(has), from, commit.SRSFileDigest(given))
		}
	}
	for _, org := range without {
		if err := stop(ctx, n.layout, serviceName(org)); err != nil {
			return err
		}
		if err := durable.WriteFile(n.layout.srs(org), given); err != nil {
			return fmt.Errorf("SRS of %s: %w", org, err)
		}
	}
	return nil
}

// HasSRS reports whether a contract service of the network has an SRS. Then all have this one, or get no other.
func (n *Network) HasSRS() bool {
	for _, o := range n.state.Organisations {
		if _, err := os.Stat(n.layout.srs(o.ID)); err == nil {
			return true
		}
	}
	return false
}

// readSRS reads a file that must hold an SRS: a network that was given something else could not be given one any more.
func readSRS(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, maxSRS+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSRS {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxSRS)
	}
	if _, err := commit.ReadSRS(bytes.NewReader(b), commit.SRSFileDigest(b)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}
