package ceremony

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/assay-net/assay/zk/setup/transcript"
)

// readClosing returns nil if the stage is open.
func (c *Ceremony) readClosing(stage int) (*transcript.Closing, error) {
	path := c.closingPath(stage)
	b, err := readFile(path, transcript.MaxClosing)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out, err := transcript.ParseClosing(b)
	if err == nil {
		err = c.plan.CheckClosing(stage, out)
	}
	return out, transcript.At(path, err)
}

// closings reads both; the second may be nil, or both.
func (c *Ceremony) closings() (first, second *transcript.Closing, err error) {
	if first, err = c.readClosing(transcript.FirstStage); err != nil {
		return nil, nil, err
	}
	if second, err = c.readClosing(transcript.SecondStage); err != nil {
		return nil, nil, err
	}
	return first, second, c.plan.CheckClosings(first, second)
}

func (c *Ceremony) writeClosing(out *transcript.Closing) error {
	b, err := out.Encode()
	if err != nil {
		return err
	}
	path := c.closingPath(out.Stage)
	err = createFile(path, func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s was closed meanwhile: %w", path, err)
	}
	return err
}
