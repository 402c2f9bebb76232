package localnet

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FabricVersion is the version of Hyperledger Fabric that networks run.
const FabricVersion = "3.1.1"

// tool is deploy/fabric: the module that pins Fabric, and the external builder with which a peer takes chaincode that runs as a service. That folder has a
// go.mod of its own, so it cannot be embedded from there; a test holds the two to be the same.
//
//go:embed tool/go.mod.txt tool/go.sum.txt tool/builder
var tool embed.FS

const fabricModule = "github.com/hyperledger/fabric"

var fabricCommands = []string{"configtxgen", "cryptogen", "orderer", "osnadmin", "peer"}

// writeModule makes the tool module in a folder, from which go builds Fabric's commands.
func writeModule(dir string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := tool.ReadFile("tool/" + name + ".txt")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return fmt.Errorf("writing the tool module: %w", err)
		}
	}
	return nil
}

// writeBuilder writes the external builder's scripts below dir/bin.
func writeBuilder(dir string) error {
	return fs.WalkDir(tool, "tool/builder", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, strings.TrimPrefix(path, "tool/builder"))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		b, err := tool.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, b, 0o700)
	})
}
