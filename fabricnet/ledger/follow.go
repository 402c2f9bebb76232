package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/zk/commit"
)

// Cursor is a position among the ledger's events: behind the one of a transaction, or, without a transaction, behind all of a height. The zero value is
// before the first event.
type Cursor struct {
	Height uint64 `json:"height"`
	TxID   string `json:"tx_id"`
}

// Check accepts a transaction id of 64 lower-case hexadecimal digits, or none.
func (c Cursor) Check() error {
	if c.TxID == "" {
		return nil
	}
	if err := new(commit.Digest).UnmarshalText([]byte(c.TxID)); err != nil {
		return fmt.Errorf("cursor: tx_id: %w", err)
	}
	return nil
}

// maxFollowPause is how long KeepFollowing waits at most, and how long reading has to go well for it to begin with a short pause again.
const maxFollowPause = time.Minute

// KeepFollowing calls read, which follows the ledger until it fails, again and again until ctx ends, with a pause between that doubles as long as it goes wrong. failed is told of each failure.
func KeepFollowing(ctx context.Context, first time.Duration, read func(context.Context) error, failed func(error)) {
	for pause := first; ; pause = min(2*pause, maxFollowPause) {
		began := time.Now()
		err := read(ctx)
		if ctx.Err() != nil {
			return
		}
		failed(err)
		if time.Since(began) > maxFollowPause {
			pause = first // it went well for a while
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

// Follow calls fn with every event behind a position, in order, each once, together with the position behind it, and goes on for ever. It ends with the
// error of fn, of the ledger or of the context.
//
// A handler that stores the position together with the event's effects, in one transaction of its own database, and starts again from the stored one
// misses none and repeats none, whenever it was killed. One that stores it after the effects may see the last event again.
func Follow(ctx context.Context, c Client, after Cursor, fn func(Event, Cursor) error) error {
	if err := after.Check(); err != nil {
		return err
	}
	from, seen := after.Height, after.TxID == ""
	if seen && from > 0 {
		from++
	}
	for e, err := range c.Events(ctx, from, 0) {
		if err != nil {
			return fmt.Errorf("following the ledger: %w", err)
		}
		if !seen {
			if e.Height > after.Height {
				return fmt.Errorf("following the ledger: block %d has no event of transaction %s, so the position is of another ledger", after.Height, after.TxID)
			}
			seen = e.TxID == after.TxID
			continue
		}
		if err := fn(e, Cursor{Height: e.Height, TxID: e.TxID}); err != nil {
			return err
		}
	}
	return errors.New("following the ledger: it ended")
}

// FileCursor keeps a cursor in a file, for a caller without a database. The file is replaced as a whole: after a crash it has the old position or
// the new one.
type FileCursor struct{ Path string }

// maxCursor bounds an encoded position.
const maxCursor = 256

// Load reads the cursor, which is the zero value if the file does not exist.
func (f FileCursor) Load() (Cursor, error) {
	file, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Cursor{}, nil
	}
	if err != nil {
		return Cursor{}, fmt.Errorf("reading cursor: %w", err)
	}
	defer file.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(file, maxCursor+1))
	if err != nil {
		return Cursor{}, fmt.Errorf("reading cursor: %w", err)
	}
	c, err := Decode[Cursor]("cursor", b, maxCursor)
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return Cursor{}, fmt.Errorf("reading %s: %w", f.Path, err)
	}
	return *c, nil
}

// Save writes the cursor durably.
func (f FileCursor) Save(c Cursor) error {
	if err := c.Check(); err != nil {
		return err
	}
	if err := durable.WriteFile(f.Path, Encode(c)); err != nil {
		return fmt.Errorf("writing cursor: %w", err)
	}
	return nil
}
