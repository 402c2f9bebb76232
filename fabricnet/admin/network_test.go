package admin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go/common"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"github.com/assay-net/assay/fabricnet/admin"
	"github.com/assay-net/assay/fabricnet/blockfile"
)

func TestOnANetwork(t *testing.T) {
	n := startNetwork(t)
	t.Run("channel", n.testChannel)
	t.Run("lifecycle", n.testLifecycle)
	t.Run("blocks", n.testBlocks)
	t.Run("strangers", n.testStrangers)
	t.Run("a peer that is gone", n.testPeerGone)
}

func (n *network) testChannel(t *testing.T) {
	ctx := t.Context()
	a := n.admins[regulator]
	if err := a.JoinChannel(ctx, nil); err != nil { // it has joined
		t.Error(err)
	}
	channels, err := a.Channels(ctx)
	if diff := cmp.Diff([]string{"assay"}, channels); err != nil || diff != "" {
		t.Error(err, diff)
	}
	peers, err := a.Peers(ctx)
	var names []string
	for _, p := range peers {
		names = append(names, p.MSPID)
	}
	if diff := cmp.Diff([]string{lenderMSP, regulatorMSP, ownerMSP}, names); err != nil || diff != "" {
		t.Error(err, diff)
	}
	another := n.open(t, regulator, func(c *admin.Config) { c.Channel = "another" })
	if err := another.JoinChannel(ctx, nil); err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("joins a channel that is not there: %v", err)
	}
	block, err := a.Block(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := another.JoinChannel(ctx, block); err == nil || !strings.Contains(err.Error(), `"assay"`) {
		t.Errorf("joins with another channel's block: %v", err)
	}
}

func (n *network) testLifecycle(t *testing.T) {
	ctx := t.Context()
	d := admin.Definition{Name: "thing", Version: "1", Sequence: 1, Policy: n.policy}
	if _, _, err := n.admins[owner].Committed(ctx, d.Name); !errors.Is(err, admin.ErrNotCommitted) {
		t.Fatal(err)
	}
	id := n.installEverywhere(t, "thing_1")
	twice := func(org string, d admin.Definition) {
		t.Helper()
		for range 2 {
			if err := n.admins[org].Approve(ctx, d, id); err != nil {
				t.Fatal(err)
			}
		}
	}
	n.refused(t, n.admins[owner].Commit(ctx, d), "approved by nobody")
	twice(owner, d)
	twice(lender, d)
	n.refused(t, n.admins[lender].Commit(ctx, d), "not by "+regulatorMSP)
	twice(regulator, d)
	approvals, err := n.admins[owner].Readiness(ctx, d)
	if diff := cmp.Diff(map[string]bool{ownerMSP: true, lenderMSP: true, regulatorMSP: true}, approvals); err != nil || diff != "" {
		t.Error(err, diff)
	}
	// All commit at once: one does, and to all it is done.
	var g errgroup.Group
	for _, a := range n.admins {
		g.Go(func() error { return a.Commit(ctx, d) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	committed, _, err := n.admins[regulator].Committed(ctx, d.Name)
	if err != nil || committed.Version != "1" || !committed.HasPolicy(n.policy) {
		t.Fatalf("%v, %v", committed, err)
	}
	other := d
	other.Policy = admin.Policy{Groups: []admin.Group{{AtLeast: 1, MSPIDs: []string{ownerMSP}}}}
	n.refused(t, n.admins[owner].Commit(ctx, other), "another endorsement policy")
	other.Sequence = 3
	n.refused(t, n.admins[owner].Approve(ctx, other, id), "next available sequence number 2")
	n.testUpgrade(t, d)
}

// testUpgrade goes on to a next sequence without the owner, who approves when it is committed.
func (n *network) testUpgrade(t *testing.T, d admin.Definition) {
	ctx := t.Context()
	before := d
	d.Version, d.Sequence = "2", 2
	id := n.installEverywhere(t, "thing_2")
	for _, org := range []string{lender, regulator} {
		if err := n.admins[org].Approve(ctx, d, id); err != nil {
			t.Fatal(err)
		}
	}
	n.refused(t, n.admins[owner].Commit(ctx, d), ownerMSP+" has not approved it itself")
	if err := n.admins[lender].Commit(ctx, d, n.Peers()...); err != nil {
		t.Fatal(err)
	}
	if err := n.admins[owner].Approve(ctx, d, id); err != nil {
		t.Fatal(err)
	}
	n.refused(t, n.admins[lender].Commit(ctx, before), "the channel has thing 2 sequence 2")
	installed, err := n.admins[owner].Installed(ctx)
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string][]string{}
	for _, p := range installed {
		uses[p.Label] = p.Uses
	}
	if diff := cmp.Diff(map[string][]string{"thing_1": nil, "thing_2": {"assay thing 2"}}, uses); diff != "" {
		t.Error(diff)
	}
}

func (n *network) testBlocks(t *testing.T) {
	ctx := t.Context()
	a := n.admins[regulator]
	info, err := a.Height(ctx)
	if err != nil || info.Height < 3 {
		t.Fatalf("%+v, %v", info, err)
	}
	var file bytes.Buffer
	var told []uint64
	if err := a.Export(ctx, &file, 1, info.Height-1, func(n uint64) { told = append(told, n) }); err != nil {
		t.Fatal(err)
	}
	blocks := blockfile.NewReader(&file)
	var previous []byte
	for number := uint64(1); number < info.Height; number++ {
		encoded, err := blocks.Next()
		if err != nil {
			t.Fatal(err)
		}
		var block common.Block
		if err := proto.Unmarshal(encoded, protoadapt.MessageV2Of(&block)); err != nil {
			t.Fatal(err)
		}
		if block.Header.Number != number || bytes.Equal(block.Header.PreviousHash, previous) {
			t.Errorf("block %d: %v", number, block.Header)
		}
		previous = block.Header.PreviousHash
	}
	if _, err := blocks.Next(); err != io.EOF || !bytes.Equal(previous, info.Previous) || told[len(told)-1] != info.Height-1 {
		t.Errorf("%v, %x, %v", err, previous, told)
	}
	n.refused(t, a.Export(ctx, &file, 0, info.Height, nil), "blocks, the last is")
	_, err = a.Block(ctx, info.Height+10)
	n.refused(t, err, "block")
}

func (n *network) testStrangers(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		change func(*admin.Config)
		text   string
	}{
		"another organisation": {func(c *admin.Config) { c.MSPID = lenderMSP }, "access denied"},
		"server name":          {func(c *admin.Config) { c.Peer.ServerName = "another.example" }, "cannot connect: tls"},
		"TLS root": {func(c *admin.Config) {
			stranger, err := n.Admin(lender)
			if err != nil {
				t.Fatal(err)
			}
			c.Peer.TLSRoots = stranger.Peer.TLSRoots
		}, "cannot connect: tls"},
	} {
		a := n.open(t, regulator, c.change)
		_, err := a.Channels(ctx)
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
}

func (n *network) testPeerGone(t *testing.T) {
	if err := n.Kill("peer." + lender); err != nil {
		t.Fatal(err)
	}
	_, err := n.admins[lender].Height(t.Context())
	n.refused(t, err, "asking for the channel's height at 127.0.0.1:")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := n.Start(ctx, "peer."+lender); err != nil {
		t.Fatal(err)
	}
	if _, err := n.admins[lender].Height(ctx); err != nil {
		t.Errorf("does not find the peer again: %v", err)
	}
}
