package server

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/statement"
)

// A page token that is taken gives the position that it was made of, and there is no second spelling of it.
func FuzzPageToken(f *testing.F) {
	of := listOf("requests", "operator")
	f.Add("")
	f.Add(of.token(strings.Repeat("ab", 32)))
	f.Add(listOf("grants").token("operator/first"))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		position, err := of.position("page_token", token)
		if err != nil {
			return
		}
		if len(position) > maxPosition || of.token(position) != token {
			t.Errorf("%q is taken for position %q, whose token is %q", token, position, of.token(position))
		}
	})
}

// Whatever is filled in, a statement that is taken is one that a ledger would read, and is the same the second time.
func FuzzReadStatement(f *testing.F) {
	f.Add(`{"fleet":"fleet-a","epoch":11,"schema":"battery/v1","cohort":[],"claims":[],"disclose":["count"],"minimum_coverage":"50","grant":"g","purpose":"a loan"}`)
	f.Add(`{"version":"assay-statement/v1","expiry":"2030-01-01T00:00:00+02:00"}`)
	f.Add(`[]`)
	s := &Server{Options: Options{Organisation: "lender", Clock: func() time.Time { return time.Unix(1_700_000_000, 0) }}}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := readStatement(text)
		if err != nil || s.complete(q, "key") != nil {
			return
		}
		again, err := statement.Parse(q.Canonical())
		if err != nil || string(again.Canonical()) != string(q.Canonical()) {
			t.Errorf("%s is not what a ledger reads: %v", q.Canonical(), err)
		}
	})
}

// Keys are kept in bounds, and one that is running is never forgotten by its end.
func FuzzKeyTable(f *testing.F) {
	f.Add([]byte{1, 2, 3, 1, 200})
	f.Fuzz(func(t *testing.T, steps []byte) {
		now := time.Unix(0, 0)
		k := newKeyTable(func() time.Time { return now })
		for i, b := range steps {
			now = now.Add(time.Duration(b) * time.Minute)
			name := [32]byte{b % 7}
			if k.claim(name, [32]byte{b % 3}) {
				k.release(name, i%2 == 0)
			}
			if len(k.entries) != k.order.Len() || k.order.Len() > 7 {
				t.Fatalf("%d entries, %d in order", len(k.entries), k.order.Len())
			}
		}
	})
}
