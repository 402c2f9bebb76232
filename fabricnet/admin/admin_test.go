package admin

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/multi"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"
	pkgerrors "github.com/pkg/errors"
)

// testConfig is an administrator of an organisation whose peer nobody runs.
func testConfig(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	ca := newAuthority(t, nil)
	admin := ca.member(t, 2, -time.Minute, time.Hour)
	key, err := x509.MarshalPKCS8PrivateKey(admin.key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	roots := write("roots.pem", inPEM("CERTIFICATE", ca.certificate.Raw))
	node := Node{Address: "127.0.0.1:1", TLSRoots: roots}
	return Config{MSPID: "OursMSP", Certificate: write("cert.pem", inPEM("CERTIFICATE", admin.certificate.Raw)), Key: write("key.pem", inPEM("PRIVATE KEY", key)),
		Channel: "assay", Peer: node, Orderers: []Node{node}}
}

// An administrator prints nothing and leaves no file, neither in the working directory nor where temporary files go.
func TestOpenLeavesNothing(t *testing.T) {
	config := testConfig(t)
	work, temporary := t.TempDir(), t.TempDir()
	t.Chdir(work)
	t.Setenv("TMPDIR", temporary)
	a, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Channels(t.Context()); err == nil {
		t.Error("nobody answers")
	}
	a.Close()
	a.Close()
	for _, dir := range []string{work, temporary} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if path != dir {
				t.Errorf("%s was left", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Channels(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestErrorsNameStepNodeAndCause(t *testing.T) {
	a, err := Open(testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	_, err = a.Channels(t.Context())
	var step *StepError
	if !errors.As(err, &step) || step.Node != "127.0.0.1:1" || !strings.Contains(step.Message, "connection refused") || !strings.Contains(step.Step, "channels") {
		t.Errorf("%#v", err)
	}
}

func TestContextEndsACall(t *testing.T) {
	a, err := Open(testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Peers(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	begun := make(chan struct{})
	go func() { <-begun; cancel() }()
	_, err = once(ctx, a, func(context.Context) (int, error) { close(begun); select {} })
	a.calls.Done() // the call above never ends
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOpenRefusals(t *testing.T) {
	other := testConfig(t)
	for name, c := range map[string]struct {
		change func(*Config)
		text   string
	}{
		"no MSP id":         {func(c *Config) { c.MSPID = "" }, "MSP id"},
		"no channel":        {func(c *Config) { c.Channel = "" }, "channel"},
		"no certificate":    {func(c *Config) { c.Certificate = "nowhere" }, "admin certificate"},
		"no key":            {func(c *Config) { c.Key = "nowhere" }, "admin key"},
		"another's key":     {func(c *Config) { c.Key = other.Key }, "does not match"},
		"key in place":      {func(c *Config) { c.Certificate = c.Key }, "admin certificate"},
		"no TLS roots":      {func(c *Config) { c.Peer.TLSRoots = "" }, "TLS roots"},
		"roots are a key":   {func(c *Config) { c.Peer.TLSRoots = c.Key }, "no certificate"},
		"peer without port": {func(c *Config) { c.Peer.Address = "peer" }, "HOST:PORT"},
		"orderer":           {func(c *Config) { c.Orderers[0].TLSRoots = "nowhere" }, "orderer"},
		"many orderers":     {func(c *Config) { c.Orderers = make([]Node, maxOrderers+1) }, "at most"},
		"large file":        {func(c *Config) { c.Key = "/dev/zero" }, "more than"},
	} {
		config := testConfig(t)
		c.change(&config)
		a, err := Open(config)
		if err == nil {
			a.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
}

func TestRefusedBeforeAnyoneIsAsked(t *testing.T) {
	config := testConfig(t)
	config.Orderers = nil
	a, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx := t.Context()
	good := Definition{Name: "assay", Version: "1", Sequence: 1, Policy: Policy{[]Group{{1, []string{"A"}}}}}
	with := func(change func(*Definition)) Definition { d := good; change(&d); return d }
	for name, c := range map[string]struct {
		err  error
		text string
	}{
		"name":       {a.Approve(ctx, with(func(d *Definition) { d.Name = "a/b" }), "x"), "name"},
		"version":    {a.Approve(ctx, with(func(d *Definition) { d.Version = "" }), "x"), "version"},
		"sequence":   {a.Commit(ctx, with(func(d *Definition) { d.Sequence = 0 })), "sequence"},
		"policy":     {a.Commit(ctx, with(func(d *Definition) { d.Policy = Policy{} })), "policy"},
		"package id": {a.Approve(ctx, good, ""), "package id"},
		"arguments":  {second(a.Invoke(ctx, "assay", nil, nil)), "arguments"},
		"no orderer": {second(a.Invoke(ctx, "assay", [][]byte{[]byte("f")}, nil)), "orderer"},
		"no package": {second(a.Install(ctx, []byte("x"))), "package"},
		"blocks":     {a.Export(ctx, new(bytes.Buffer), 2, 1, nil), "after"},
	} {
		var step *StepError
		if !errors.As(c.err, &step) || step.Node != "" || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, c.err, c.text)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestExplain(t *testing.T) {
	refusal := status.New(status.ChaincodeStatus, 500, "it said no", nil)
	at := func(peer string, err error) error {
		return pkgerrors.Wrapf(err, "Transaction processing for endorser [%s]", peer)
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a peer's message": {pkgerrors.WithMessage(at("p:1", refusal), "sending"), "it said no"},
		"several peers":    {multi.Errors{at("p:1", refusal), at("q:1", refusal)}, "p:1: it said no; q:1: it said no"},
		"invalid":          {status.New(status.EventServerStatus, 10, "received invalid transaction", nil), "the transaction was not valid: ENDORSEMENT_POLICY_FAILURE"},
		"deadline":         {pkgerrors.Wrap(context.DeadlineExceeded, "x"), "no answer in time"},
		"library's own":    {status.New(status.ClientStatus, status.Timeout.ToInt32(), "timed out or been cancelled", nil), "no answer in time"},
		"anything else":    {errors.New("else"), "else"},
	} {
		if got := explain(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := endorserOf(at("p:1", refusal)); got != "p:1" {
		t.Error(got)
	}
}

func firstBlock(t testing.TB, channel string) []byte {
	t.Helper()
	payload := encoded(t, &common.Payload{Header: &common.Header{ChannelHeader: encoded(t, &common.ChannelHeader{ChannelId: channel})}})
	return encoded(t, &common.Block{Header: &common.BlockHeader{DataHash: []byte{1}}, Data: &common.BlockData{Data: [][]byte{encoded(t, &common.Envelope{Payload: payload})}}})
}

func TestGenesisBlock(t *testing.T) {
	if _, err := genesisBlock(firstBlock(t, "assay"), "assay"); err != nil {
		t.Error(err)
	}
	if _, err := genesisBlock(firstBlock(t, "other"), "assay"); err == nil || !strings.Contains(err.Error(), `"other"`) {
		t.Error(err)
	}
}

func FuzzGenesisBlock(f *testing.F) {
	f.Add(firstBlock(f, "assay"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		block, err := genesisBlock(b, "assay")
		if err == nil && (block.Header.Number != 0 || len(block.Data.Data) != 1) {
			t.Error("another block is taken")
		}
	})
}
