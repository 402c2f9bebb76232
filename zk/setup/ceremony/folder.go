package ceremony

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-net/assay/zk/setup/transcript"
)

// A ceremony is a folder: plan.json; for every part a folder with 01.contribution, 02.contribution and so on, a circuit's also with 00.start; closing-1.json and
// closing-2.json; and transcript.json. Files appear whole or not at all and are never replaced. 00.start and transcript.json are made from the others and may be missing.

const (
	planFile = "plan.json"
	suffix   = ".contribution"
)

func (c *Ceremony) contributionPath(part string, number int) string {
	return filepath.Join(c.dir, transcript.FolderOf(part), fmt.Sprintf("%02d%s", number, suffix))
}

func (c *Ceremony) closingPath(stage int) string {
	return filepath.Join(c.dir, fmt.Sprintf("closing-%d.json", stage))
}

// count is how many contributions a part's folder has. It refuses a gap.
func (c *Ceremony) count(part string) (int, error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, transcript.FolderOf(part)))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			n++
		}
	}
	if n > transcript.MaxContributors {
		return 0, transcript.At(part, transcript.Order.Errorf("%d contributions, at most %d", n, transcript.MaxContributors))
	}
	for i := range n {
		path := c.contributionPath(part, i+1)
		if _, err := os.Lstat(path); err != nil {
			return 0, transcript.At(part, transcript.Order.Errorf("%d contributions, but %s is missing", n, filepath.Base(path)))
		}
	}
	return n, nil
}

// createFile puts a whole file in place that must not be there yet.
func createFile(path string, fill func(f *os.File) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // its other name stays
	err = fill(f)
	if err == nil {
		err = f.Chmod(0o644) // nothing in a ceremony's folder is secret
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // opened for reading
	return d.Sync()
}

// readFile reads a file of at most max bytes.
func readFile(path string, max int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, transcript.At(path, transcript.Encoding.Errorf("not a regular file"))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > max {
		return nil, transcript.At(path, transcript.Length.Errorf("has more than %d bytes", max))
	}
	return b, nil
}

// buffered is how bodies are read for the library, which asks for 32 bytes at a time.
func buffered(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 1<<20) }
