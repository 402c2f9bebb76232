package reference

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		reference Reference
		ok        bool
	}{
		{"file:/run/secrets/x", true},
		{"env:NAME", true},
		{"", false},
		{"file:", false},
		{"file:relative", false},
		{"env:", false},
		{"env:A=B", false},
		{"env:A B", false},
		{"/run/secrets/x", false},
		{"hunter2", false},
		{"FILE:/x", false},
		{" file:/x", false},
		{"http://x", false},
	} {
		err := c.reference.Check()
		if (err == nil) != c.ok {
			t.Errorf("%q: %v", c.reference, err)
		}
		if err != nil && len(c.reference) > len("file:") && strings.Contains(err.Error(), string(c.reference)) {
			t.Errorf("the error quotes %q", c.reference)
		}
		if _, err := c.reference.Read(); !c.ok && err == nil {
			t.Errorf("%q is read", c.reference)
		}
	}
}

func secretFile(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadFile(t *testing.T) {
	for content, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", "secret\n\n": "secret\n", " s ": " s ",
		strings.Repeat("x", MaxSecret): strings.Repeat("x", MaxSecret),
	} {
		got, err := Reference("file:" + secretFile(t, content, 0o600)).Read()
		if err != nil || string(got) != want {
			t.Errorf("%.20q: got %.20q, %v", content, got, err)
		}
	}
	for _, content := range []string{"", "\n", "\r\n", strings.Repeat("x", MaxSecret+1)} {
		if _, err := Reference("file:" + secretFile(t, content, 0o600)).Read(); err == nil {
			t.Errorf("%.20q is read", content)
		}
	}
}

func TestReadFileMode(t *testing.T) {
	for mode, ok := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true,
		0o640: false, 0o604: false, 0o660: false, 0o620: false, 0o644: false, 0o777: false, 0o601: false, 0o610: false,
	} {
		_, err := Reference("file:" + secretFile(t, "secret", mode)).Read()
		if (err == nil) != ok {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret\"") {
			t.Errorf("mode %04o: the error quotes the secret", mode)
		}
	}
}

func TestReadFileOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	path := secretFile(t, "secret", 0o600)
	if err := os.Chown(path, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if _, err := Reference("file:" + path).Read(); err == nil || !strings.Contains(err.Error(), "belongs to user 1234") {
		t.Errorf("error %v", err)
	}
}

func TestReadNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, fifo, "/dev/zero", filepath.Join(dir, "none")} {
		if _, err := Reference("file:" + path).Read(); err == nil {
			t.Errorf("%s is read", path)
		}
	}
}

// Kubernetes replaces secrets by replacing a link.
func TestReadThroughLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	for _, content := range []string{"one", "two"} {
		os.Remove(link) //nolint:errcheck // there is none at first
		if err := os.Symlink(secretFile(t, content, 0o400), link); err != nil {
			t.Fatal(err)
		}
		if got, err := Reference("file:" + link).Read(); err != nil || string(got) != content {
			t.Errorf("got %q, %v", got, err)
		}
	}
	os.Remove(link) //nolint:errcheck // it is there
	if err := os.Symlink(secretFile(t, "open", 0o644), link); err != nil {
		t.Fatal(err)
	}
	if _, err := Reference("file:" + link).Read(); err == nil {
		t.Error("a link to a file that all may read is followed")
	}
}

func TestReadVariable(t *testing.T) {
	t.Setenv("ASSAY_TEST_SECRET", "secret")
	if got, err := Reference("env:ASSAY_TEST_SECRET").Read(); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
	t.Setenv("ASSAY_TEST_SECRET", "")
	if _, err := Reference("env:ASSAY_TEST_SECRET").Read(); err == nil {
		t.Error("an empty variable is a secret")
	}
	if _, err := Reference("env:ASSAY_TEST_NOT_SET").Read(); err == nil {
		t.Error("a variable that is not set is a secret")
	}
}
