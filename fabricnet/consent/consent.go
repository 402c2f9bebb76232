// Package consent is the list of what one organisation has looked at and wants on the ledger: verifying keys by their pin, the end of a key (retired,
// revoked) and makers' CAs by the digest of what is called for. Its endorsing peer agrees to nothing else (contract.Environment.Agree). The list is a text file, so that a person can read and edit it:
//
//	# keys of the setup of 12 November, compared with the transcript by two of us
//	<digest, 64 lower-case hexadecimal digits>  a note
//
// # What is promised
//
//   - What is not listed is not agreed to, and neither is anything while the list is missing, damaged or too long.
//   - The file is read each time, so an entry takes effect with the next call and a removed one is removed.
//   - When [List.Add] has returned, the entry survives a power failure. Readers see the list before or after it. Several processes may add at once.
//
// # What is not promised
//
// Whoever can write the file consents for the organisation. Taking an entry out does not undo what was endorsed while it was there. An editor that saves
// while Add runs may lose the entry.
package consent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const (
	// MaxBytes bounds the file.
	MaxBytes = 1 << 20
	// MaxNote bounds an entry's note.
	MaxNote = 256

	dirMode = 0o700
)

// List is the file. It need not exist: then nothing is agreed to.
type List struct{ Path string }

// Entry is one thing agreed to.
type Entry struct {
	Digest commit.Digest `json:"digest"`
	Note   string        `json:"note"`
}

// Agree returns nil if the digest is listed, a NotEndorsed refusal if not, and another error if the list cannot be read.
func (l List) Agree(digest commit.Digest) error {
	entries, err := l.Read()
	if err != nil {
		return err
	}
	if !listed(entries, digest) {
		return ledger.Refuse(ledger.NotEndorsed, "%s is not on this organisation's consent list", digest)
	}
	return nil
}

func listed(entries []Entry, digest commit.Digest) bool {
	for _, e := range entries {
		if e.Digest == digest {
			return true
		}
	}
	return false
}

// Read returns the entries in the file's order.
func (l List) Read() ([]Entry, error) {
	b, err := l.load()
	if err != nil {
		return nil, fmt.Errorf("reading consent list: %w", err)
	}
	entries, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("reading consent list %s: %w", l.Path, err)
	}
	return entries, nil
}

func (l List) load() ([]byte, error) {
	f, err := os.Open(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	return io.ReadAll(io.LimitReader(f, MaxBytes+1))
}

// Parse reads the text of a list of at most MaxBytes.
func Parse(text []byte) ([]Entry, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("has more than %d bytes", MaxBytes)
	}
	var out []Entry
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		entry, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		out = append(out, entry)
	}
	return out, nil
}

func parseLine(line string) (Entry, error) {
	var e Entry
	digest, note := line, ""
	if at := strings.IndexAny(line, " \t"); at >= 0 {
		digest, note = line[:at], strings.TrimSpace(line[at:])
	}
	if err := e.Digest.UnmarshalText([]byte(digest)); err != nil {
		return Entry{}, err
	}
	e.Note = note
	return e, ledger.CheckText("note", note, MaxNote, false)
}

// Add lists a digest, unless it is listed. The note is for people: why it is agreed to.
func (l List) Add(digest commit.Digest, note string) error {
	note = strings.TrimSpace(note)
	if err := ledger.CheckText("note", note, MaxNote, false); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(l.Path), dirMode); err != nil {
		return fmt.Errorf("adding to consent list: %w", err)
	}
	lock := flock.New(l.Path+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("adding to consent list: locking it: %w", err)
	}
	defer lock.Close() //nolint:errcheck // the process' end unlocks it too
	if err := l.add(digest, note); err != nil {
		return fmt.Errorf("adding to consent list %s: %w", l.Path, err)
	}
	return nil
}

func (l List) add(digest commit.Digest, note string) error {
	text, err := l.load()
	if err != nil {
		return err
	}
	entries, err := Parse(text)
	if err != nil {
		return err
	}
	if listed(entries, digest) {
		return durable.SyncDir(filepath.Dir(l.Path))
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	line := strings.TrimSpace(digest.String() + "  " + note)
	text = append(text, line+"\n"...)
	if len(text) > MaxBytes {
		return fmt.Errorf("would have more than %d bytes", MaxBytes)
	}
	return durable.WriteFile(l.Path, text)
}
