package audit

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	terms "github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// pooled are the owners of a channel with queries, each with a fleet of two devices whose epoch 101 is closed.
var pooled = []string{contracttest.Operator, contracttest.Rival, "third"}

func pooling(t testing.TB) *channel {
	g := contracttest.Genesis()
	g.Organisations = append(g.Organisations, ledger.Organisation{ID: "third", Name: "Third", Roles: []ledger.Role{ledger.RoleOwner}})
	c := newChannelOf(t, consensusRaft, g)
	c.order(c.define(contractName, c.peersOf(contracttest.Regulator, contracttest.Lender)), peer.TxValidationCode_VALID)
	c.cut()
	c.submit(contracttest.Regulator, ledger.FnFound, c.genesis, nil)
	c.submit(contracttest.Regulator, ledger.FnPublishKey, contracttest.SRSKey(c.srs), nil)
	maker := contracttest.NewMaker("maker-1")
	c.submit(contracttest.Regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}, nil)
	c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 100}, nil)
	devices := map[string][]contracttest.Device{}
	for _, owner := range pooled {
		fleet := "fleet-" + owner
		devices[owner] = maker.Devices(owner, 2)
		c.submit(owner, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: fleet, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}, nil)
		c.submit(owner, ledger.FnEnrol, contracttest.Enrolment(c.id, fleet, 0, 0, devices[owner]), nil)
		c.submit(owner, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()}, nil)
		given := contracttest.Terms(fleet)
		given.MinimumCohort, given.Actions = 2, []terms.Action{terms.Aggregate, terms.Score}
		c.submit(owner, ledger.FnGrant, ledger.Grant{Terms: given}, nil)
	}
	for _, epoch := range []uint64{101, 102} {
		c.now += c.genesis.EpochSeconds
		c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: epoch}, nil)
	}
	for _, owner := range pooled {
		place := commit.ChunkPlace{Ledger: c.id, SRS: c.srs.Digest(), Fleet: "fleet-" + owner, Size: contracttest.ChunkSize, Epoch: 101}
		var list [][]byte
		for i, d := range devices[owner] {
			list = append(list, contracttest.Attest(c.srs, place, uint32(i), d))
		}
		c.submit(owner, ledger.FnAnchor, contracttest.Anchor(place, list), ledger.JoinAttestations(list))
		c.submit(contracttest.Lender, ledger.FnSettle, ledger.EpochRef{Fleet: place.Fleet, Epoch: 101}, nil)
	}
	return c
}

// begun asks, has all owners approve, and begins. It returns the session and the anchors by owner.
func (c *channel) begun(q *ledger.Query) (commit.Digest, map[string]ledger.AnchorReference) {
	c.t.Helper()
	for i, owner := range pooled {
		if i == 0 || q.Kind == ledger.QueryFederated {
			q.Parts = append(q.Parts, ledger.QueryPart{Fleet: "fleet-" + owner, Grant: contracttest.GrantID})
		}
	}
	c.submit(contracttest.Lender, ledger.FnAsk, ledger.AskQuery{Query: *q}, nil)
	id, anchors := q.ID(c.id), map[string]ledger.AnchorReference{}
	for i := range q.Parts {
		p := c.submit(pooled[i], ledger.FnAnswer, ledger.Answer{Query: id, Fleet: q.Parts[i].Fleet, Approve: true}, nil)
		a, err := ledger.Decode[ledger.QueryAnswer]("answer", p.response.Payload, ledger.MaxRecord)
		if err != nil {
			c.t.Fatal(err)
		}
		anchors[pooled[i]] = a.Settled.Anchors
	}
	p := c.submit(contracttest.Lender, ledger.FnBegin, ledger.QueryRef{Query: id}, nil)
	return ledger.SessionID(id, p.txID), anchors
}

func (c *channel) newQuery(kind ledger.QueryKind) *ledger.Query {
	q := &ledger.Query{
		Version: ledger.QueryVersion, Kind: kind, Requester: contracttest.Lender, Schema: contracttest.Schema, Epoch: 101, Purpose: contracttest.Purpose, MinimumCohort: 2,
		Parameters: "assay-1", Nonce: fmt.Sprintf("%032x", len(c.blocks)), Expiry: c.now + 3600,
	}
	if kind == ledger.QueryScore {
		q.Features, q.Degree = []ledger.Feature{{Lane: "age_days", Lo: "0", Hi: "100"}}, 1
		return q
	}
	q.Totals, q.Regulator, q.Threshold, q.InputSeconds = []string{terms.TotalCount}, contracttest.Regulator, 2, 60
	return q
}

// answered takes a query and a score to their results.
func (c *channel) answered() {
	post := func(session commit.Digest, round ledger.Round, detail []byte, parties ...string) {
		for _, party := range parties {
			p := ledger.Post{Session: session, Round: round, Digest: commit.Digest{1}, Detail: detail}
			if round == ledger.RoundClose {
				p.Digest = commit.Digest{}
			}
			c.submit(party, ledger.FnPost, p, nil)
		}
	}
	s, anchors := c.begun(c.newQuery(ledger.QueryFederated))
	everyone := append([]string{contracttest.Lender, contracttest.Regulator}, pooled...)
	post(s, ledger.RoundKey, nil, everyone...)
	post(s, ledger.RoundKey, nil, pooled[0]) // the same again
	post(s, ledger.RoundReady, nil, everyone...)
	for _, owner := range pooled {
		post(s, ledger.RoundInput, ledger.Encode(anchors[owner]), owner)
	}
	post(s, ledger.RoundClose, nil, contracttest.Lender)
	post(s, ledger.RoundActivate, []byte{1, 2}, contracttest.Lender)
	post(s, ledger.RoundShare, nil, pooled[0], pooled[1], contracttest.Regulator)
	post(s, ledger.RoundResult, nil, contracttest.Lender)
	s, _ = c.begun(c.newQuery(ledger.QueryScore))
	post(s, ledger.RoundRequest, nil, contracttest.Lender)
	post(s, ledger.RoundAnswer, nil, pooled[0])
	post(s, ledger.RoundResult, nil, contracttest.Lender)
}

// What was asked, approved and posted is replayed as everything else.
func TestQueries(t *testing.T) {
	c := pooling(t)
	c.answered()
	r := c.audit()
	if !r.Sound || len(r.Findings) != 0 {
		t.Fatal(r.Findings)
	}
	for function, want := range map[string]uint64{ledger.FnAsk: 2, ledger.FnAnswer: 4, ledger.FnBegin: 2, ledger.FnPost: 23} {
		if got := r.Counts.Calls[function]; got != want {
			t.Errorf("%d calls of %s, want %d", got, function, want)
		}
	}
}

// Endorsers who sign that an entry is another, or comes out of turn, are found.
func TestForgedEntries(t *testing.T) {
	for name, change := range map[string]func(*proposal){
		"another digest": func(p *proposal) {
			p.public(func(s *kvrwset.KVRWSet) { s.Writes[0].Value = append([]byte(nil), s.Writes[0].Value[1:]...) })
		},
		"another round": func(p *proposal) {
			p.args[2] = ledger.Encode(ledger.Post{Round: ledger.RoundReady, Digest: commit.Digest{1}})
		},
	} {
		c := pooling(t)
		s, _ := c.begun(c.newQuery(ledger.QueryFederated))
		p := c.call(pooled[0], ledger.FnPost, ledger.Post{Session: s, Round: ledger.RoundKey, Digest: commit.Digest{1}}, nil)
		change(p)
		c.order(p, valid)
		c.cut()
		if diff := cmp.Diff([]string{fmt.Sprintf("%d %s", len(c.blocks)-1, Replay)}, failures(c.audit())); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}
