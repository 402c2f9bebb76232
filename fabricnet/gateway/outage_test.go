package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/profile"
)

const submitterProfile = "ASSAY_TEST_SUBMITTER_PROFILE"

// submitForEver registers fleets until it is killed. It prints the id of each transaction before it is sent, and after it is acknowledged.
func submitForEver(path string) {
	p, err := profile.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := gateway.Open(context.Background(), gateway.Options{Profile: p, Submitting: func(txID string) { fmt.Println("sending", txID) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := 0; ; i++ {
		receipt, err := c.Book().RegisterFleet(context.Background(), fleet(fmt.Sprintf("killed-%d-%d", os.Getpid(), i)))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("recorded", receipt.TxID)
	}
}

// A client that is killed between sending and acknowledging finds out by the id that it wrote down.
func (n network) clientKilled(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), submitterProfile+"="+n.Profiles[owner])
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var sent, recorded []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		verb, txID, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "sending":
			sent = append(sent, txID)
		case "recorded":
			recorded = append(recorded, txID)
		default:
			t.Error(lines.Text())
		}
		if len(recorded) == 2 && len(sent) == 3 {
			command.Process.Kill() //nolint:errcheck // it ends in any case
		}
	}
	command.Wait() //nolint:errcheck // it was killed
	c := n.open(t, owner)
	for _, txID := range recorded {
		if o := must[gateway.Outcome](t)(c.Outcome(t.Context(), txID)); o.State != gateway.Recorded || o.Receipt.TxID != txID {
			t.Errorf("acknowledged, and %+v", o)
		}
	}
	for _, txID := range sent[len(recorded):] {
		o := must[gateway.Outcome](t)(c.Outcome(t.Context(), txID))
		t.Logf("the transaction that was being sent is %s", o.State)
		if o.State == gateway.Invalid {
			t.Errorf("outcome is %+v", o)
		}
	}
	if len(sent) < 3 {
		t.Errorf("%d were sent", len(sent))
	}
}

// With one lender there is no other set that would do, so the call fails, and says whose fault it is; then it is back.
func (n network) serviceAway(t *testing.T) {
	c := n.open(t, owner)
	n.Kill(t, "contract."+lender)
	_, err := c.Book().RegisterFleet(t.Context(), fleet("service-away"))
	var e *gateway.Error
	if !errors.As(err, &e) || e.Stage != gateway.StageEndorse || ledger.CodeOf(err) != "" || !strings.Contains(err.Error(), lender) {
		t.Errorf("got %v", err)
	}
	t.Logf("with the service away: %v", err)
	n.Up(t)
	if _, err := c.Book().RegisterFleet(t.Context(), fleet("service-away")); err != nil {
		t.Error(err)
	}
}

// through is the owner's access through another organisation's peer, which serves any member of the channel.
func (n network) through(t *testing.T, org string) *gateway.Client {
	return n.open(t, owner, func(o *gateway.Options) {
		o.Profile.Peer = must[*profile.Profile](t)(profile.Read(n.Profiles[org])).Peer
	})
}

// While the own peer is killed and comes back, whoever follows it gets every event once.
func (n network) followedPeerAway(t *testing.T) {
	c, other := n.open(t, owner), n.through(t, lender)
	head := must[ledger.Head](t)(c.Head(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var got, want []string
	followed := make(chan error, 1)
	go func() {
		followed <- ledger.Follow(ctx, c, ledger.Cursor{Height: head.Height}, func(e ledger.Event, _ ledger.Cursor) error {
			if got = append(got, e.Payload.Fleet); e.Payload.Fleet == "after" {
				stop()
			}
			return nil
		})
	}()
	register := func(c *gateway.Client, id string) {
		must[ledger.Receipt](t)(c.Book().RegisterFleet(t.Context(), fleet(id)))
		want = append(want, id)
	}
	register(c, "before")
	n.Kill(t, "peer."+owner)
	if _, err := c.Head(t.Context()); err == nil || ledger.CodeOf(err) != "" {
		t.Errorf("asking a dead peer: %v", err)
	}
	for i := range 3 {
		register(other, fmt.Sprintf("meanwhile-%d", i))
	}
	n.Up(t)
	register(c, "after")
	if err := <-followed; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The own peer goes at the worst moment: the transaction is endorsed and its id written down. The call ends well when the peer is back.
func (n network) peerAwayWhileSubmitting(t *testing.T) {
	killed := make(chan struct{})
	c := n.open(t, owner, func(o *gateway.Options) {
		o.Timeouts.Submit, o.Timeouts.Commit = 5*time.Minute, 5*time.Minute
		o.Submitting = func(string) {
			n.Kill(t, "peer."+owner)
			close(killed)
		}
	})
	done := make(chan error, 1)
	go func() {
		_, err := c.Book().RegisterFleet(t.Context(), fleet("interrupted"))
		done <- err
	}()
	<-killed
	n.Up(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The own peer is killed under load.
func (n network) peerAwayUnderLoad(t *testing.T) {
	c := n.open(t, owner)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	attempts := make([][]attempt, 8)
	for w := range attempts {
		wait.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("load-%d-%d", w, i)
				_, err := c.Book().RegisterFleet(t.Context(), fleet(id))
				attempts[w] = append(attempts[w], attempt{id, err})
			}
		})
	}
	must[ledger.Receipt](t)(c.Book().RegisterFleet(t.Context(), fleet("load-runs")))
	n.Kill(t, "peer."+owner)
	n.Up(t)
	must[ledger.Receipt](t)(c.Book().RegisterFleet(t.Context(), fleet("load-goes-on")))
	stop()
	wait.Wait()
	n.settle(t, c, slices.Concat(attempts...))
}

// A transaction that is offered while there is no orderer is taken when there is one again, once; and if that takes too long, nobody pretends to know.
func (n network) ordererAway(t *testing.T) {
	n.Kill(t, "orderer1")
	hasty := n.open(t, owner, func(o *gateway.Options) {
		o.Timeouts.Submit, o.Timeouts.Commit = 300*time.Millisecond, 300*time.Millisecond
	})
	var unknown *gateway.OutcomeUnknown
	if _, err := hasty.Book().RegisterFleet(t.Context(), fleet("hasty")); !errors.As(err, &unknown) || ledger.CodeOf(err) != "" {
		t.Errorf("got %v", err)
	} else {
		t.Logf("without an orderer: %v", err)
	}
	patient := n.open(t, owner, func(o *gateway.Options) { o.Timeouts.Submit, o.Timeouts.Commit = 5*time.Minute, 5*time.Minute })
	done := make(chan error, 1)
	go func() {
		_, err := patient.Book().RegisterFleet(t.Context(), fleet("patient"))
		done <- err
	}()
	n.Up(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := patient.Book().Fleet(t.Context(), "patient"); err != nil {
		t.Error(err)
	}
	if o := must[gateway.Outcome](t)(patient.Outcome(t.Context(), unknown.TxID)); o.State != gateway.Unknown {
		t.Errorf("what no orderer was there for is %+v", o)
	}
}

// With two lenders, calls go on when the peer or the contract service of one is away, and are endorsed by the other.
func TestEndorsersStandInForOneAnother(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Fabric network")
	}
	organisations := filepath.Join(t.TempDir(), "organisations.json")
	if err := os.WriteFile(organisations, ledger.Encode([]ledger.Organisation{
		{ID: owner, Name: "Owner", Roles: []ledger.Role{ledger.RoleOwner}},
		{ID: lender, Name: "Lender", MSP: "LenderMSP", Roles: []ledger.Role{ledger.RoleFinancier}},
		{ID: "otherbank", Name: "Other Lender", Roles: []ledger.Role{ledger.RoleFinancier}},
		{ID: regulator, Name: "Regulator", Roles: []ledger.Role{ledger.RoleRegulator}},
	}), 0o600); err != nil {
		t.Fatal(err)
	}
	n := network{networktest.Up(t, "--organisations", organisations), t}
	for _, down := range []string{"contract." + lender, "peer." + lender} {
		n.Kill(t, down)
		c := n.open(t, owner)
		for i := range 4 {
			receipt, err := c.Book().RegisterFleet(t.Context(), fleet(fmt.Sprintf("without-%s-%d", strings.ReplaceAll(down, ".", "-"), i)))
			if err != nil {
				t.Fatalf("without %s: %v", down, err)
			}
			if diff := cmp.Diff([]string{"otherbank", regulator}, receipt.Endorsers); diff != "" {
				t.Errorf("without %s: %s", down, diff)
			}
		}
		n.Up(t)
	}
}
