package systemtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
)

func plainFleet(id string) ledger.RegisterFleet {
	return ledger.RegisterFleet{ID: id, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}
}

// Environment variables that make the test binary a client.
const (
	childProfile = "ASSAY_SYSTEMTEST_PROFILE"
	childFleet   = "ASSAY_SYSTEMTEST_FLEET"
	childNote    = "ASSAY_SYSTEMTEST_NOTE"
)

// TestClientToBeKilled is no test, but a client: it registers a fleet, and before the transaction is sent it writes down its id, tells, and waits to be told to go on.
func TestClientToBeKilled(t *testing.T) {
	path := os.Getenv(childProfile)
	if path == "" {
		t.Skip("runs as a process of other tests")
	}
	p, err := profile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	input := bufio.NewReader(os.Stdin)
	c := open(t, gateway.Options{Profile: p, Submitting: func(txID string) {
		if err := durable.WriteFile(os.Getenv(childNote), []byte(txID)); err != nil {
			panic(err)
		}
		fmt.Println("ready")
		if _, err := input.ReadString('\n'); err != nil {
			panic(err)
		}
	}})
	_, err = c.Book().RegisterFleet(t.Context(), plainFleet(os.Getenv(childFleet)))
	fmt.Println("returned", err)
}

// child is a client in a process of its own, as far as having written down its transaction.
type child struct {
	txID    string
	process *exec.Cmd
	input   io.Writer
	said    *bytes.Buffer
}

func (n *faultNetwork) startChild(t *testing.T, profileAt, fleet string) *child {
	t.Helper()
	note := filepath.Join(t.TempDir(), "transaction")
	c := &child{process: exec.Command(os.Args[0], "-test.run=^TestClientToBeKilled$", "-test.timeout=2m"), said: &bytes.Buffer{}}
	c.process.Env = append(os.Environ(), childProfile+"="+profileAt, childFleet+"="+fleet, childNote+"="+note)
	input, err := c.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.input = input
	output, err := c.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.process.Stderr = c.said
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.process.Process.Kill() //nolint:errcheck // it has been killed as a rule
		c.process.Wait()         //nolint:errcheck // the kill shows
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "ready" {
		fmt.Fprintln(c.said, lines.Text())
	}
	b, err := os.ReadFile(note)
	if err != nil {
		t.Fatalf("the client did not come to its transaction: %v\n%s", err, c.said)
	}
	c.txID = string(b)
	return c
}

// kill ends the process without warning.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.process.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the client was not killed but ended: %v\n%s", err, c.said)
	}
}

// clientKilled kills clients between endorsement and commit status: one before its transaction was sent, and one when it was recorded but the answer was still on its
// way. What they wrote down is enough for another client to tell the two apart.
func (n *faultNetwork) clientKilled(t *testing.T) {
	unsent := n.startChild(t, n.Profiles[faultOwner], "unsent")
	unsent.kill(t)

	way := newSilence(t, n.profiles[faultOwner].Peer.Address)
	sent := n.startChild(t, way.profile(t, n.profiles[faultOwner]), "sent")
	way.fall()
	if _, err := io.WriteString(sent.input, "go on\n"); err != nil {
		t.Fatal(err)
	}
	other := n.clients[faultRegulator]
	eventually(t, "asking what became of the transaction", func(ctx context.Context) error {
		if o, err := other.Outcome(ctx, sent.txID); err != nil || o.State != gateway.Recorded {
			return fmt.Errorf("%+v, %w", o, err)
		}
		return nil
	})
	sent.kill(t)

	if o, err := other.Outcome(t.Context(), unsent.txID); err != nil || o.State != gateway.Unknown {
		t.Errorf("what was not sent: %+v, %v", o, err)
	}
	if _, err := n.book(faultOwner).RegisterFleet(t.Context(), plainFleet("unsent")); err != nil {
		t.Errorf("calling again after nothing was sent: %v", err)
	}
	if _, err := n.book(faultOwner).RegisterFleet(t.Context(), plainFleet("sent")); ledger.CodeOf(err) != ledger.Conflict {
		t.Errorf("calling again after it was recorded: %v", err)
	}
	if f, err := n.book(faultOwner).Fleet(t.Context(), "sent"); err != nil || f.TxID != sent.txID {
		t.Errorf("recorded is %+v, %v", f, err)
	}
}

// answerLost is the same for a client that lives: it does not pretend to know.
func (n *faultNetwork) answerLost(t *testing.T) {
	way := newSilence(t, n.profiles[faultOwner].Peer.Address)
	p, err := profile.Read(way.profile(t, n.profiles[faultOwner]))
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	c := open(t, gateway.Options{Profile: p, Submitting: func(string) { once.Do(way.fall) },
		Timeouts: gateway.Timeouts{Submit: 2 * time.Second, Commit: 2 * time.Second}})
	_, err = c.Book().RegisterFleet(t.Context(), plainFleet("unanswered"))
	var unknown *gateway.OutcomeUnknown
	var failure *gateway.Error
	if !errors.As(err, &unknown) || !errors.As(err, &failure) || failure.Stage != gateway.StageCommit || !strings.Contains(err.Error(), unknown.TxID) {
		t.Fatalf("without an answer: %v", err)
	}
	way.end()
	eventually(t, "asking for the outcome", func(ctx context.Context) error {
		if o, err := c.Outcome(ctx, unknown.TxID); err != nil || o.State != gateway.Recorded {
			return fmt.Errorf("%+v, %w", o, err)
		}
		return nil
	})
	if _, err := c.Book().RegisterFleet(t.Context(), plainFleet("answered")); err != nil {
		t.Errorf("with answers again: %v", err)
	}
}

// silence is on the way between a client and its peer. When it falls, nothing that the peer says comes through, and all that it is told does.
type silence struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	ended chan struct{} // closed while there is none
}

func newSilence(t *testing.T, to string) *silence {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silence{listener: listener, to: to, ended: make(chan struct{})}
	close(s.ended)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.carry(conn)
		}
	}()
	return s
}

// carry ends when the client or the peer hangs up.
func (s *silence) carry(client net.Conn) {
	peer, err := net.Dial("tcp", s.to)
	if err != nil {
		client.Close() //nolint:errcheck // the client sees it
		return
	}
	hangUp := func() { client.Close(); peer.Close() } //nolint:errcheck // nobody is left to tell
	go func() {
		io.Copy(peer, client) //nolint:errcheck // either end may hang up
		hangUp()
	}()
	b := make([]byte, 64<<10)
	for {
		k, err := peer.Read(b)
		<-s.now()
		if _, failed := client.Write(b[:k]); err != nil || failed != nil {
			hangUp()
			return
		}
	}
}

func (s *silence) now() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *silence) fall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = make(chan struct{})
}

func (s *silence) end() { close(s.now()) }

// profile writes an organisation's profile that leads through here.
func (s *silence) profile(t *testing.T, of *profile.Profile) string {
	t.Helper()
	p := *of
	p.Peer.Address = s.listener.Addr().String()
	path := filepath.Join(t.TempDir(), "profile.json")
	if err := p.Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}
