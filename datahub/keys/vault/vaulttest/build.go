package vaulttest

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
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Version is the version of Vault that tests run. deploy/vault pins it.
const Version = "1.21.2"

const (
	vaultPackage = "github.com/hashicorp/vault"
	buildTags    = "minimal"

	buildPatience = 40 * time.Minute
	lockPoll      = 200 * time.Millisecond
	reportEvery   = 30 * time.Second
)

// Binary is the path of the vault command. It is built if it is not in the cache: about 8 minutes and 3 GB on two cores. One process builds and others wait.
func Binary(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), buildPatience)
	defer cancel()
	path, err := cached(ctx, t.Logf)
	if err != nil {
		t.Fatalf("building Vault %s: %v", Version, err)
	}
	return path
}

func cached(ctx context.Context, report func(string, ...any)) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "vault-"+Version)
	if path := filepath.Join(dir, "vault"); complete(path) {
		return path, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	l := flock.New(dir + ".lock")
	if locked, err := l.TryLock(); err != nil || !locked {
		report("waiting for another process that builds Vault %s", Version)
		if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
			return "", fmt.Errorf("waiting for another build: %w", err)
		}
	}
	defer l.Unlock() //nolint:errcheck // the lock ends with the process at the latest
	if path := filepath.Join(dir, "vault"); complete(path) {
		return path, nil
	}
	return build(ctx, cache, dir, report)
}

// cacheDir is where all of Assay keeps what it can make again.
func cacheDir() (string, error) {
	if dir := os.Getenv("ASSAY_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a cache directory (set ASSAY_CACHE): %w", err)
	}
	return filepath.Join(base, "assay"), nil
}

func complete(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// build builds elsewhere and renames, so that others see all of it or nothing.
func build(ctx context.Context, cache, dir string, report func(string, ...any)) (string, error) {
	rests, _ := filepath.Glob(filepath.Join(cache, ".vault-build-*")) //nolint:errcheck // the pattern is well formed
	for _, r := range rests {
		os.RemoveAll(r) //nolint:errcheck // of a build that was killed; it does no harm
	}
	temporary, err := os.MkdirTemp(cache, ".vault-build-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // gone once renamed
	module, err := source("deploy", "vault")
	if err != nil {
		return "", err
	}
	if err := compile(ctx, module, filepath.Join(temporary, "vault"), report); err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return filepath.Join(dir, "vault"), os.Rename(temporary, dir)
}

// source is the path of something in the source tree under test.
func source(path ...string) (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("finding the source tree: %w", err)
	}
	return filepath.Join(append([]string{strings.TrimSpace(string(root))}, path...)...), nil
}

// goCommand runs the go command without what a caller's environment may say about modules, and as a group of processes that is stopped as a whole.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=0")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	return c
}

func compile(ctx context.Context, module, output string, report func(string, ...any)) error {
	report("downloading Vault %s", Version)
	list, err := goCommand(ctx, module, "list", "-deps", "-tags", buildTags, vaultPackage).Output()
	if err != nil {
		return fmt.Errorf("listing its packages: %w", err)
	}
	c := goCommand(ctx, module, "build", "-v", "-trimpath", "-tags", buildTags, "-ldflags", "-s -w", "-o", output, vaultPackage)
	stderr, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	said := follow(stderr, bytes.Count(list, []byte("\n")), report)
	if err := c.Wait(); err != nil {
		return errors.Join(ctx.Err(), err, said)
	}
	return nil
}

// follow counts the packages that the compiler names and returns whatever else it said, as an error.
func follow(r io.Reader, total int, report func(string, ...any)) error {
	var said []string
	done, next := 0, time.Now()
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if line := lines.Text(); strings.ContainsAny(line, " \t") {
			said = append(said, line)
			continue
		}
		done++
		if time.Now().After(next) {
			report("building Vault %s: package %d of at most %d", Version, done, total)
			next = time.Now().Add(reportEvery)
		}
	}
	return errors.New(strings.Join(said[max(0, len(said)-20):], "\n"))
}
