package embedded

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/ledgertest"
	"github.com/assay-net/assay/zk/commit"
)

func TestQueries(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a second")
	}
	start := contracttest.Genesis()
	start.Organisations = append(start.Organisations, ledger.Organisation{ID: "third", Name: "Third", Roles: []ledger.Role{ledger.RoleOwner}})
	var clock atomic.Int64
	clock.Store(start.EpochStart(10).Add(12 * time.Hour).Unix())
	now := func() time.Time { return time.Unix(clock.Load(), 0).UTC() }
	srs, agreed := contracttest.SRS(), &consents{}
	l, err := Create(t.TempDir(), start, Options{Clock: now, SRS: srs, Agree: agreed.asked})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	suite := ledgertest.Ledger{
		Genesis: l.Genesis(), SRS: srs, Now: now,
		Until: func(_ *testing.T, at time.Time) { clock.Store(max(clock.Load(), at.Unix())) },
		Client: func(_ *testing.T, org string, endorsers ...string) (ledger.Client, error) {
			return l.Client(org, endorsers...)
		},
		Agree: func(_ *testing.T, digest commit.Digest) { agreed.listed.Store(digest, true) },
	}
	ledgertest.RunQueries(t, suite)
	if _, err := l.Verify(); err != nil {
		t.Error(err)
	}
}
