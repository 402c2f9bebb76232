//go:build unix

package check

import (
	"io/fs"
	"os"
	"syscall"
	"testing"
)

func ownership(t *testing.T, path string) (fs.FileMode, uint32) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm(), info.Sys().(*syscall.Stat_t).Uid
}
