package vaulttest

import (
	"os"
	"strings"
	"testing"
)

// The version that names the build in the cache is the one that the tool module pins.
func TestVersionPinned(t *testing.T) {
	path, err := source("deploy", "vault", "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "\t"+vaultPackage+" v"+Version+" ") {
		t.Errorf("deploy/vault/go.mod does not require %s v%s", vaultPackage, Version)
	}
}

// Once it is frozen no thread of it answers any more.
func TestFreeze(t *testing.T) {
	s := Start(t)
	for range 20 {
		s.Freeze()
		if err := s.stopped(t.Context()); err != nil {
			t.Error(err)
		}
		s.Thaw()
		if _, err := s.Root().Sys().Health(); err != nil {
			t.Fatal(err)
		}
	}
}

// The server runs, stops and starts again with what it had.
func TestRestart(t *testing.T) {
	s := Start(t)
	s.Write("secret/data/restart", map[string]any{"data": map[string]any{"key": "value"}})
	s.Seal()
	s.Unseal()
	s.Kill()
	s.Restart()
	secret, err := s.Root().Logical().Read("secret/data/restart")
	if err != nil || secret == nil {
		t.Fatalf("the state is gone: %v", err)
	}
}
