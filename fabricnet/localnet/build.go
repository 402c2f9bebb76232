package localnet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// goCommand runs the go command without what a caller's environment may say about modules, and as a group of processes that is stopped as a whole.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=0")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	return c
}

// build compiles Fabric's commands into dir/bin and copies its sample configuration to dir/config.
func (f *fabricCache) build(ctx context.Context, dir string) error {
	module, err := os.MkdirTemp(f.dir, ".fabric-module-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(module) //nolint:errcheck // a rest does no harm
	if err := writeModule(module); err != nil {
		return err
	}
	f.report(Progress{Step: "downloading Fabric " + FabricVersion})
	total, err := countPackages(ctx, module)
	if err != nil {
		return err
	}
	if err := f.compile(ctx, module, filepath.Join(dir, "bin"), total); err != nil {
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

// countPackages downloads what Fabric's commands consist of and counts it.
func countPackages(ctx context.Context, module string) (int, error) {
	out, err := output(ctx, goCommand(ctx, module, append([]string{"list", "-deps"}, fabricPackages()...)...))
	if err != nil {
		return 0, fmt.Errorf("listing Fabric's packages: %w", err)
	}
	return bytes.Count(out, []byte("\n")), nil
}

func (f *fabricCache) compile(ctx context.Context, module, bin string, total int) error {
	args := []string{
		"build", "-v", "-trimpath", "-o", bin + string(filepath.Separator),
		"-ldflags", "-s -w -X " + fabricModule + "/common/metadata.Version=" + FabricVersion,
	}
	c := goCommand(ctx, module, append(args, fabricPackages()...)...)
	stderr, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("running go: %w", err)
	}
	said := f.follow(stderr, total)
	if err := c.Wait(); err != nil {
		return fmt.Errorf("building Fabric %s: %w", FabricVersion, errors.Join(ctx.Err(), err, said))
	}
	return nil
}

// follow reports each package that the compiler names and returns whatever else it said, as an error.
func (f *fabricCache) follow(r io.Reader, total int) error {
	var said []string
	done := 0
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if line := lines.Text(); strings.ContainsAny(line, " \t") {
			said = append(said, line)
			continue
		}
		done++
		f.report(Progress{Step: "building Fabric " + FabricVersion, Done: min(done, total), Total: total})
	}
	if len(said) == 0 {
		return nil
	}
	return errors.New(strings.Join(last(said, tailLines), "\n"))
}

// copySamples keeps the configuration files that peers and orderers start from.
func copySamples(ctx context.Context, module, dir string) error {
	out, err := output(ctx, goCommand(ctx, module, "list", "-m", "-f", "{{.Dir}}", fabricModule))
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
