package gbt32960

import (
	"errors"
	"io"
	"slices"
)

// Reader cuts frames out of a byte stream, however it is split into reads. A frame is found by its start bytes, its header and its
// length, and confirmed by its check byte; where one of these fails, the Reader goes on one byte later. So a frame behind noise,
// and one that starts inside what only looked like a frame, are found.
//
// Noise that looks like the header of a long frame delays the frames behind it until as many bytes have come as it states, at most
// MaxFrame; none is lost. A Reader holds a few hundred KB at most.
type Reader struct {
	in      io.Reader
	b       []byte // what was read and not yet returned or skipped, from at
	sum     []byte // sum[i] is the XOR of b[:i], so that trying every byte of noise as a start costs no more than reading it
	at      int
	ended   error // what the stream ended with
	torn    bool  // the stream ended within a frame
	skipped uint64
}

// readSize is how much is asked for at once.
const readSize = 4096

// emptyReads is how often in a row a stream may give neither bytes nor an error.
const emptyReads = 100

// NewReader cuts frames out of in.
func NewReader(in io.Reader) *Reader {
	return &Reader{in: in, sum: []byte{0}}
}

// Skipped is the number of bytes that were no part of a frame.
func (r *Reader) Skipped() uint64 { return r.skipped }

// Next is the next frame. At the end of the stream the error is io.EOF, or io.ErrUnexpectedEOF if the stream ended in what may have
// been a frame; any other error is the stream's own.
func (r *Reader) Next() (*Frame, error) {
	for {
		f, more := r.cut()
		switch {
		case f != nil:
			r.torn = false
			return f, nil
		case !more:
		case r.ended == nil:
			r.fill()
		case len(r.b) > r.at:
			// The frame that began here does not get whole any more, but another one may be behind its start.
			r.torn = true
			r.skip(1)
		case r.torn && errors.Is(r.ended, io.EOF):
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, r.ended
		}
	}
}

// cut takes a frame, or skips a byte, or says that it needs more.
func (r *Reader) cut() (f *Frame, more bool) {
	r.seek()
	b := r.b[r.at:]
	if len(b) < HeaderSize {
		return nil, true
	}
	h, err := ParseHeader(b)
	if err != nil {
		r.skip(1)
		return nil, false
	}
	n := HeaderSize + h.Length + 1
	if len(b) < n {
		return nil, true
	}
	if r.sum[r.at+2] != r.sum[r.at+n] {
		r.skip(1)
		return nil, false
	}
	f = frameOf(h, b)
	r.at += n
	return f, false
}

// seek skips what cannot be the start of a frame.
func (r *Reader) seek() {
	b := r.b[r.at:]
	for i, v := range b {
		if !Edition(v).known() || i+1 < len(b) && b[i+1] != v {
			continue
		}
		r.skip(i)
		return
	}
	r.skip(len(b))
}

func (r *Reader) skip(n int) {
	r.at += n
	r.skipped += uint64(n)
}

// fill reads more. What was returned or skipped makes room for it first.
func (r *Reader) fill() {
	if r.at > 0 {
		r.b = r.b[:copy(r.b, r.b[r.at:])]
		r.sum = r.sum[:copy(r.sum, r.sum[r.at:])]
		r.at = 0
	}
	old := len(r.b)
	r.b = slices.Grow(r.b, readSize)[:old+readSize]
	n, err := 0, error(nil)
	for tries := 0; n == 0 && err == nil; tries++ {
		if tries == emptyReads {
			err = io.ErrNoProgress
			break
		}
		n, err = r.in.Read(r.b[old:])
	}
	r.b, r.ended = r.b[:old+n], err
	for _, v := range r.b[old:] {
		r.sum = append(r.sum, r.sum[len(r.sum)-1]^v)
	}
}
