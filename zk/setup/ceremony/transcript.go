package ceremony

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/setup/transcript"
)

// transcriptFile holds the whole transcript of a finished ceremony, for those who verify without the folder.
const transcriptFile = "transcript.json"

// Transcript is what the ceremony's files say and who signed them, as far as it has come, in one file. It reads headers and closings, and the keys from the
// folder's transcript.json if that is there; it needs no circuits, and does no more to the keys than [transcript.File.Check] does.
func (c *Ceremony) Transcript() (*transcript.File, error) {
	path := c.transcriptPath()
	b, err := readFile(path, transcript.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c.transcriptWith(nil)
	}
	if err != nil {
		return nil, err
	}
	kept, err := transcript.ParseFile(b)
	if err != nil {
		return nil, transcript.At(path, err)
	}
	r, err := kept.Check()
	if err != nil {
		return nil, transcript.At(path, err)
	}
	return kept, c.checkTranscript(r)
}

func (c *Ceremony) transcriptPath() string { return filepath.Join(c.dir, transcriptFile) }

func (c *Ceremony) transcriptWith(keys []transcript.KeyRecord) (*transcript.File, error) {
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	chains, err := c.allChains(first, second)
	if err != nil {
		return nil, err
	}
	return transcript.NewFile(c.plan, chains, first, second, keys), nil
}

func (c *Ceremony) encodedTranscript(r *transcript.Record) ([]byte, error) {
	file, err := c.transcriptWith(r.Keys)
	if err != nil {
		return nil, err
	}
	return file.Encode()
}

// keepTranscript puts the transcript into the folder if it is not there. A folder that cannot be written to stays without.
func (c *Ceremony) keepTranscript(w *work, r *transcript.Record) error {
	b, err := c.encodedTranscript(r)
	if err != nil {
		return err
	}
	err = createFile(c.transcriptPath(), func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return c.checkTranscript(r)
	}
	if err != nil {
		w.step(fmt.Sprintf("could not keep the transcript: %v", err), 0)
	}
	return nil
}

// checkTranscript compares the folder's transcript, if there is one, with what its other files say and what keys came out.
func (c *Ceremony) checkTranscript(r *transcript.Record) error {
	path := c.transcriptPath()
	got, err := readFile(path, transcript.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	want, err := c.encodedTranscript(r)
	if err == nil && !bytes.Equal(got, want) {
		err = transcript.At(path, transcript.Damaged.Errorf("is not what the ceremony's other files say and what comes out of them"))
	}
	return err
}
