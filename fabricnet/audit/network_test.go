package audit_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

func TestMain(m *testing.M) { os.Exit(networktest.Main(m)) }

const (
	owner     = "swapco"
	lender    = "greenbank"
	regulator = "regulator"
	// marked is in the arguments of one transaction and nowhere else.
	marked = "to-be-tampered-with"
)

// network is a network with everybody's client.
type network struct {
	*networktest.Network
	t        *testing.T
	srs      *commit.SRS
	profiles map[string]*profile.Profile
	books    map[string]ledger.Book
}

func up(t *testing.T, flags ...string) *network {
	n := &network{t: t, srs: contracttest.SRS(), profiles: map[string]*profile.Profile{}, books: map[string]ledger.Book{}}
	n.Network = networktest.Up(t, append([]string{
		"--srs", networktest.WriteSRS(t, n.srs), "--epoch", "10s", "--anchor-window", "9s", "--clock-skew", "2s", "--proposal-age", "2s", "--batch-timeout", "100ms",
	}, flags...)...)
	n.open()
	return n
}

func (n *network) open() {
	for org, path := range n.Profiles {
		p, err := profile.Read(path)
		if err != nil {
			n.t.Fatal(err)
		}
		client, err := gateway.Open(n.t.Context(), gateway.Options{Profile: p})
		if err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(func() { client.Close() }) //nolint:errcheck // nothing is under way
		n.profiles[org], n.books[org] = p, client.Book()
	}
}

func (n *network) must(_ any, err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *network) agree(digest commit.Digest) {
	for _, p := range n.profiles {
		n.must(nil, (consent.List{Path: p.Consent}).Add(digest, "a test's"))
	}
}

// populate lets everybody do what there is to do, some of it at the same time, so that transactions conflict.
func (n *network) populate() {
	ctx := n.t.Context()
	key, maker := contracttest.SRSKey(n.srs), contracttest.NewMaker("maker-1")
	n.agree(key.Digest)
	n.must(n.books[regulator].PublishKey(ctx, key))
	n.register(maker)
	devices := maker.Devices("s", 60)
	epoch := n.enrol(contracttest.Enrolment(n.books[owner].ID(), "fleet-1", 0, 0, devices))
	n.anchor(epoch+1, devices)
	n.must(n.books[owner].RegisterFleet(ctx, ledger.RegisterFleet{ID: marked, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))
	terms := n.grant()
	s := contracttest.Statement("fleet-1", epoch+1, 1, time.Now().Add(time.Hour).Truncate(time.Second))
	s.Requester = lender
	id, _, err := n.books[lender].Request(ctx, s)
	n.must(nil, err)
	n.must(n.books[owner].Decide(ctx, ledger.Decide{Request: id, Reasons: []string{"no"}}))
	n.givesUp(epoch+1, terms)
}

// grant has the owner grant something.
func (n *network) grant() policy.Terms {
	ctx, terms := n.t.Context(), contracttest.Terms("fleet-1")
	terms.Grantee = lender
	_, _, err := n.books[owner].PublishPolicy(ctx, contracttest.PermissivePolicy())
	n.must(nil, err)
	n.must(n.books[owner].Grant(ctx, terms))
	return terms
}

// givesUp has the owner approve something under its grant, and give up.
func (n *network) givesUp(epoch uint64, terms policy.Terms) {
	ctx := n.t.Context()
	s := contracttest.Statement("fleet-1", epoch, 2, time.Now().Add(time.Hour).Truncate(time.Second))
	s.Requester = lender
	id, _, err := n.books[lender].Request(ctx, s)
	n.must(nil, err)
	n.must(n.books[owner].Decide(ctx, ledger.Decide{Request: id, Approve: true, Reasons: []string{"granted"}}))
	n.must(nil, n.books[owner].StartProof(ctx, id))
	n.must(n.books[owner].Fail(ctx, ledger.Fail{Request: id, Reasons: []string{"lost"}}))
	n.must(n.books[owner].Revoke(ctx, ledger.Revoke{Grant: terms.ID, Reason: "over"}))
	n.must(n.books[regulator].Alert(ctx, ledger.Alert{Request: id, Text: "look"}))
	e, err := n.books[lender].RequestEntry(ctx, id)
	n.must(nil, err)
	if a := e.Request.Attributes; a["role"] != "client" || a["CN"] == "" {
		n.t.Errorf("the request was made under a certificate with %v", a)
	}
}

func (n *network) register(maker *contracttest.Maker) {
	registration := ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}
	n.agree(registration.Digest())
	n.must(n.books[regulator].RegisterMaker(n.t.Context(), registration))
	n.must(n.books[owner].RegisterFleet(n.t.Context(), ledger.RegisterFleet{ID: "fleet-1", Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))
	n.conflict()
}

// conflict registers one fleet many times at once. One is registered.
func (n *network) conflict() {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			n.books[owner].RegisterFleet(n.t.Context(), ledger.RegisterFleet{ID: "contended", Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}) //nolint:errcheck // all but one fail
		})
	}
	group.Wait()
}

// enrol does so in an epoch that has enough time left.
func (n *network) enrol(args ledger.Enrol) uint64 {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		epoch, err := n.books[regulator].OpenEpoch(n.t.Context())
		n.must(nil, err)
		if _, err = n.books[owner].Enrol(n.t.Context(), args); err == nil {
			return epoch
		}
		if ledger.CodeOf(err) != ledger.Expired {
			n.t.Fatal(err)
		}
	}
	n.t.Fatal("no epoch is long enough to enrol in")
	return 0
}

// anchor waits until an epoch is over and anchors it.
func (n *network) anchor(epoch uint64, devices []contracttest.Device) {
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Minute)
	defer cancel()
	for {
		now, err := n.books[regulator].OpenEpoch(ctx)
		n.must(nil, err)
		if now > epoch {
			break
		}
	}
	place := commit.ChunkPlace{Ledger: n.books[owner].ID(), SRS: n.srs.Digest(), Fleet: "fleet-1", Size: contracttest.ChunkSize, Epoch: epoch}
	var list [][]byte
	for i, d := range devices {
		list = append(list, contracttest.Attest(n.srs, place, uint32(i), d))
	}
	n.must(n.books[owner].Anchor(ctx, contracttest.Anchor(place, list), list))
}

// pinned is what an organisation trusts: the consortium's genesis, and the channel's.
func (n *network) pinned(org string) (*ledger.Genesis, commit.Digest) {
	n.t.Helper()
	g, err := n.profiles[org].ReadGenesis()
	n.must(nil, err)
	b, err := os.ReadFile(n.profiles[org].ChannelGenesis)
	n.must(nil, err)
	pin, err := audit.ChannelGenesis(b)
	n.must(nil, err)
	return g, pin
}

func (n *network) audit(org string) *audit.Report {
	n.t.Helper()
	p := n.profiles[org]
	g, pin := n.pinned(org)
	client := n.books[org].Client.(*gateway.Client)
	head, err := client.Head(n.t.Context())
	n.must(nil, err)
	report, err := audit.Run(n.t.Context(), audit.Config{
		Genesis: g, ChannelGenesis: pin, Chaincode: p.Chaincode,
		WithoutAttestations: org == owner, // it endorses nothing, so its service has none
		SRS: func(digest commit.Digest) (*commit.SRS, error) {
			if digest != n.srs.Digest() {
				return nil, errors.New("another SRS is pinned")
			}
			return n.srs, nil
		},
		Attestations: func(_ context.Context, root commit.Digest) ([]byte, error) {
			return attestations.Store{Dir: p.Attestations}.Blob(root)
		},
	}, client.Blocks(n.t.Context(), 0, head.Height))
	n.must(nil, err)
	return report
}

// A real channel is sound in the eyes of every organisation; and if somebody changes a byte in a peer's block store, whoever asks that peer finds out in which block.
func TestNetwork(t *testing.T) {
	for _, consensus := range []string{"raft", "bft"} {
		t.Run(consensus, func(t *testing.T) {
			if testing.Short() {
				t.Skip("starts a network")
			}
			n := up(t, "--consensus", consensus)
			n.populate()
			for org := range n.profiles {
				r := n.audit(org)
				if !r.Sound || len(r.Findings) != 0 {
					t.Fatalf("%s: %v", org, r.Findings)
				}
				want := uint64(1)
				if org == owner {
					want = 0
				}
				if c := r.Counts; c.Anchors != want || c.AnchorsUnchecked != 1-want || c.Flags != c.Transactions || len(r.Requests) != 2 || r.Requests[0].Decided == nil || r.Requests[1].Failed == nil {
					t.Errorf("%s: %+v, %+v", org, c, r.Requests)
				}
				t.Logf("%s: without effect: %v", org, r.Counts.Codes)
			}
			at := n.tamper()
			r := n.audit(regulator)
			if f := r.Failure(); r.Sound || f == nil || f.Block != at || f.Kind != audit.Damage {
				t.Errorf("tampered in block %d: %v", at, r.Findings)
			}
			if r := n.audit(lender); !r.Sound {
				t.Errorf("another peer: %v", r.Findings)
			}
		})
	}
}

// tamper changes a letter in the block store of the regulator's peer while that is down, and gives the number of the block.
func (n *network) tamper() uint64 {
	n.t.Helper()
	var at uint64
	for b, err := range n.books[regulator].Client.(*gateway.Client).Blocks(n.t.Context(), 0, 0) {
		n.must(nil, err)
		if bytes.Contains(b, []byte(marked)) {
			break
		}
		at++
	}
	n.Down(n.t)
	changed := 0
	stores, err := filepath.Glob(filepath.Join(n.Dir, "peers", regulator, "data", "ledgersData", "chains", "chains", "*", "blockfile_*"))
	n.must(nil, err)
	for _, path := range stores {
		b, err := os.ReadFile(path)
		n.must(nil, err)
		changed += bytes.Count(b, []byte(marked))
		n.must(nil, os.WriteFile(path, bytes.ReplaceAll(b, []byte(marked), []byte("To"+marked[2:])), 0o600))
	}
	if changed == 0 {
		n.t.Fatalf("%s is in none of %v", marked, stores)
	}
	n.Up(n.t)
	n.open()
	return at
}
