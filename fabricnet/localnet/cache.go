package localnet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/fabricnet/gobuild"
)

var sampleFiles = []string{"core.yaml", "orderer.yaml"}

// fabric is a folder of Fabric's binaries and sample configuration.
type fabric string

func (f fabric) bin(command string) string { return filepath.Join(string(f), "bin", command) }
func (f fabric) config(name string) string { return filepath.Join(string(f), "config", name) }

// openFabric returns the binaries in the cache, building them if they are not there. They are built once for all networks.
func openFabric(ctx context.Context, o *Options) (fabric, error) {
	cache, err := gobuild.CacheDir(o.Cache)
	if err != nil {
		return "", err
	}
	folder := gobuild.Folder{
		Cache: cache, Name: "fabric-" + FabricVersion,
		Complete: func(dir string) bool { return fabric(dir).complete() },
		Make:     func(ctx context.Context, dir string) error { return buildFabric(ctx, dir, o.progress) },
	}
	dir, err := folder.Open(ctx)
	if err != nil {
		return "", fmt.Errorf("building Fabric %s: %w", FabricVersion, err)
	}
	return fabric(dir), nil
}

func (f fabric) complete() bool {
	for _, c := range fabricCommands {
		if err := gobuild.Executable(f.bin(c)); err != nil {
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
