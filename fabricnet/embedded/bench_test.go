package embedded

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// BenchmarkAssess decides about a request on a ledger with a thousand grants, as an owner's node asks before it approves.
func BenchmarkAssess(b *testing.B) {
	g := contracttest.Genesis()
	now := g.EpochStart(12).Add(time.Hour)
	l, err := Create(b.TempDir(), g, Options{Clock: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a temporary ledger
	books := map[string]ledger.Book{}
	for _, org := range []string{operator, lender} {
		if books[org], err = l.Book(org); err != nil {
			b.Fatal(err)
		}
	}
	ctx := context.Background()
	if _, err := books[operator].RegisterFleet(ctx, fleetArgs(fleetID)); err != nil {
		b.Fatal(err)
	}
	if _, _, err := books[operator].PublishPolicy(ctx, contracttest.PermissivePolicy()); err != nil {
		b.Fatal(err)
	}
	if err := manyGrants(ctx, books[operator], 1000); err != nil {
		b.Fatal(err)
	}
	s := contracttest.Statement(fleetID, 11, 1, now.Add(time.Hour))
	s.Grant = "grant-500"
	id, _, err := books[lender].Request(ctx, s)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		assessed(b, books[operator], id)
	}
}

func assessed(b *testing.B, book ledger.Book, id commit.Digest) {
	a, err := book.Assess(context.Background(), id)
	if err != nil || !a.Allowed {
		b.Fatalf("%+v, %v", a, err)
	}
}

// manyGrants makes grants, many at a time so that they share blocks.
func manyGrants(ctx context.Context, book ledger.Book, count int) error {
	errs := make([]error, count)
	var group sync.WaitGroup
	free := make(chan struct{}, 64)
	for i := range count {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			terms := contracttest.Terms(fleetID)
			terms.ID = fmt.Sprintf("grant-%d", i)
			_, errs[i] = book.Grant(ctx, terms)
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
