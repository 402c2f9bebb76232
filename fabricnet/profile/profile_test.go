package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func good() *Profile {
	return &Profile{
		Version: Version, Organisation: "operator", MSPID: "OperatorMSP", Channel: DefaultChannel, Chaincode: DefaultChaincode,
		Peer:        Endpoint{Address: "127.0.0.1:7051", ServerName: "peer.operator.example", TLSRoots: "../orgs/tls.pem"},
		Certificate: "cert.pem", Key: "/secret/key.pem", Genesis: "../genesis.json", ChannelGenesis: "../channel.block",
	}
}

func TestPathsCountFromTheProfile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "profiles", "operator.json")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := good().Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := good()
	want.Peer.TLSRoots, want.Certificate = filepath.Join(dir, "orgs", "tls.pem"), filepath.Join(dir, "profiles", "cert.pem")
	want.Genesis, want.ChannelGenesis = filepath.Join(dir, "genesis.json"), filepath.Join(dir, "channel.block")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFieldsAreNamed(t *testing.T) {
	for field, change := range map[string]func(*Profile){
		"version":          func(p *Profile) { p.Version = "assay-profile/v2" },
		"organisation":     func(p *Profile) { p.Organisation = "Operator" },
		"msp_id":           func(p *Profile) { p.MSPID = "" },
		"channel":          func(p *Profile) { p.Channel = "Assay" },
		"chaincode":        func(p *Profile) { p.Chaincode = "a/b" },
		"peer.address":     func(p *Profile) { p.Peer.Address = "127.0.0.1" },
		"port":             func(p *Profile) { p.Peer.Address = "127.0.0.1:0" },
		"peer.server_name": func(p *Profile) { p.Peer.ServerName = "a b" },
		"peer.tls_roots":   func(p *Profile) { p.Peer.TLSRoots = "" },
		"certificate":      func(p *Profile) { p.Certificate = "" },
		"key":              func(p *Profile) { p.Key = "a\x00" },
		"genesis":          func(p *Profile) { p.Genesis = strings.Repeat("a", maxPath+1) },
		"channel_genesis":  func(p *Profile) { p.ChannelGenesis = "" },
		"organisation_key": func(p *Profile) { p.OrganisationKey = "\x00" },
		"consent":          func(p *Profile) { p.Consent = "\x00" },
		"attestations":     func(p *Profile) { p.Attestations = "\x00" },
	} {
		t.Run(field, func(t *testing.T) {
			p := good()
			change(p)
			if err := p.Check(); err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("got %v", err)
			}
			if err := p.Write(filepath.Join(t.TempDir(), "p.json")); err == nil {
				t.Error("it is written")
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.json")
	if err := good().Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"unknown field": strings.Replace(string(b), `"version"`, `"versions": 1, "version"`, 1),
		"trailing data": string(b) + "{}",
		"too long":      string(b) + strings.Repeat(" ", MaxBytes),
		"empty":         "",
		"wrong type":    strings.Replace(string(b), `"assay-profile/v1"`, "1", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(path); err == nil {
				t.Error("it is read")
			}
		})
	}
}

func TestReadGenesis(t *testing.T) {
	p, g := good(), contracttest.WithKeys(contracttest.Genesis())
	p.Genesis = filepath.Join(t.TempDir(), "genesis.json")
	if err := os.WriteFile(p.Genesis, g.Canonical(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := p.ReadGenesis()
	if err != nil || got.ID() != g.ID() {
		t.Fatalf("got %v, %v", got, err)
	}
	p.Organisation = "stranger"
	if _, err := p.ReadGenesis(); err == nil {
		t.Error("a stranger reads it")
	}
	if err := os.WriteFile(p.Genesis, make([]byte, ledger.MaxGenesis+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ReadGenesis(); err == nil {
		t.Error("too long a genesis is read")
	}
}

func FuzzParse(f *testing.F) {
	path := filepath.Join(f.TempDir(), "p.json")
	if err := good().Write(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":"assay-profile/v1","peer":{"address":"[::1]:1"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			return
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	})
}
