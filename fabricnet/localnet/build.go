package localnet

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/assay-net/assay/fabricnet/gobuild"
)

// buildFabric compiles Fabric's commands into dir/bin and copies its sample configuration to dir/config.
func buildFabric(ctx context.Context, dir string, report func(Progress)) error {
	module := filepath.Join(dir, "module")
	if err := os.Mkdir(module, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(module) //nolint:errcheck // a rest does no harm
	if err := writeModule(module); err != nil {
		return err
	}
	report(Progress{Step: "downloading Fabric " + FabricVersion})
	b := gobuild.Build{
		Module: module, Packages: fabricPackages(), Output: filepath.Join(dir, "bin") + string(filepath.Separator),
		Flags: []string{"-trimpath", "-ldflags", "-s -w -X " + fabricModule + "/common/metadata.Version=" + FabricVersion},
	}
	if err := b.Run(ctx, func(done, total int) {
		report(Progress{Step: "building Fabric " + FabricVersion, Done: done, Total: total})
	}); err != nil {
		return err
	}
	return copySamples(ctx, module, filepath.Join(dir, "config"))
}

func fabricPackages() []string {
	var packages []string
	for _, c := range fabricCommands {
		packages = append(packages, fabricModule+"/cmd/"+c)
	}
	return packages
}

// copySamples keeps the configuration files that peers and orderers start from.
func copySamples(ctx context.Context, module, dir string) error {
	out, err := gobuild.List(ctx, module, "-m", "-f", "{{.Dir}}", fabricModule)
	if err != nil {
		return fmt.Errorf("finding Fabric's source: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range sampleFiles {
		b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "sampleconfig", name))
		if err != nil {
			return fmt.Errorf("reading Fabric's sample configuration: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// output runs a command and returns what it prints. Its error holds the end of what it complained about, on either stream.
func output(ctx context.Context, c *exec.Cmd) ([]byte, error) {
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if complaint.Len() == 0 {
			complaint = out
		}
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(c.Path), err, strings.Join(last(lines, tailLines), "\n"))
	}
	return out.Bytes(), nil
}

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }
