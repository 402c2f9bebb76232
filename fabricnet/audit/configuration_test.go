package audit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// One orderer's key seals any configuration, with other authorities for everybody, and then speaks for them all.
func TestForgedConfiguration(t *testing.T) {
	c := founded(t)
	for id, a := range c.orgs {
		c.orgs[id] = newAuthority(a.mspID)
	}
	c.configure(nil)
	maker := contracttest.NewMaker("evil-maker")
	c.submit(contracttest.Regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: maker.ID, Name: "Evil", Certificate: maker.Cert.Raw}, nil)
	r := c.audit()
	if diff := cmp.Diff([]string{"3 configuration"}, failures(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f := r.Failure(); f == nil || !strings.Contains(f.Message, mustDecode(marshal(c.blocks[3])).hash.String()) {
		t.Errorf("the block to accept is not named: %v", f)
	}
}

// A configuration that the auditor accepts is noted, with the organisations whose authorities it changes, and what comes after is held to it.
func TestAcceptedConfiguration(t *testing.T) {
	c := founded(t)
	c.orgs[contracttest.Rival] = newAuthority(contracttest.Rival)
	c.configure(nil)
	hash := mustDecode(marshal(c.blocks[3])).hash
	c.order(c.call(contracttest.Rival, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "a", Schema: contracttest.Schema, ChunkSize: 64}, nil), valid)
	c.cut()
	accept := func(config *Config) { config.AcceptConfigurations = []commit.Digest{{1}, hash} }
	r := c.auditWith(accept)
	if !r.Sound || len(r.Findings) != 2 || r.Findings[0].Kind != Configuration || !strings.Contains(r.Findings[1].Message, "for "+contracttest.Rival+":") {
		t.Fatal(r.Findings)
	}
	if diff := cmp.Diff([]commit.Digest{hash}, r.Accepted); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	c.configure(nil) // the same again, in a block that is not accepted
	if diff := cmp.Diff([]string{"5 configuration"}, failures(c.auditWith(accept))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.sequence = 1
	c.configure(nil)
	if diff := cmp.Diff([]string{"5 configuration", fmt.Sprintf("%d damage", len(c.blocks)-1)}, failures(c.auditWith(accept))); diff != "" {
		t.Errorf("the same sequence again (-want +got):\n%s", diff)
	}
}
