package localnet

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
)

func channelText(t *testing.T, c Consensus) string {
	t.Helper()
	o, err := Options{Consensus: c}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newState(&o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(object{"Orderer": ordererConfig(s), "Application": applicationConfig(s, &ledger.Genesis{Organisations: o.Organisations, Quorum: o.Quorum})})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestChannelConfiguration(t *testing.T) {
	const both = `AND('GreenBankMSP.`
	for consensus, wants := range map[Consensus][]string{
		Raft: {`"OrdererType":"etcdraft"`, `"V2_5":true`, `"BatchTimeout":"250ms"`, both + `peer','RegulatorMSP.peer')`, both + `admin','RegulatorMSP.admin')`},
		BFT:  {`"OrdererType":"BFT"`, `"RequestBatchMaxInterval":"250ms"`, `"ID":4`, "../ordering/orderers/orderer4/msp/signcerts/orderer4-cert.pem"},
	} {
		text := channelText(t, consensus)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in %s", consensus, want, text)
			}
		}
		if strings.Contains(text, `":"/`) {
			t.Errorf("%s: an absolute path in %s", consensus, text)
		}
	}
}

// TestSettings: no two processes share a port or a folder.
func TestSettings(t *testing.T) {
	n := &Network{layout("/net"), sampleState(t)}
	for i := range n.state.Organisations {
		n.state.Organisations[i].PackageID = "assay_1:00"
	}
	users := map[string]string{}
	for _, p := range n.programs() {
		for _, setting := range append(p.environment, p.command...) {
			_, value, _ := strings.Cut(setting, "=")
			if !strings.HasPrefix(value, host+":") && !strings.HasPrefix(value, "/net/peers/") && !strings.HasPrefix(value, "/net/orderers/") {
				continue
			}
			if other, taken := users[value]; taken && other != p.name {
				t.Errorf("%s and %s both have %s", other, p.name, value)
			}
			users[value] = p.name
		}
	}
	if len(n.programs()) != 10 || len(users) < 20 {
		t.Errorf("%d programs with %d settings of their own", len(n.programs()), len(users))
	}
}
