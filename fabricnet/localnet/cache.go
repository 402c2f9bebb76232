package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 100 * time.Millisecond

var sampleFiles = []string{"core.yaml", "orderer.yaml"}

// fabricCache keeps the binaries of a Fabric version, built once for all networks.
type fabricCache struct {
	dir    string
	report func(Progress)
}

// fabric is a folder of Fabric's binaries and sample configuration.
type fabric string

func (f fabric) bin(command string) string { return filepath.Join(string(f), "bin", command) }
func (f fabric) config(name string) string { return filepath.Join(string(f), "config", name) }
func (c *fabricCache) path() string        { return filepath.Join(c.dir, "fabric-"+FabricVersion) }
func (c *fabricCache) lockPath() string    { return c.path() + ".lock" }
func openFabricCache(o *Options) (*fabricCache, error) {
	dir, err := cacheDir(o.Cache)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the cache: %w", err)
	}
	return &fabricCache{dir: dir, report: o.progress}, nil
}

// cacheDir is where all of Assay keeps what it can make again.
func cacheDir(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv("ASSAY_CACHE")
	}
	if dir != "" {
		return filepath.Abs(dir)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a cache directory (set ASSAY_CACHE): %w", err)
	}
	return filepath.Join(base, "assay"), nil
}

// fabric returns the binaries, building them if they are not there. One process builds at a time, and others see all of it or nothing.
func (c *fabricCache) fabric(ctx context.Context) (fabric, error) {
	if f := fabric(c.path()); f.complete() {
		return f, nil
	}
	l := flock.New(c.lockPath())
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
		return "", fmt.Errorf("waiting for another build of Fabric: %w", err)
	}
	defer l.Unlock() //nolint:errcheck // the lock ends with the process at the latest
	if f := fabric(c.path()); f.complete() {
		return f, nil
	}
	return c.make(ctx)
}

func (c *fabricCache) make(ctx context.Context) (fabric, error) {
	c.sweep()
	temporary, err := os.MkdirTemp(c.dir, ".fabric-build-*")
	if err != nil {
		return "", fmt.Errorf("building Fabric: %w", err)
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // gone once renamed
	if err := c.build(ctx, temporary); err != nil {
		return "", err
	}
	if err := os.RemoveAll(c.path()); err != nil {
		return "", fmt.Errorf("replacing an incomplete build of Fabric: %w", err)
	}
	if err := os.Rename(temporary, c.path()); err != nil {
		return "", fmt.Errorf("keeping the build of Fabric: %w", err)
	}
	return fabric(c.path()), nil
}

// sweep removes what builds that were killed left behind. Its caller has the lock.
func (c *fabricCache) sweep() {
	rests, _ := filepath.Glob(filepath.Join(c.dir, ".fabric-*-*")) //nolint:errcheck // the pattern is well formed
	for _, r := range rests {
		os.RemoveAll(r) //nolint:errcheck // a rest does no harm
	}
}

func (f fabric) complete() bool {
	for _, c := range fabricCommands {
		if err := executable(f.bin(c)); err != nil {
			return false
		}
	}
	for _, name := range sampleFiles {
		if _, err := os.Stat(f.config(name)); err != nil {
			return false
		}
	}
	return true
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return errors.New(path + " is not executable")
	}
	return nil
}
