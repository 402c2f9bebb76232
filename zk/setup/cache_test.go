package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// made is a cache with the SRS and one key, filled once by several processes
// and goroutines at the same time.
var made = sync.OnceValues(func() (*filled, error) {
	dir, err := os.MkdirTemp("", "assay-setup-test-")
	if err != nil {
		return nil, err
	}
	scratch = dir
	f := &filled{dir: dir}
	var wg sync.WaitGroup
	var mu sync.Mutex
	add := func(d string, err error) {
		mu.Lock()
		defer mu.Unlock()
		f.got, f.errs = append(f.got, d), append(f.errs, err)
	}
	for range 2 {
		wg.Go(func() {
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), childCache+"="+dir)
			out, err := c.Output()
			add(strings.TrimSpace(string(out)), err)
		})
		wg.Go(func() {
			d, err := fill(dir)
			add(d.String(), err)
		})
	}
	wg.Wait()
	return f, nil
})

type filled struct {
	dir  string
	got  []string
	errs []error
}

func filledCache(t *testing.T) *filled {
	t.Helper()
	if testing.Short() {
		t.Skip("makes an SRS and a key")
	}
	f, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestManyFillOneCache lets two processes and two goroutines, each with an
// Unsafe of its own, make the same keys at once: all get the same.
func TestManyFillOneCache(t *testing.T) {
	f := filledCache(t)
	for i := range f.got {
		if f.errs[i] != nil {
			t.Fatal(f.errs[i])
		}
		if f.got[i] != f.got[0] || len(f.got[i]) != 2*64+1 {
			t.Errorf("one got %s, another %s", f.got[0], f.got[i])
		}
	}
	again, err := fill(f.dir)
	if err != nil || again.String() != f.got[0] {
		t.Errorf("opened again: %s, %v", again, err)
	}
	if parts, err := filepath.Glob(filepath.Join(f.dir, "*", "*.part")); err != nil || len(parts) != 0 {
		t.Errorf("files left half written: %v, %v", parts, err)
	}
	entries, err := os.ReadDir(filepath.Join(f.dir, "unsafe-single-party"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v", e.Name(), err)
		}
	}
}

// copied is a copy of the filled cache, to be damaged.
func (f *filled) copied(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(f.dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func file(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "unsafe-single-party", pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

// TestDamagedCacheIsRefused damages a file; the error names it.
func TestDamagedCacheIsRefused(t *testing.T) {
	f := filledCache(t)
	flip := func(at int) func(b []byte) []byte {
		return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
	}
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	grow := func(b []byte) []byte { return append(b, 0) }
	manifestWith := func(change func(m *manifest)) func(b []byte) []byte {
		return func(b []byte) []byte {
			var m manifest
			if err := json.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			change(&m)
			out, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	const key, keyManifest, srs, srsManifest = "chunk-64-v1-*.bin", "chunk-64-v1-*.json", "srs.bin", "srs.json"
	for name, c := range map[string]struct {
		file   string
		damage func(b []byte) []byte
		want   []string
	}{
		"key's first byte":          {key, flip(0), []string{"chunk-64-v1-", "does not match its manifest"}},
		"key's last byte":           {key, flip(-1), []string{"chunk-64-v1-", "does not match its manifest"}},
		"key's middle":              {key, flip(1 << 20), []string{"chunk-64-v1-", "does not match its manifest"}},
		"key cut short":             {key, cut, []string{"chunk-64-v1-", "does not match its manifest"}},
		"key of nothing":            {key, func([]byte) []byte { return nil }, []string{"chunk-64-v1-", "does not match its manifest"}},
		"key with a byte more":      {key, grow, []string{"chunk-64-v1-", "does not match its manifest"}},
		"key's digest":              {keyManifest, manifestWith(func(m *manifest) { m.SHA256 = strings.Repeat("0", 64) }), []string{"chunk-64-v1-", "does not match its manifest"}},
		"key's length":              {keyManifest, manifestWith(func(m *manifest) { m.Bytes++ }), []string{"chunk-64-v1-", "does not match its manifest"}},
		"key's length below zero":   {keyManifest, manifestWith(func(m *manifest) { m.Bytes = -1 }), []string{"chunk-64-v1-", "does not match its manifest"}},
		"key's length at the end":   {keyManifest, manifestWith(func(m *manifest) { m.Bytes = 1<<63 - 1 }), []string{"chunk-64-v1-", "does not match its manifest"}},
		"manifest cut short":        {keyManifest, func(b []byte) []byte { return b[:len(b)/2] }, []string{"key manifest", "chunk-64-v1-"}},
		"manifest of nothing":       {keyManifest, func([]byte) []byte { return nil }, []string{"key manifest", "chunk-64-v1-"}},
		"manifest of garbage":       {keyManifest, func([]byte) []byte { return bytes.Repeat([]byte("x"), 1<<20) }, []string{"key manifest", "chunk-64-v1-"}},
		"verifying key's bytes":     {keyManifest, manifestWith(func(m *manifest) { m.VerifyingKey[40] ^= 1 }), []string{"chunk-64"}},
		"verifying key cut short":   {keyManifest, manifestWith(func(m *manifest) { m.VerifyingKey = m.VerifyingKey[1:] }), []string{"chunk-64"}},
		"verifying key missing":     {keyManifest, manifestWith(func(m *manifest) { m.VerifyingKey = nil }), []string{"chunk-64"}},
		"SRS's magic":               {srs, flip(0), []string{"SRS", "not an srs file"}},
		"SRS's number of powers":    {srs, flip(16), []string{"SRS", "powers in G1, must be"}},
		"SRS's point":               {srs, flip(1000), []string{"SRS"}},
		"SRS's last byte":           {srs, flip(-1), []string{"SRS"}},
		"SRS cut short":             {srs, cut, []string{"SRS"}},
		"SRS with a byte more":      {srs, grow, []string{"SRS", "bytes after the last point"}},
		"SRS's digest":              {srsManifest, manifestWith(func(m *manifest) { m.VerifyingKey[0] ^= 1 }), []string{"SRS", "damaged"}},
		"SRS's digest cut short":    {srsManifest, manifestWith(func(m *manifest) { m.VerifyingKey = m.VerifyingKey[1:] }), []string{"SRS", "damaged"}},
		"SRS's manifest of nothing": {srsManifest, func([]byte) []byte { return nil }, []string{"SRS", "key manifest", "srs.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := f.copied(t)
			path := file(t, dir, c.file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := fill(dir)
			if err == nil {
				t.Fatalf("accepted, with %s", got)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want a word about %q", err, want)
				}
			}
		})
	}
	t.Run("key file missing", func(t *testing.T) {
		dir := f.copied(t)
		path := file(t, dir, key)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := fill(dir); err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
	})
}

// TestInterruptedSetupIsMadeAgain leaves what a process leaves that is killed
// before the manifest is there.
func TestInterruptedSetupIsMadeAgain(t *testing.T) {
	f := filledCache(t)
	dir := f.copied(t)
	if err := os.Remove(file(t, dir, "chunk-64-v1-*.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file(t, dir, "chunk-64-v1-*.bin")+".1.part", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := fill(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() == f.got[0] {
		t.Error("a new setup has the old key")
	}
	if again, err := fill(dir); err != nil || again != got {
		t.Errorf("opened again: %s, %v, want %s", again, err, got)
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	c, err := openCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("disk full")
	_, err = c.write("key", []byte{1}, func(w io.Writer) (int64, error) {
		fmt.Fprint(w, "half") //nolint:errcheck // the test's own failure follows
		return 4, broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), filepath.Join(c.dir, "key.bin")) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(c.dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := c.manifest("key"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("manifest: %v", err)
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("ASSAY_CACHE", "/elsewhere")
	if dir, err := DefaultDir(); err != nil || dir != "/elsewhere" {
		t.Errorf("got %s, %v", dir, err)
	}
	t.Setenv("ASSAY_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	if dir, err := DefaultDir(); err != nil || dir != filepath.Join("/cache", "assay") {
		t.Errorf("got %s, %v", dir, err)
	}
}

// TestEverythingSaysUnsafe: cache, published keys, and the steps reported.
func TestEverythingSaysUnsafe(t *testing.T) {
	if !strings.Contains(verify.SetupUnsafe, "unsafe") {
		t.Error("the setup's name")
	}
	f := filledCache(t)
	u, err := UnsafeSingleParty(f.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := u.chunk(commit.Sizes[0])
	if err != nil {
		t.Fatal(err)
	}
	if k.published.Setup != verify.SetupUnsafe || !strings.Contains(u.cache.dir, "unsafe") {
		t.Errorf("a key of setup %q in %s", k.published.Setup, u.cache.dir)
	}
}
