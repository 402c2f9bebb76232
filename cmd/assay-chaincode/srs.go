package main

import (
	"bytes"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/commit"
)

// maxSRS is above what an SRS of commit.MaxPowers takes.
const maxSRS = commit.MaxPowers*64 + 4<<10

// readSRS reads an SRS and checks that it is one, of the digest wanted if one is. Without, the contract still compares it with the one pinned on the
// ledger.
func readSRS(path, want string) (*commit.SRS, error) {
	b, err := readFile(path, maxSRS)
	if err != nil {
		return nil, cli.Usage("--srs: %w", err)
	}
	digest := commit.SRSFileDigest(b)
	if want != "" {
		if err := digest.UnmarshalText([]byte(want)); err != nil {
			return nil, cli.Usage("--srs-digest: %w", err)
		}
	}
	srs, err := commit.ReadSRS(bytes.NewReader(b), digest)
	if err != nil {
		return nil, cli.Usage("--srs: %s: %w", path, err)
	}
	return srs, nil
}
