package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// A journal is a file of entries: what kind, how many bytes, their CRC-32, and the bytes. An entry that was cut short by the end
// of the process is the last one, and is dropped. Frames that are acknowledged go when the file has grown by rewriteAfter.
const (
	entryFrame        = 1
	entryAcknowledged = 2
	entryHead         = 1 + 4 + 4

	rewriteAfter = 1 << 20
	// maxJournal bounds what is read back: a full window of the largest frames, several times over.
	maxJournal = 64 << 20
)

// journal holds the frames that are not acknowledged.
type journal struct {
	path  string
	file  *os.File
	size  int64
	live  []held
	after uint64 // the next sequence, 0 if it is not known
}

type held struct {
	sequence uint64
	plain    []byte
}

func openJournal(path string) (*journal, error) {
	if err := checkMode(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, file: file}
	if err := j.read(); err != nil {
		file.Close() //nolint:errcheck // it was only read
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return j, nil
}

func (j *journal) read() error {
	b, err := io.ReadAll(io.LimitReader(j.file, maxJournal+1))
	if err != nil {
		return err
	}
	if len(b) > maxJournal {
		return fmt.Errorf("more than %d bytes", maxJournal)
	}
	if err := j.replay(b); err != nil {
		return err
	}
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	_, err = j.file.Seek(j.size, io.SeekStart)
	return err
}

// replay takes up what the entries say, up to the first that is cut short or damaged.
func (j *journal) replay(b []byte) error {
	for {
		kind, body, rest, ok := nextEntry(b)
		if !ok {
			return nil
		}
		if err := j.apply(kind, body); err != nil {
			return err
		}
		j.size, b = j.size+int64(len(b)-len(rest)), rest
	}
}

// nextEntry takes an entry off the front. It fails at one that is cut short or damaged.
func nextEntry(b []byte) (kind byte, body, rest []byte, ok bool) {
	if len(b) < entryHead {
		return 0, nil, nil, false
	}
	kind = b[0]
	size, sum := binary.BigEndian.Uint32(b[1:5]), binary.BigEndian.Uint32(b[5:9])
	if size > frame.MaxFrame || int(size) > len(b)-entryHead {
		return 0, nil, nil, false
	}
	body, rest = b[entryHead:entryHead+size], b[entryHead+size:]
	return kind, body, rest, crc32.ChecksumIEEE(body) == sum
}

func (j *journal) apply(kind byte, body []byte) error {
	switch kind {
	case entryFrame:
		f, err := frame.Parse(body)
		if err != nil {
			return err
		}
		j.hold(f.Sequence, body)
	case entryAcknowledged:
		if len(body) != 8 {
			return errors.New("an acknowledgement is not 8 bytes long")
		}
		j.forget(binary.BigEndian.Uint64(body))
	default:
		return fmt.Errorf("entry of kind %d", kind)
	}
	return nil
}

func (j *journal) hold(sequence uint64, plain []byte) {
	for i := range j.live {
		if j.live[i].sequence == sequence {
			j.live[i].plain = plain
			return
		}
	}
	j.live = append(j.live, held{sequence, plain})
	j.after = max(j.after, sequence+1)
}

func (j *journal) forget(through uint64) {
	n := 0
	for n < len(j.live) && j.live[n].sequence <= through {
		n++
	}
	j.live = append(j.live[:0], j.live[n:]...)
	j.after = max(j.after, through+1)
}

func (j *journal) append(sequence uint64, plain []byte) error {
	if err := j.write(entryFrame, plain); err != nil {
		return err
	}
	j.hold(sequence, plain)
	return nil
}

func (j *journal) acknowledge(through uint64) error {
	if err := j.write(entryAcknowledged, binary.BigEndian.AppendUint64(nil, through)); err != nil {
		return err
	}
	j.forget(through)
	live := int64(0)
	for _, h := range j.live {
		live += int64(len(h.plain))
	}
	if j.size < 2*live+rewriteAfter {
		return nil
	}
	return j.rewrite(through)
}

func (j *journal) write(kind byte, body []byte) error {
	n, err := j.file.Write(entry(kind, body))
	j.size += int64(n)
	if err == nil {
		return nil
	}
	// Half an entry must not stand before the next one.
	j.size -= int64(n)
	if undone := j.file.Truncate(j.size); undone != nil {
		return errors.Join(err, undone)
	}
	_, undone := j.file.Seek(j.size, io.SeekStart)
	return errors.Join(err, undone)
}

func entry(kind byte, body []byte) []byte {
	b := make([]byte, 0, entryHead+len(body))
	b = append(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
	return append(b, body...)
}

// rewrite makes a new file of what is live.
func (j *journal) rewrite(through uint64) error {
	b := entry(entryAcknowledged, binary.BigEndian.AppendUint64(nil, through))
	for _, h := range j.live {
		b = append(b, entry(entryFrame, h.plain)...)
	}
	file, err := replaceFile(j.path, b)
	if file == nil {
		return err
	}
	old := j.file
	j.file, j.size = file, int64(len(b))
	return errors.Join(err, old.Close())
}

// writeFile replaces a file at once, so that a loss of power leaves the old or the new one.
func writeFile(path string, b []byte) error {
	file, err := replaceFile(path, b)
	if file == nil {
		return err
	}
	return errors.Join(err, file.Close())
}

// replaceFile is writeFile that leaves the new file open at its end. It returns none if the old one is still in its place.
func replaceFile(path string, b []byte) (*os.File, error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // of mode 0600
	if err != nil {
		return nil, err
	}
	_, err = temporary.Write(b)
	if err = errors.Join(err, temporary.Sync()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(err, temporary.Close(), os.Remove(temporary.Name()))
	}
	return temporary, syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// checkMode refuses a file that others than its owner may read.
func checkMode(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is of mode %#o: only its owner may read it (chmod 600)", path, info.Mode().Perm())
	}
	return nil
}
