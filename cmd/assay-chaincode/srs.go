package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/commit"
)

const (
	// maxSRS is above what an SRS of commit.MaxPowers takes.
	maxSRS = commit.MaxPowers*64 + 4<<10
	tagSRS = "assay/v1/srs"
)

// readSRS reads an SRS and checks that it is one, of the digest wanted if one is. Without, the contract still compares it with the one pinned on the
// ledger.
func readSRS(path, want string) (*commit.SRS, error) {
	b, err := readFile(path, maxSRS)
	if err != nil {
		return nil, cli.Usage("--srs: %w", err)
	}
	digest := srsDigest(b)
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

// srsDigest is the digest that commit gives an SRS file: SHA-256 over the domain tag, preceded by its length, and the file.
func srsDigest(file []byte) commit.Digest {
	prefix := append(binary.BigEndian.AppendUint32(nil, uint32(len(tagSRS))), tagSRS...)
	return sha256.Sum256(append(prefix, file...))
}
