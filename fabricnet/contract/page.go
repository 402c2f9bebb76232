package contract

import (
	"errors"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// maxExamined is how many records a page may look at, most of which a filter may leave out.
	maxExamined = 5_000
	// maxPageBytes is about when a page ends for its size.
	maxPageBytes = 8 << 20
)

// Seeker is a State that can begin in the middle of a range. Pages of long lists are read with it; without it they are read from the start.
type Seeker interface {
	// RangeAfter calls fn for every key with the prefix behind the key after, in ascending order of bytes, until fn returns an error, which it returns.
	RangeAfter(prefix, after string, fn func(key string, value []byte) error) error
}

// page is a part of a list that is being read.
type page struct{ left, examined, bytes int }

func newPage(limit int) (*page, error) {
	if limit < 0 || limit > ledger.MaxPage {
		return nil, ledger.Refuse(ledger.Invalid, "limit: %d, must be 1 to %d, or 0 for %d", limit, ledger.MaxPage, ledger.DefaultPage)
	}
	if limit == 0 {
		limit = ledger.DefaultPage
	}
	return &page{left: limit, examined: maxExamined, bytes: maxPageBytes}, nil
}

// newPageOf is a page of what has a digest and a status.
func newPageOf(limit int, after string, status interface{ Known() bool }, any bool) (*page, error) {
	p, err := newPage(limit)
	if err != nil {
		return nil, err
	}
	if _, err := hexDigest(after); after != "" && err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "after: %v", err)
	}
	if !any && !status.Known() {
		return nil, ledger.Refuse(ledger.Invalid, "status: %.40q is none", status)
	}
	return p, nil
}

var errPageFull = errors.New("the page is full")

// pageOf calls fn for the records under a prefix that come behind a position, until the page is full or there are no more, and returns the position to go on from, or
// "". Positions are what comes behind base in a key. fn reports whether it took the record.
func pageOf[T any](r *run, p *page, prefix, base, after string, fn func(rest string, record *T) (taken bool, err error)) (next string, err error) {
	last := after
	err = rangeAfter(r.state, prefix, base+after, func(key string, value []byte) error {
		if p.left <= 0 || p.examined <= 0 || p.bytes <= 0 {
			return errPageFull
		}
		record, err := ledger.DecodeRecord[T]("state "+key, value)
		if err != nil {
			return err
		}
		taken, err := fn(key[len(base):], record)
		if err != nil {
			return err
		}
		last = key[len(base):]
		p.examined--
		if taken {
			p.left--
			p.bytes -= len(value)
		}
		return nil
	})
	if errors.Is(err, errPageFull) {
		return last, nil
	}
	return "", err
}

func rangeAfter(s State, prefix, after string, fn func(key string, value []byte) error) error {
	if !strings.HasPrefix(after, prefix) && after > prefix {
		return nil // behind all of them
	}
	if seeker, ok := s.(Seeker); ok {
		return seeker.RangeAfter(prefix, after, fn)
	}
	return s.Range(prefix, func(key string, value []byte) error {
		if key <= after {
			return nil
		}
		return fn(key, value)
	})
}
