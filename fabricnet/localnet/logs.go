package localnet

import (
	"io"
	"os"
	"strings"
)

// logFormat is Fabric's own without the colours.
const logFormat = "%{time:2006-01-02 15:04:05.000 MST} [%{module}] %{shortfunc} -> %{level:.4s} %{message}"

const (
	tailLines = 20
	tailBytes = 16 << 10
)

// tail is the end of a log, for an error.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	defer f.Close() //nolint:errcheck // opened for reading
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		f.Seek(max(0, end-tailBytes), io.SeekStart) //nolint:errcheck // then the tail is longer
	}
	b, err := io.ReadAll(io.LimitReader(f, tailBytes))
	if err != nil {
		return "(unreadable log: " + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return "last lines of " + path + ":\n" + strings.Join(last(lines, tailLines), "\n")
}
