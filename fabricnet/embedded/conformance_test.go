package embedded

import (
	"crypto"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/ledgertest"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
)

// consents are what all organisations agree to.
type consents struct{ listed sync.Map }

func (c *consents) asked(_ string, digest commit.Digest) error {
	if _, ok := c.listed.Load(digest); !ok {
		return ledger.Refuse(ledger.NotEndorsed, "%s is not agreed to", digest)
	}
	return nil
}

func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a second")
	}
	var clock atomic.Int64
	start := contracttest.Genesis()
	clock.Store(start.EpochStart(10).Add(12 * time.Hour).Unix())
	now := func() time.Time { return time.Unix(clock.Load(), 0).UTC() }
	agreed := &consents{}
	keys := ok[*setup.Unsafe](t)(setup.UnsafeSingleParty("", func(step string) { t.Log(step) }))
	attributes := map[string]map[string]string{contracttest.Lender: {contract.AttributeName: "loans", "department": "credit"}}
	l, err := Create(t.TempDir(), start, Options{Clock: now, SRS: keys.SRS(), Agree: agreed.asked, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	suite := ledgertest.Ledger{
		Genesis: l.Genesis(), SRS: keys.SRS(), Keys: keys, Now: now,
		Until: func(_ *testing.T, at time.Time) { clock.Store(max(clock.Load(), at.Unix())) },
		Client: func(_ *testing.T, org string, endorsers ...string) (ledger.Client, error) {
			return l.Client(org, endorsers...)
		},
		Agree:  func(_ *testing.T, digest commit.Digest) { agreed.listed.Store(digest, true) },
		Signer: func(t *testing.T, org string) crypto.Signer { return ok[crypto.Signer](t)(l.Signer(org)) },
		Attestations: func(_ *testing.T, org string, root commit.Digest) ([][]byte, error) {
			return l.Attestations(org, root)
		},
		Blocks: l.showBlocks,
	}
	// Names are random: the second run is beside what the first left.
	for range 2 {
		ledgertest.Run(t, suite)
	}
	if _, err := l.Verify(); err != nil {
		t.Error(err)
	}
}

func (l *Ledger) showBlocks(t *testing.T, from, to uint64, see func([]byte)) {
	t.Helper()
	if err := l.db.View(func(tx *bbolt.Tx) error {
		for height := from; height <= to; height++ {
			see(tx.Bucket(bucketBlocks).Get(heightKey(height)))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
