package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/profile"
)

// A configuration is checked against what its organisation is in the consortium, before anything is asked of the ledger.
func TestCheckOfAConfiguration(t *testing.T) {
	dir := t.TempDir()
	g := contracttest.WithKeys(contracttest.Genesis())
	if err := os.WriteFile(filepath.Join(dir, "genesis.json"), g.Canonical(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, org := range []string{contracttest.Operator, contracttest.Lender, "stranger"} {
		p := profile.Profile{
			Version: profile.Version, Organisation: org, MSPID: org, Channel: profile.DefaultChannel, Chaincode: profile.DefaultChaincode,
			Peer:        profile.Endpoint{Address: "127.0.0.1:7051", TLSRoots: "roots.pem"},
			Certificate: "user.pem", Genesis: "genesis.json", ChannelGenesis: "channel.block", OrganisationKey: "org.key",
		}
		if err := p.Write(filepath.Join(dir, org+".json")); err != nil {
			t.Fatal(err)
		}
	}
	const fleet = `fleets: [{id: fleet-a, schema: charger/v1}]`
	for name, test := range map[string]struct{ org, more, reason string }{
		"an owner without fleets": {contracttest.Operator, "", "fleets: there are none, and organisation operator is an owner"},
		"a lender with a fleet":   {contracttest.Lender, fleet, "fleets: organisation lender is no owner"},
		"a stranger":              {"stranger", "", `"stranger" is not in it`},
		"no profile":              {"nobody", "", "nobody.json"},
		"no block of the channel": {contracttest.Lender, "", "channel.block"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := node.ParseConfig(fmt.Appendf(nil, "data: %s\nledger: {profile: %s.json}\n%s\n", dir, test.org, test.more))
			if err != nil {
				t.Fatal(err)
			}
			if err := checkConfig(c); err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v, want %q", err, test.reason)
			}
		})
	}
}
