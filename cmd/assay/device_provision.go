package main

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// provisioned is what simulated devices know of a node.
type provisioned struct {
	node.Provision
	dir    string
	roots  *x509.CertPool
	key    *commit.PublicKey
	schema *record.Schema
}

func readProvision(path string) (*provisioned, error) {
	b, err := readFile(path, 256<<10)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	p := &provisioned{dir: filepath.Dir(path), roots: x509.NewCertPool()}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p.Provision); err != nil {
		return nil, cli.Usage("%s: %w", path, err)
	}
	if p.Version != node.ProvisionVersion {
		return nil, cli.Usage("%s: version %q is not %q", path, p.Version, node.ProvisionVersion)
	}
	if !p.roots.AppendCertsFromPEM([]byte(p.Roots)) {
		return nil, cli.Usage("%s: roots hold no certificate", path)
	}
	if p.schema, err = record.Lookup(p.Schema); err != nil {
		return nil, cli.Usage("%s: %w", path, err)
	}
	if err := p.readOrganisation(); err != nil {
		return nil, cli.Usage("%s: organisation: %w", path, err)
	}
	if err := p.checkGenesis(); err != nil {
		return nil, cli.Usage("%s: %w", path, err)
	}
	return p, nil
}

// checkGenesis holds the genesis, by which devices know when epochs end, against the ledger's id.
func (p *provisioned) checkGenesis() error {
	if p.Genesis == nil {
		return errors.New("genesis is missing")
	}
	if err := p.Genesis.Check(); err != nil {
		return err
	}
	if p.Genesis.ID() != p.Ledger {
		return fmt.Errorf("genesis: is that of ledger %s, not of %s", p.Genesis.ID(), p.Ledger)
	}
	return nil
}

func (p *provisioned) readOrganisation() error {
	if p.Organisation == "" {
		return nil
	}
	der, err := hex.DecodeString(p.Organisation)
	if err != nil {
		return err
	}
	key, err := commit.ParsePublicKey(der)
	p.key = &key
	return err
}

// maker opens the CA in a directory, or else that of the node's trial.
func (p *provisioned) maker(dir string) (*device.Maker, error) {
	certificate, key := filepath.Join(dir, "maker.pem"), filepath.Join(dir, "maker.key")
	if dir == "" {
		if p.TrialMaker == nil {
			return nil, cli.Usage("the node is no trial and has no maker of simulated devices: give one with --maker")
		}
		certificate, key = p.find(p.TrialMaker.Certificate), p.find(p.TrialMaker.Key)
	}
	der, err := readCertificate(certificate)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	signer, err := agent.ReadKey(key)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	return device.OpenMaker(der, signer)
}

// find takes a path of the node's as seen from here: the node may have been started elsewhere.
func (p *provisioned) find(path string) string {
	beside := filepath.Join(p.dir, "trial", filepath.Base(path))
	if _, err := os.Stat(path); err == nil || filepath.IsAbs(path) {
		return path
	}
	return beside
}

// srsOnce finds the powers of tau for all devices once.
func srsOnce(path string) func(commit.Digest) (*commit.SRS, error) {
	var mu sync.Mutex
	found := map[commit.Digest]*commit.SRS{}
	return func(digest commit.Digest) (*commit.SRS, error) {
		mu.Lock()
		defer mu.Unlock()
		if srs := found[digest]; srs != nil {
			return srs, nil
		}
		srs, err := (&auditCall{srs: path}).findSRS(digest)
		if err != nil {
			return nil, fmt.Errorf("powers of tau %s: %w", digest, err)
		}
		found[digest] = srs
		return srs, nil
	}
}
