package attestations

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func rooted(t testing.TB, list ...string) (commit.Digest, []byte, [][]byte) {
	t.Helper()
	var out [][]byte
	for _, a := range list {
		out = append(out, []byte(a))
	}
	root, err := commit.MerkleRoot(out)
	if err != nil {
		t.Fatal(err)
	}
	return root, ledger.JoinAttestations(out), out
}

func TestKeepAndRead(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "a", "b")}
	root, blob, list := rooted(t, "one", "two", "three")
	if _, err := s.Read(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	for range 2 { // the second time they are there
		if err := s.Keep(place, root, blob); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	if b, err := s.Blob(root); err != nil || !bytes.Equal(b, blob) {
		t.Errorf("blob %q, %v", b, err)
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "attestations")}
	root, blob, _ := rooted(t, "one")
	if err := s.Keep(place, root, blob); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{s.Dir: 0o700, s.path(root): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestKeepAtOnce(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "attestations")}
	root, blob, _ := rooted(t, strings.Repeat("x", 100), "two")
	other, otherBlob, _ := rooted(t, "another")
	var g errgroup.Group
	for range 16 {
		g.Go(func() error { return s.Keep(place, root, blob) })
		g.Go(func() error { return s.Keep(place, other, otherBlob) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, r := range []commit.Digest{root, other} {
		if _, err := s.Read(r); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(s.Dir); err != nil || len(entries) != 3 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// A file that was changed is not given out, and is put right when the attestations come again.
func TestChangedFile(t *testing.T) {
	s := Store{t.TempDir()}
	root, blob, _ := rooted(t, "one", "two")
	_, other, _ := rooted(t, "one", "six")
	for name, content := range map[string][]byte{
		"other attestations": other, "cut short": blob[:len(blob)-1], "empty": nil, "too long": make([]byte, ledger.MaxTransient+1),
	} {
		if err := os.WriteFile(s.path(root), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(root); err == nil || !strings.Contains(err.Error(), root.String()) {
			t.Errorf("%s: read: %v", name, err)
		}
		if _, err := s.Blob(root); err == nil {
			t.Errorf("%s: blob was given", name)
		}
	}
	if err := s.Keep(place, root, blob); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(root); err != nil {
		t.Errorf("kept again: %v", err)
	}
}

func TestKeepRefusesTooMuch(t *testing.T) {
	s := Store{t.TempDir()}
	if err := s.Keep(place, commit.Digest{1}, make([]byte, ledger.MaxTransient+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("%v", err)
	}
}

func TestKeepTellsWhatWentWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	root, blob, _ := rooted(t, "one")
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if err := (Store{dir}).Keep(place, root, blob); err == nil || !strings.Contains(err.Error(), root.String()) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestClear(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "attestations")}
	if err := s.Clear(); err != nil {
		t.Errorf("no folder: %v", err)
	}
	root, blob, _ := rooted(t, "one")
	if err := s.Keep(place, root, blob); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, unfinished+"123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != root.String() {
		t.Errorf("%v, %v", entries, err)
	}
}

func FuzzCheck(f *testing.F) {
	root, blob, _ := rooted(f, "one", "two")
	f.Add(root[:], blob)
	f.Add(root[:], []byte{0, 0})
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, r, blob []byte) {
		var root commit.Digest
		copy(root[:], r)
		list, err := Check(root, blob)
		if err != nil {
			return
		}
		if got, err := commit.MerkleRoot(list); err != nil || got != root || !bytes.Equal(ledger.JoinAttestations(list), blob) {
			t.Errorf("accepted what does not come back: %v", err)
		}
	})
}

var place = commit.ChunkPlace{Fleet: "fleet", Chunk: 3, Epoch: 7}

// Every part of a chunk's attestations can be endorsed with a root of its own, and none of them need ever be recorded.
func TestOneChunkDoesNotFillTheDisk(t *testing.T) {
	s := Store{t.TempDir()}
	for i := range byte(MaxPerChunk) {
		for range 2 { // again is no other
			if err := s.Keep(place, commit.Digest{i}, []byte{i}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Keep(place, commit.Digest{99}, []byte("x")); ledger.CodeOf(err) != ledger.Conflict {
		t.Errorf("one more: %v", err)
	}
	next := place
	next.Epoch++
	if err := s.Keep(next, commit.Digest{99}, []byte("x")); err != nil {
		t.Error(err)
	}
}
