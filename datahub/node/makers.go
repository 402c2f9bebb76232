package node

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// askMakers is how long the list of makers is believed when it lacks one, and how long a ledger that does not answer is left alone: unknown makers cannot
// make the node ask the ledger for every connection.
const askMakers = 2 * time.Second

func (d *devices) maker(ctx context.Context, id string) (*x509.Certificate, error) {
	if ca, _ := d.knownMaker(id); ca != nil {
		return ca, nil
	}
	if err := d.askForMaker(ctx, id); err != nil {
		return nil, err
	}
	ca, _ := d.knownMaker(id)
	if ca == nil {
		return nil, fmt.Errorf("maker %q is not registered on the ledger", id)
	}
	return ca, nil
}

func (d *devices) knownMaker(id string) (ca *x509.Certificate, asked time.Time) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.makers[id], d.asked
}

// askForMaker reads the makers, unless that was done just now. Those who come meanwhile wait for the same answer.
func (d *devices) askForMaker(ctx context.Context, id string) error {
	d.asking.Lock()
	defer d.asking.Unlock()
	ca, asked := d.knownMaker(id)
	if ca != nil || time.Since(asked) <= askMakers {
		return nil
	}
	return d.readMakers(ctx)
}

// readMakers takes over the ledger's makers. One whose certificate is no CA's is left out, and the others are not.
func (d *devices) readMakers(ctx context.Context) error {
	makers, err := d.book.Makers(ctx)
	found := map[string]*x509.Certificate{}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = time.Now()
	if err != nil {
		return fmt.Errorf("reading the makers: %w", err)
	}
	for _, m := range makers {
		ca, err := commit.ParseMakerCA(m.Certificate)
		if err == nil {
			found[m.ID] = ca
		} else if !d.broken[m.ID] {
			d.broken[m.ID] = true
			d.log.Warn("a maker on the ledger has no usable certificate: its devices cannot connect", "maker", m.ID, "error", err)
		}
	}
	d.makers = found
	return nil
}
