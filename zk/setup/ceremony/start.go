package ceremony

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/evaluation"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// A circuit's part begins with its constraints on the closed powers of tau. Making that takes minutes, so whoever is first keeps it in the part's folder, as
// 00.start: a tag of 32 bytes padded with zeros, what the part's first contribution follows, and the circuit's values. Nobody signs the file and nobody trusts it.
// Everybody who reads it checks it, which takes seconds and shows as much as making it anew: see package evaluation.
const (
	startFile        = "00.start"
	startTag         = "assay/v1/ceremony/start-file"
	startHeaderBytes = 64
)

func startHeader(follows commit.Digest) []byte {
	b := make([]byte, 32, startHeaderBytes)
	copy(b, startTag)
	return append(b, follows[:]...)
}

func (c *Ceremony) startPath(part string) string {
	return filepath.Join(c.dir, transcript.FolderOf(part), startFile)
}

// startOf reads a circuit's values, or makes and keeps them, and in both cases checks them.
func (c *Ceremony) startOf(w *work, p *circuitPart, first *transcript.Closing, powers *evaluation.Powers) (*evaluation.Values, error) {
	path := c.startPath(p.id)
	header := startHeader(transcript.Start(c.plan, p.id, first))
	v, err := c.readStart(w, p, path, header)
	made := errors.Is(err, fs.ErrNotExist)
	if made {
		w.step(fmt.Sprintf("%s: putting %d constraints on the powers of tau, once for everybody", p.id, p.circuit.System.GetNbConstraints()), 0)
		v, err = evaluation.Make(w, p.circuit.System, powers)
	}
	if err != nil {
		return nil, transcript.At(path, err)
	}
	w.step(fmt.Sprintf("checking the start of %s", p.id), 0)
	if err := v.Check(p.circuit.System, powers); err != nil {
		return nil, transcript.At(path, transcript.StartUnfit.Errorf("%w; it is made again where it is missing", err))
	}
	if made {
		if err := writeStart(path, header, v); err != nil {
			w.step(fmt.Sprintf("could not keep the start for others: %v", err), 0)
		}
	}
	return v, w.Err()
}

func (c *Ceremony) readStart(w *work, p *circuitPart, path string, header []byte) (*evaluation.Values, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	size := startHeaderBytes + evaluation.Bytes(p.circuit.System, p.shape.domain)
	switch {
	case !info.Mode().IsRegular(): // a pipe would never end
		return nil, transcript.Encoding.Errorf("not a regular file")
	case info.Size() < size:
		return nil, transcript.Truncated.Errorf("has %d bytes, must have %d", info.Size(), size)
	case info.Size() > size:
		return nil, transcript.Length.Errorf("has %d bytes, must have %d", info.Size(), size)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	in := buffered(w.reading(f, "reading "+c.short(path), size))
	got := make([]byte, startHeaderBytes)
	if _, err := io.ReadFull(in, got); err != nil {
		return nil, err
	}
	if !bytes.Equal(got[:32], header[:32]) {
		return nil, transcript.Encoding.Errorf("not a circuit's start")
	}
	if !bytes.Equal(got, header) {
		return nil, transcript.OtherCeremony.Errorf("is for a part that follows %x, this one follows %x", got[32:], header[32:])
	}
	v, err := evaluation.Read(w, in, p.circuit.System, p.shape.domain)
	if errors.Is(err, evaluation.ErrNoPoint) {
		return nil, transcript.Point.Errorf("%w", err)
	}
	return v, err
}

// writeStart leaves a file that somebody else has made meanwhile.
func writeStart(path string, header []byte, v *evaluation.Values) error {
	err := createFile(path, func(f *os.File) error {
		if _, err := f.Write(header); err != nil {
			return err
		}
		_, err := v.WriteTo(f)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
