package party

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/mpc/session/transcript"
)

func keyStore(t *testing.T) keys.Store {
	t.Helper()
	dir := t.TempDir()
	identity := filepath.Join(dir, "identity")
	if err := file.CreateIdentity(identity); err != nil {
		t.Fatal(err)
	}
	s, err := file.Open(context.Background(), file.Config{Directory: filepath.Join(dir, "keys"), Identity: reference.Reference("file:" + identity), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	s, ctx, id, value := &envelope{keyStore(t), "s"}, t.Context(), transcript.ID{1}, []byte("what the key follows from")
	sealed, err := s.Seal(ctx, id, "secret", value, []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Seal(ctx, id, "secret", value, []byte("place"))
	if err != nil || bytes.Equal(sealed, again) || bytes.Contains(sealed, value) {
		t.Errorf("sealed twice alike, or in the clear (error %v)", err)
	}
	if got, err := s.Open(ctx, id, "secret", sealed, []byte("place")); err != nil || !bytes.Equal(got, value) {
		t.Errorf("opened %q (error %v)", got, err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"altered":         func() ([]byte, error) { return s.Open(ctx, id, "secret", altered, []byte("place")) },
		"another place":   func() ([]byte, error) { return s.Open(ctx, id, "secret", sealed, []byte("other")) },
		"another slot":    func() ([]byte, error) { return s.Open(ctx, id, "share", sealed, []byte("place")) },
		"another session": func() ([]byte, error) { return s.Open(ctx, transcript.ID{2}, "secret", sealed, []byte("place")) },
		"another store": func() ([]byte, error) {
			return (&envelope{s.keys, "q"}).Open(ctx, id, "secret", sealed, []byte("place"))
		},
		"cut": func() ([]byte, error) { return s.Open(ctx, id, "secret", sealed[:40], []byte("place")) },
	} {
		if b, err := open(); err == nil {
			t.Errorf("%s: opened %q", name, b)
		}
	}
	for range 2 {
		if err := s.Destroy(ctx, id, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := s.Open(ctx, id, "secret", sealed, []byte("place")); err == nil {
		t.Errorf("destroyed, and opened %q", b)
	}
	if err := keys.CheckName(s.name(id, strings.Repeat("x", 32))); err != nil {
		t.Errorf("the longest slot: %v", err)
	}
}

// TestTrapNamesOfKeys are of whole ids: whoever can choose two of them that begin alike must not have one's keys destroyed with the other's.
func TestTrapNamesOfKeys(t *testing.T) {
	t.Parallel()
	s := &envelope{nil, "s"}
	id := transcript.ID{1}
	last := id
	last[len(last)-1] ^= 1
	names := map[string]bool{s.name(id, "a"): true, s.name(last, "a"): true, s.name(id, "b"): true, (&envelope{nil, "q"}).name(id, "a"): true}
	if len(names) != 4 {
		t.Errorf("names %v", names)
	}
}

func FuzzSplitEnvelope(f *testing.F) {
	for _, b := range [][]byte{nil, {1}, {1, 0, 0}, {1, 0, 1, 7}, {1, 0xff, 0xff, 7}, {2, 0, 1, 7, 8}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		wrapped, ciphertext, err := splitEnvelope(b)
		if err == nil && (len(wrapped) == 0 || len(wrapped) > keys.MaxWrapped || envelopeHead+len(wrapped)+len(ciphertext) != len(b)) {
			t.Errorf("%x: %d and %d bytes", b, len(wrapped), len(ciphertext))
		}
	})
}
