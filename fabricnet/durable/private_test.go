package durable

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestForbidden(t *testing.T) {
	for _, test := range []struct {
		mode        fs.FileMode
		owner, user int
		private     bool
	}{
		{0o600, 1000, 1000, true}, {0o400, 1000, 1000, true}, {0o640, 1000, 1000, false}, {0o604, 1000, 1000, false},
		{0o600, 0, 0, true}, {0o440, 0, 0, false},
		{0o440, 0, 1000, true}, {0o640, 0, 1000, true}, {0o460, 0, 1000, false}, {0o444, 0, 1000, false},
	} {
		if got := test.mode&forbidden(test.owner, test.user) == 0; got != test.private {
			t.Errorf("mode %04o of user %d for user %d: %v", test.mode, test.owner, test.user, got)
		}
	}
}

func TestCheckPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[fs.FileMode]string{0o600: "", 0o400: "", 0o640: "0640", 0o604: "0604"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckPrivate(path, info); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}
