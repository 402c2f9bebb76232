// Package reference lets a configuration name a secret without holding it: `file:/path/to/secret` or `env:NAME`.
//
// A file must be regular, belong to the user of this process or to root, and be closed to everybody else; a file of root's may be
// readable by its group, as Kubernetes and systemd set secrets up. Symbolic links are followed, since both use them. Nothing is
// cached: a secret that is replaced is seen when it is read next.
//
// A reference may be shown and logged. One that is not well formed is never quoted, since it could be the secret itself.
package reference

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// MaxSecret bounds a secret.
const MaxSecret = 64 << 10

const (
	filePrefix = "file:"
	envPrefix  = "env:"
)

// Reference names a secret. The empty reference names none.
type Reference string

// Check says whether a reference is well formed. It does not look for the secret. Configurations are checked after they have been decoded: what a decoder refuses
// it may well quote.
func (r Reference) Check() error {
	if path, ok := strings.CutPrefix(string(r), filePrefix); ok {
		if !filepath.IsAbs(path) {
			return errors.New("reference to a secret: the path after file: must be absolute")
		}
		return nil
	}
	if name, ok := strings.CutPrefix(string(r), envPrefix); ok && name != "" && !strings.ContainsAny(name, "= \t\n\x00") {
		return nil
	}
	return errors.New("reference to a secret must be file:/absolute/path or env:NAME, and not the secret itself")
}

// Read returns the secret, without the line end that editors put after it. The caller clears it when it is done.
func (r Reference) Read() ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	b, err := r.read()
	if err != nil {
		return nil, err
	}
	secret := bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if len(secret) == 0 {
		return nil, fmt.Errorf("secret %s is empty", r)
	}
	return secret, nil
}

func (r Reference) read() ([]byte, error) {
	if path, ok := strings.CutPrefix(string(r), filePrefix); ok {
		return readFile(path)
	}
	value, ok := os.LookupEnv(strings.TrimPrefix(string(r), envPrefix))
	if !ok {
		return nil, fmt.Errorf("secret %s: the variable is not set", r)
	}
	if len(value) > MaxSecret {
		return nil, fmt.Errorf("secret %s has %d bytes, at most %d", r, len(value), MaxSecret)
	}
	return []byte(value), nil
}

func readFile(path string) ([]byte, error) {
	// Non-blocking, since opening a named pipe would wait for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	if err := checkPrivate(path, info); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	if len(b) > MaxSecret {
		clear(b)
		return nil, fmt.Errorf("secret file %s has more than %d bytes", path, MaxSecret)
	}
	return b, nil
}

// checkPrivate says whether a file is regular and nobody else's business.
func checkPrivate(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("secret file %s is not a regular file", path)
	}
	owner, err := ownerOf(info)
	if err != nil {
		return fmt.Errorf("secret file %s: %w", path, err)
	}
	forbidden := fs.FileMode(0o077)
	switch {
	case owner == 0 && os.Geteuid() != 0:
		forbidden = 0o037
	case owner != os.Geteuid():
		return fmt.Errorf("secret file %s belongs to user %d, must belong to user %d or root", path, owner, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return fmt.Errorf("secret file %s has mode %04o, must be closed to others: chmod 600", path, mode)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (int, error) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, errors.New("its owner cannot be told on this system")
	}
	return int(s.Uid), nil
}
