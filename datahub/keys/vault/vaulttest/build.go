package vaulttest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/gobuild"
)

// Version is the version of Vault that tests run. deploy/vault pins it.
const Version = "1.21.2"

const (
	vaultPackage = "github.com/hashicorp/vault"

	buildPatience = 40 * time.Minute
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
	cache, err := gobuild.CacheDir("")
	if err != nil {
		return "", err
	}
	folder := gobuild.Folder{
		Cache: cache, Name: "vault-" + Version,
		Complete: func(dir string) bool { return gobuild.Executable(binary(dir)) == nil },
		Make:     func(ctx context.Context, dir string) error { return build(ctx, dir, report) },
		Waiting:  func() { report("waiting for another process that builds Vault %s", Version) },
	}
	dir, err := folder.Open(ctx)
	return binary(dir), err
}

func binary(dir string) string { return filepath.Join(dir, "vault") }

func build(ctx context.Context, dir string, report func(string, ...any)) error {
	module, err := source("deploy", "vault")
	if err != nil {
		return err
	}
	report("downloading Vault %s", Version)
	b := gobuild.Build{Module: module, Packages: []string{vaultPackage}, Output: binary(dir), Flags: []string{"-trimpath", "-tags", "minimal", "-ldflags", "-s -w"}}
	next := time.Now()
	return b.Run(ctx, func(done, total int) {
		if time.Now().After(next) {
			report("building Vault %s: package %d of at most %d", Version, done, total)
			next = time.Now().Add(reportEvery)
		}
	})
}

// source is the path of something in the source tree under test.
func source(path ...string) (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("finding the source tree: %w", err)
	}
	return filepath.Join(append([]string{strings.TrimSpace(string(root))}, path...)...), nil
}
