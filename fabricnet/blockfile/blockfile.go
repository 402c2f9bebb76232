// Package blockfile is the file in which blocks of a channel are handed over: [Magic], then every block behind its length.
//
// The blocks are the bytes of serialised common.Block messages. The package does not look into them, so it promises nothing about them: who
// verifies a file verifies numbers, hashes and signatures. It does promise that a reader takes no more memory than the bytes that are
// there, at most [MaxBlock] for a block, and that a file that was cut off is told from one that ends.
package blockfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
)

const (
	// Magic begins every file.
	Magic = "assay-blocks/v1\n"
	// MaxBlock bounds a block, in bytes. Fabric's default bound of a message is 100 MiB.
	MaxBlock = 128 << 20
)

// Writer writes a file.
type Writer struct {
	w      io.Writer
	begun  bool
	broken error
}

// NewWriter writes to w. Nothing is written before the first block.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write appends a block of 1 to MaxBlock bytes. After an error the file is not whole, and every further Write returns the same error.
func (w *Writer) Write(block []byte) error {
	if w.broken != nil {
		return w.broken
	}
	if len(block) == 0 || len(block) > MaxBlock {
		return fmt.Errorf("block file: a block has %d bytes, must be 1 to %d", len(block), MaxBlock)
	}
	var head []byte
	if !w.begun {
		head = append(head, Magic...)
	}
	head = binary.AppendUvarint(head, uint64(len(block)))
	for _, part := range [][]byte{head, block} {
		if _, err := w.w.Write(part); err != nil {
			w.broken = fmt.Errorf("block file: %w", err)
			return w.broken
		}
	}
	w.begun = true
	return nil
}

// Reader reads a file.
type Reader struct {
	r     *bufio.Reader
	begun bool
	end   error
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, 64<<10)} }

// Next returns the next block. The error is io.EOF where the file ends behind a block, and wraps io.ErrUnexpectedEOF where it was cut off. An error
// stays.
func (r *Reader) Next() ([]byte, error) {
	if r.end != nil {
		return nil, r.end
	}
	block, err := r.next()
	if err != nil {
		r.end = err
		return nil, err
	}
	return block, nil
}

// All runs over the blocks that are left, and ends behind the last one or with the first error.
func (r *Reader) All() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			block, err := r.Next()
			if err == io.EOF || !yield(block, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) next() ([]byte, error) {
	if !r.begun {
		if err := r.magic(); err != nil {
			return nil, err
		}
		r.begun = true
	}
	length, err := r.length()
	if err != nil {
		return nil, err
	}
	// Memory grows with what is read, so that a length alone costs nothing.
	var block bytes.Buffer
	n, err := io.CopyN(&block, r.r, int64(length))
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("block file: a block of %d bytes was cut off after %d: %w", length, n, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, fmt.Errorf("block file: %w", err)
	}
	return block.Bytes(), nil
}

func (r *Reader) magic() error {
	got := make([]byte, len(Magic))
	if n, err := io.ReadFull(r.r, got); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("block file: %w", err)
	} else if string(got[:n]) != Magic {
		return fmt.Errorf("block file: does not begin with %q", Magic)
	}
	return nil
}

// length reads a length in its shortest encoding; io.EOF where the file ends before it.
func (r *Reader) length() (uint64, error) {
	var read []byte
	for len(read) < binary.MaxVarintLen32 {
		b, err := r.r.ReadByte()
		if err == io.EOF && len(read) == 0 { // itself: an error that wraps it is no end
			return 0, io.EOF
		}
		if err == io.EOF {
			return 0, fmt.Errorf("block file: a block's length was cut off: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return 0, fmt.Errorf("block file: %w", err)
		}
		if read = append(read, b); b < 0x80 {
			break
		}
	}
	length, n := binary.Uvarint(read)
	if n <= 0 || length == 0 || length > MaxBlock {
		return 0, fmt.Errorf("block file: a block has more than %d bytes, or none", MaxBlock)
	}
	if n > 1 && read[n-1] == 0 {
		return 0, errors.New("block file: a block's length is not in its shortest encoding")
	}
	return length, nil
}
