package audit

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Without the SRS the audit goes on: that is a failure, and so is each anchor, unless the auditor does without them.
func TestWithoutSRS(t *testing.T) {
	c := populated(t, consensusRaft)
	for name, source := range map[string]func(commit.Digest) (*commit.SRS, error){
		"none": nil, "not at hand": func(commit.Digest) (*commit.SRS, error) { return nil, errors.New("gone") },
	} {
		r := c.auditWith(func(config *Config) { config.SRS = source })
		if diff := cmp.Diff([]string{"3 srs", "10 attestations"}, failures(r)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s%v", name, diff, r.Findings)
		}
		if f := r.Failure(); !strings.Contains(f.Message, c.srs.Digest().String()) || r.Height != uint64(len(c.blocks)-1) || r.Counts.AnchorsUnchecked != 1 {
			t.Errorf("%s: %v, %+v", name, f, r.Counts)
		}
		r = c.auditWith(func(config *Config) { config.SRS, config.WithoutAttestations = source, true })
		if diff := cmp.Diff([]string{"3 srs"}, failures(r)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}

// A key that the contract would not have pinned brings no SRS into the audit, and what it writes is not taken unseen where there is no SRS.
func TestForgedKey(t *testing.T) {
	for _, srs := range []bool{true, false} {
		for name, change := range map[string]func(*channel, *proposal){
			"by another":   func(c *channel, p *proposal) { c.as(contracttest.Lender, p) },
			"other record": func(_ *channel, p *proposal) { p.public(func(s *kvrwset.KVRWSet) { s.Writes[0].Value = []byte("{}") }) },
		} {
			c := founded(t)
			p := c.call(contracttest.Regulator, ledger.FnPublishKey, contracttest.SRSKey(c.srs), nil)
			change(c, p)
			c.order(p, valid)
			c.cut()
			config := c.config()
			if !srs {
				config.SRS = nil
			}
			s, err := inMemory()
			if err != nil {
				t.Fatal(err)
			}
			a := &auditor{Config: &config, ctx: t.Context(), store: s, report: newReport(&config), keyed: map[string]bool{}}
			a.contract = newReplayer(a)
			if err := a.blocks(c.encoded()); err != nil {
				t.Fatal(err)
			}
			if got := failures(a.report); len(got) == 0 || got[len(got)-1] != "3 replay" || a.contract.env.SRS != nil {
				t.Errorf("%s: %v, SRS %v", name, a.report.Findings, a.contract.env.SRS != nil)
			}
		}
	}
}

// as lets another organisation's client make a proposal.
func (c *channel) as(org string, p *proposal) {
	q := c.propose(c.orgs[org].client, p.chaincode, p.args...)
	p.creator, p.header, p.txID = q.creator, q.header, q.txID
	if p.event != nil {
		p.event.TxId = q.txID
	}
}
