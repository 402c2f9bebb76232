package durable

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// CheckPrivate says whether a file with a key is nobody else's business: closed to everybody but its owner. One of root's may be readable by its
// group where the process is another user's, as Kubernetes and systemd set secrets up.
func CheckPrivate(path string, info fs.FileInfo) error {
	owner := os.Geteuid()
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = int(s.Uid)
	}
	if mode := info.Mode().Perm(); mode&forbidden(owner, os.Geteuid()) != 0 {
		return fmt.Errorf("key file %s has mode %04o, must be 0600", path, mode)
	}
	return nil
}

func forbidden(owner, user int) fs.FileMode {
	if owner == 0 && user != 0 {
		return 0o037
	}
	return 0o077
}
