package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A file is no more durable than the names of the folders that lead to it.
func TestTheFoldersThatAreMadeAreSynchronised(t *testing.T) {
	var synchronised []string
	syncDir = func(dir string) error {
		synchronised = append(synchronised, dir)
		return SyncDir(dir)
	}
	defer func() { syncDir = SyncDir }()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "a", "b")
	if err := WriteFile(filepath.Join(b, "file"), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{dir, a, b}, synchronised); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(a); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestCreateFileReplacesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "file")
	if err := CreateFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := CreateFile(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "first" {
		t.Errorf("got %q, %v", got, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}
