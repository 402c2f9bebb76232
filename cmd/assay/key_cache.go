package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

// openKeyCache opens the unsafe setup in the cache of proving keys in dir, or in the user's if dir is empty. It makes what is missing, which takes a while the first time, and
// reports every step of that.
func openKeyCache(dir string, report setup.Report) (*setup.Unsafe, error) {
	dir, err := keyCacheDir(dir)
	if err != nil {
		return nil, err
	}
	return setup.UnsafeSingleParty(dir, report)
}

func keyCacheDir(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	dir, err := setup.DefaultDir()
	if err != nil {
		return "", cli.Usage("%w", err)
	}
	return dir, nil
}

// openSetup opens the keys of a setup as published keys name it. An unsafe setup makes what its cache lacks; the keys of a ceremony have to be there.
func openSetup(dir, name string, report setup.Report) (*setup.Keys, error) {
	if name == verify.SetupUnsafe {
		u, err := openKeyCache(dir, report)
		if err != nil {
			return nil, err
		}
		return u.Keys, nil
	}
	transcript, ok := ledger.SetupTranscript(name)
	if !ok {
		return nil, cli.No("keys of setup %.128q: this program knows %s and ceremonies", name, verify.SetupUnsafe)
	}
	return openFinished(dir, transcript)
}

// openFinished opens the keys of a finished ceremony.
func openFinished(dir string, transcript commit.Digest) (*setup.Keys, error) {
	dir, err := keyCacheDir(dir)
	if err != nil {
		return nil, err
	}
	keys, err := setup.Finished(dir, transcript)
	if err != nil {
		return nil, cli.No("%w: the key cache %s does not hold the keys of ceremony %s; 'assay ceremony finalize FOLDER' makes them from the ceremony's folder", err, dir, transcript)
	}
	return keys, nil
}

// pinnedSetup opens the setup that the ledger's pinned keys name.
func pinnedSetup(dir string, pinned []verify.PublishedKey, report setup.Report) (*setup.Keys, error) {
	i := slices.IndexFunc(pinned, func(k verify.PublishedKey) bool { return k.CircuitID == verify.SRSKey })
	if i < 0 {
		return nil, cli.No("the ledger pins no SRS yet: a regulator has to publish the keys first, with 'assay keys publish'")
	}
	keys, err := openSetup(dir, pinned[i].Setup, report)
	if err != nil {
		return nil, fmt.Errorf("the ledger pins the keys of setup %s: %w", pinned[i].Setup, err)
	}
	return keys, nil
}

// holdAll says which of the pinned keys of some circuits the key cache does not hold: nothing could be proven with them.
func holdAll(keys *setup.Keys, pinned []verify.PublishedKey, circuits []string) error {
	for i := range pinned {
		k := &pinned[i]
		if !slices.Contains(circuits, k.CircuitID) {
			continue
		}
		if err := keys.Holds(k); err != nil {
			return cli.No("the ledger pins key %s for %s: %w; 'assay ceremony finalize FOLDER' makes it again from the ceremony's folder, an unsafe one can only be copied", k.Digest, k.CircuitID, err)
		}
	}
	return nil
}

// setupWith finds the setup in a key cache whose SRS has a digest. It makes nothing.
func setupWith(dir string, srs commit.Digest) (*setup.Keys, error) {
	dir, err := keyCacheDir(dir)
	if err != nil {
		return nil, err
	}
	path, err := findSRSFile(dir, srs)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return nil, cli.No("the key cache %s holds no setup with SRS %s: finalize the ceremony here ('assay ceremony finalize'), or copy the setup's folder from the node's key cache", dir, srs)
	}
	folder := filepath.Base(filepath.Dir(path))
	if folder == verify.SetupUnsafe {
		return openSetup(dir, folder, nil)
	}
	return openSetup(dir, strings.Replace(folder, "-", ":", 1), nil)
}

// findSRSFile finds the file in a key cache that is the SRS with a digest, and returns an empty path if none is.
func findSRSFile(dir string, srs commit.Digest) (string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "srs.bin"))
	if err != nil {
		return "", err
	}
	for _, path := range paths {
		const most = commit.MaxPowers*64 + 4<<10
		b, err := readFile(path, most)
		if err != nil {
			return "", err
		}
		if commit.SRSFileDigest(b) == srs {
			return path, nil
		}
	}
	return "", nil
}
