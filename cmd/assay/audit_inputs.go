package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
)

// findSRS looks for the SRS with a digest: in the file that was named, beside the organisation's service, or in the key cache.
func (c *auditCall) findSRS(digest commit.Digest) (*commit.SRS, error) {
	if c.srs != "" {
		return readSRS(c.srs, digest)
	}
	var paths []string
	if c.profile != nil && c.profile.Attestations != "" {
		paths = append(paths, filepath.Join(filepath.Dir(c.profile.Attestations), "srs"))
	}
	if dir, err := setup.DefaultDir(); err == nil {
		if path, err := findSRSFile(dir, digest); err == nil && path != "" { // read, not made: the digest decides
			paths = append(paths, path)
		}
	}
	failed := errors.New("none is at hand, give it with --srs")
	for _, path := range paths {
		srs, err := readSRS(path, digest)
		if err == nil {
			return srs, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return nil, failed
}

func readSRS(path string, digest commit.Digest) (*commit.SRS, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	srs, err := commit.ReadSRS(f, digest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return srs, nil
}

// findAttestations looks in the folder that was named or is the organisation's own, and then asks its contract service.
func (c *auditCall) findAttestations(ctx context.Context, root commit.Digest) ([]byte, error) {
	err := errors.New("no store of attestations is named")
	if dir := c.either(c.attestations, func(p *profile.Profile) string { return p.Attestations }); dir != "" {
		var blob []byte
		if blob, err = (attestations.Store{Dir: dir}).Blob(root); err == nil {
			return blob, nil
		}
	}
	if c.client == nil {
		return nil, err
	}
	list, asked := c.client.Attestations(ctx, c.profile.Organisation, root)
	if asked != nil {
		return nil, errors.Join(err, asked)
	}
	return ledger.JoinAttestations(list), nil
}
