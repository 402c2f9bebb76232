package systemtest

import (
	"context"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// faultFleet is a fleet of the owner's with one chunk of a few devices.
type faultFleet struct {
	net     *faultNetwork
	fleet   string
	maker   *contracttest.Maker
	devices []contracttest.Device
	// from is the first epoch that the devices attest in.
	from uint64
}

// enrol registers a maker, pins the SRS and enrols devices.
func (n *faultNetwork) enrol(t *testing.T) *faultFleet {
	t.Helper()
	w := &faultFleet{net: n, fleet: "anchored", maker: contracttest.NewMaker("maker")}
	w.devices = w.maker.Devices("device", 4)
	srs := contracttest.SRSKey(contracttest.SRS())
	maker := ledger.RegisterMaker{ID: w.maker.ID, Name: "Maker", Certificate: w.maker.Cert.Raw}
	n.consent(t, maker.Digest(), srs.Digest)
	if _, err := n.book(faultRegulator).RegisterMaker(t.Context(), maker); err != nil {
		t.Fatal(err)
	}
	if _, err := n.book(faultRegulator).PublishKey(t.Context(), srs); err != nil {
		t.Fatal(err)
	}
	if _, err := n.book(faultOwner).RegisterFleet(t.Context(), plainFleet(w.fleet)); err != nil {
		t.Fatal(err)
	}
	n.inOpenEpoch(t, "enrolling devices", func(ctx context.Context, epoch uint64) error {
		w.from = epoch + 1
		_, err := n.book(faultOwner).Enrol(ctx, contracttest.Enrolment(n.genesis.ID(), w.fleet, 0, 0, w.devices))
		return err
	})
	return w
}

// consent has every organisation agree to digests.
func (n *faultNetwork) consent(t *testing.T, digests ...commit.Digest) {
	t.Helper()
	for org, p := range n.profiles {
		for _, d := range digests {
			if err := (consent.List{Path: p.Consent}).Add(d, "a test's"); err != nil {
				t.Fatalf("consent of %s: %v", org, err)
			}
		}
	}
}

// inOpenEpoch does something in an epoch that has been opened, and again if the epoch ended meanwhile.
func (n *faultNetwork) inOpenEpoch(t *testing.T, what string, do func(ctx context.Context, epoch uint64) error) {
	t.Helper()
	eventually(t, what, func(ctx context.Context) error {
		epoch, err := n.book(faultRegulator).OpenEpoch(ctx)
		if err != nil {
			return err
		}
		if err := do(ctx, epoch); ledger.CodeOf(err) != ledger.Expired && err != nil {
			t.Fatalf("%s: %v", what, err)
		} else if err != nil {
			return err
		}
		return nil
	})
}

// openNext opens an epoch after a given one, at whose end at the latest it waits.
func (n *faultNetwork) openNext(t *testing.T, after uint64) uint64 {
	t.Helper()
	// Every peer's clock is this machine's.
	waitUntil(t, n.genesis.EpochStart(after+1))
	epoch, err := n.book(faultRegulator).OpenEpoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return epoch
}

// inWindow opens a new epoch and does something about the anchors of the one before, again in the next if the window was over too soon.
func (w *faultFleet) inWindow(t *testing.T, do func(over uint64) error) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		now, err := w.net.genesis.EpochAt(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		over := w.net.openNext(t, max(now, w.from)) - 1
		if err = do(over); err == nil {
			return
		}
		if attempt == 4 || time.Now().Before(w.net.genesis.AnchorDeadline(over)) {
			t.Fatal(err)
		}
		t.Logf("the window of epoch %d was over too soon: %v", over, err)
	}
}

// anchor has the devices attest to an epoch.
func (w *faultFleet) anchor(t *testing.T, epoch uint64) (ledger.AnchorChunk, [][]byte) {
	t.Helper()
	place := commit.ChunkPlace{
		Ledger: w.net.genesis.ID(), SRS: contracttest.SRS().Digest(), Fleet: w.fleet, Size: contracttest.ChunkSize, Epoch: epoch,
	}
	var attestations [][]byte
	for slot, d := range w.devices {
		attestations = append(attestations, contracttest.Attest(contracttest.SRS(), place, uint32(slot), d))
	}
	return contracttest.Anchor(place, attestations), attestations
}
