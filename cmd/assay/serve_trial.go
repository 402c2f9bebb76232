package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
)

// trial is a consortium in one folder, in which the node plays the regulator too.
type trial struct {
	*embedded.Ledger
	organisation     string // the owner's
	owner, regulator ledger.Book
	maker            node.TrialMaker
	log              *slog.Logger
}

// trialMaker is who makes the simulated devices of a trial.
const trialMaker = "trial-maker"

// openTrial opens the ledger of a trial, or founds it.
func openTrial(ctx context.Context, c *node.Config, keys *setup.Keys, log *slog.Logger) (*trial, error) {
	dir := c.Resolve(c.Ledger.Trial.Directory)
	opened, err := embedded.Open(dir, embedded.Options{SRS: keys.SRS()})
	if errors.Is(err, fs.ErrNotExist) {
		log.Info("founding a trial consortium", "directory", dir, "epoch", c.Ledger.Trial.Epoch)
		opened, err = embedded.Create(dir, trialGenesis(c.Ledger.Trial, time.Now()), embedded.Options{SRS: keys.SRS()})
	}
	if err != nil {
		return nil, fmt.Errorf("ledger.trial: %w", err)
	}
	t := &trial{Ledger: opened, log: log}
	if err := t.prepare(ctx, c, keys); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return t, nil
}

// trialGenesis is the demonstration's consortium with epochs in real time, counted from now.
func trialGenesis(t *node.Trial, now time.Time) ledger.Genesis {
	g := demoGenesis()
	seconds := int64(t.Epoch / time.Second)
	g.Name = "Assay trial"
	g.EpochZero, g.EpochSeconds, g.AnchorWindowSeconds = now.Unix()/seconds*seconds, seconds, int64(t.AnchorWindow/time.Second)
	g.ClockSkewSeconds = min(15, max(1, seconds/4))
	g.ProposalAgeSeconds = min(300, max(2, seconds))
	return g
}

// prepare does what a regulator does before a fleet can be enrolled, if it was not done yet.
func (t *trial) prepare(ctx context.Context, c *node.Config, keys *setup.Keys) error {
	owner, _, regulator, err := roles(t.Genesis())
	if err != nil {
		return err
	}
	t.organisation = owner
	if t.owner, err = t.Book(owner); err != nil {
		return err
	}
	if t.regulator, err = t.Book(regulator); err != nil {
		return err
	}
	if err := t.pin(ctx, c, keys); err != nil {
		return err
	}
	return t.registerMaker(ctx, filepath.Join(c.Data, "trial"))
}

func (t *trial) pin(ctx context.Context, c *node.Config, keys *setup.Keys) error {
	var sizes []int
	for i := range c.Fleets {
		if n := int(c.Fleets[i].ChunkSize); !slices.Contains(sizes, n) {
			sizes = append(sizes, n)
		}
	}
	wanted, err := keys.Published(sizes...)
	if err != nil {
		return err
	}
	published, err := pinKeys(ctx, t.regulator, wanted, func(commit.Digest, string) error { return nil })
	if len(published) > 0 {
		t.log.Warn("pinned verifying keys of an UNSAFE single-party setup", "keys", len(published))
	}
	return err
}

// registerMaker registers a maker whose CA stays in the trial's folder.
func (t *trial) registerMaker(ctx context.Context, dir string) error {
	t.maker = node.TrialMaker{Certificate: filepath.Join(dir, "maker.pem"), Key: filepath.Join(dir, "maker.key")}
	if _, err := os.Stat(t.maker.Certificate); errors.Is(err, fs.ErrNotExist) {
		if err := newMakerFiles(trialMaker, dir); err != nil {
			return err
		}
	}
	der, err := readCertificate(t.maker.Certificate)
	if err != nil {
		return err
	}
	makers, err := t.regulator.Makers(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(makers, func(m ledger.Maker) bool { return m.ID == trialMaker }); i >= 0 {
		if !bytes.Equal(makers[i].Certificate, der) {
			return cli.Usage("%s: the trial's ledger has another CA of maker %s, so no device of this one could connect: put its maker.pem and maker.key back, or begin a new trial in another data folder", dir, trialMaker)
		}
		return nil
	}
	_, err = t.regulator.RegisterMaker(ctx, ledger.RegisterMaker{ID: trialMaker, Name: "Maker of simulated devices", Certificate: der})
	return err
}

// newMakerFiles makes a maker's CA in two files: maker.pem, and maker.key for its owner alone. The certificate is written last, so that where it is the
// key is too.
func newMakerFiles(id, dir string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	maker, err := device.FoundMaker(id, key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, "maker.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, "maker.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: maker.Certificate()}))
}

func readCertificate(path string) ([]byte, error) {
	b, err := readFile(path, 64<<10)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		return nil, cli.Usage("%s: must be one certificate in PEM", path)
	}
	return block.Bytes, nil
}

// run opens every epoch in the regulator's name.
func (t *trial) run(ctx context.Context) error {
	return followEpochs(ctx, t.regulator, func(e ledger.EpochInfo) error {
		_, err := t.regulator.OpenEpoch(ctx)
		return err
	}, func(err error) { t.log.Warn("opening the epoch: will try again", "error", err) })
}
