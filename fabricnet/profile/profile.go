// Package profile reads and writes an organisation's connection profile: where its own peer listens, which certificate its client presents, and which
// consortium it believes in.
//
// A profile is a JSON file. It holds no secret: keys are named by path, and the key of the client identity may be missing where a vault or a
// hardware module signs. A relative path counts from the profile's folder, so that a folder of profiles and certificates can be moved.
//
// [Read] holds every field to a form and a bound and names the one that fails. It does not open the files that a profile names; whoever uses one
// finds out then. It does not know whether the genesis is the right consortium's either: compare its digest with one obtained in another way.
package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// Version is the only value of Profile.Version.
	Version = "assay-profile/v1"
	// DefaultChannel and DefaultChaincode are what networks use that have no reason for other names.
	DefaultChannel   = "assay"
	DefaultChaincode = "assay"
	// MaxBytes bounds a profile's file.
	MaxBytes = 64 << 10
)

// Profile is one organisation's way to a network.
type Profile struct {
	// Version is Version.
	Version string `json:"version"`
	// Organisation is the organisation's id in the genesis, MSPID the name of its membership provider on the channel.
	Organisation string `json:"organisation"`
	MSPID        string `json:"msp_id"`
	Channel      string `json:"channel"`
	Chaincode    string `json:"chaincode"`
	// Peer is the organisation's own peer, whose gateway service the client uses.
	Peer Endpoint `json:"peer"`
	// Certificate is the path of the client identity's certificate, PEM.
	Certificate string `json:"certificate"`
	// Key is the path of its key, PKCS#8 in PEM, on P-256. It is empty where something else signs.
	Key string `json:"key"`
	// Genesis is the path of the consortium's genesis, in its canonical form.
	Genesis string `json:"genesis"`
	// ChannelGenesis is the path of the channel's genesis block: the root of trust of who an organisation's members are.
	ChannelGenesis string `json:"channel_genesis"`
	// OrganisationKey is the path of the organisation's Ed25519 key, PKCS#8 in PEM. It signs trust exports and audit reports.
	OrganisationKey string `json:"organisation_key,omitempty"`
	// Consent is the path of the contract service's consent list, Attestations of its attestation store, where this machine runs the service.
	Consent      string `json:"consent,omitempty"`
	Attestations string `json:"attestations,omitempty"`
}

// Endpoint is a TLS server.
type Endpoint struct {
	// Address is host:port.
	Address string `json:"address"`
	// ServerName is the name that the server's certificate must be for. Empty means the address's host.
	ServerName string `json:"server_name"`
	// TLSRoots is the path of the certificates, PEM, one of which the server's must descend from.
	TLSRoots string `json:"tls_roots"`
}

// Read reads and checks a profile, and makes its paths absolute or relative to the working directory, as path is.
func Read(path string) (*Profile, error) {
	b, err := durable.ReadFile(path, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("reading profile: %w", err)
	}
	p, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("reading profile %s: %w", path, err)
	}
	p.resolve(filepath.Dir(path))
	return p, nil
}

// ReadGenesis reads and checks the genesis that the profile names, and that the organisation is in it.
func (p *Profile) ReadGenesis() (*ledger.Genesis, error) {
	b, err := durable.ReadFile(p.Genesis, ledger.MaxGenesis)
	if err != nil {
		return nil, fmt.Errorf("reading genesis: %w", err)
	}
	g, err := ledger.ParseGenesis(b)
	if err != nil {
		return nil, fmt.Errorf("reading genesis %s: %w", p.Genesis, err)
	}
	if _, ok := g.Organisation(p.Organisation); !ok {
		return nil, fmt.Errorf("reading genesis %s: the profile's organisation %q is not in it", p.Genesis, p.Organisation)
	}
	return g, nil
}

// Write checks the profile and writes it durably, replacing what was there. Paths are written as they are: relative ones must count from the new
// file's folder.
func (p *Profile) Write(path string) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("writing profile %s: %w", path, err)
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("writing profile %s: %w", path, err)
	}
	if err := durable.WriteFile(path, append(b, '\n')); err != nil {
		return fmt.Errorf("writing profile: %w", err)
	}
	return nil
}

func parse(b []byte) (*Profile, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	p := new(Profile)
	if err := d.Decode(p); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the profile")
	}
	return p, p.Check()
}

// paths are the fields that name files.
func (p *Profile) paths() []*string {
	return []*string{
		&p.Peer.TLSRoots, &p.Certificate, &p.Key, &p.Genesis, &p.ChannelGenesis, &p.OrganisationKey, &p.Consent, &p.Attestations,
	}
}

func (p *Profile) resolve(dir string) {
	for _, path := range p.paths() {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
}
