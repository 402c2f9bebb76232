package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/cmd/internal/cli/clitest"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/loopback"
	"github.com/assay-net/assay/zk/commit/committest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"assay-chaincode": main})
}

// TestScripts runs the command lines of testdata/script. Each finds in its folder a genesis, an SRS with its digest in $SRS, the ledger's id in $LEDGER, and
// a certificate with its key.
func TestScripts(t *testing.T) {
	genesis := contracttest.WithKeys(contracttest.Genesis())
	srs := committest.UnsafeSRS(64)
	var srsFile bytes.Buffer
	if _, err := srs.WriteTo(&srsFile); err != nil {
		t.Fatal(err)
	}
	certificate, key := newCertificate(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SRS", srs.Digest().String())
			e.Setenv("LEDGER", genesis.ID().String())
			for name, content := range map[string][]byte{
				"genesis.json": genesis.Canonical(), "srs": srsFile.Bytes(), "server.pem": certificate, "server.key": key,
			} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), content, 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": clitest.ExitCode, "freeaddress": freeAddressCmd, "listens": listensCmd, "terminate": terminateCmd},
	})
}

func newCertificate(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "service"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// freeAddressCmd is the script command "freeaddress": it puts an address on which nobody listens into $ADDRESS.
func freeAddressCmd(ts *testscript.TestScript, _ bool, _ []string) {
	address, err := loopback.FreeAddress()
	ts.Check(err)
	ts.Setenv("ADDRESS", address)
}

// listensCmd is the script command "listens": it waits until somebody listens on $ADDRESS.
func listensCmd(ts *testscript.TestScript, _ bool, _ []string) {
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", ts.Getenv("ADDRESS"), time.Second)
		if err == nil {
			ts.Check(conn.Close())
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("nobody listens: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// terminateCmd is the script command "terminate": it sends SIGTERM to what runs in the background.
func terminateCmd(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
	}{
		{"", cli.ExitYes}, {"--help", cli.ExitYes}, {"--version", cli.ExitYes}, {"serve --help", cli.ExitYes},
		{"nothing", cli.ExitUsage}, {"--nothing", cli.ExitUsage}, {"serve", cli.ExitUsage}, {"serve x", cli.ExitUsage}, {"agree", cli.ExitUsage},
		{"agree xyz --data /nonexistent", cli.ExitUsage}, {"agreed", cli.ExitUsage}, {"agreed x --data y", cli.ExitUsage},
	} {
		var out, notes bytes.Buffer
		err := run(context.Background(), strings.Fields(test.args), &cli.Printer{Out: &out, Notes: &notes})
		if got := cli.ExitCode(err); got != test.code {
			t.Errorf("assay-chaincode %s: exit code %d, want %d", test.args, got, test.code)
		}
		if (out.Len() > 0) != (test.code == cli.ExitYes) || (notes.Len() > 0) != (test.code != cli.ExitYes) {
			t.Errorf("assay-chaincode %s: results %q, notes %q", test.args, out.String(), notes.String())
		}
	}
	if cli.ExitCode(os.ErrNotExist) != cli.ExitNo {
		t.Error("a plain error has another exit code than 1")
	}
}

// Every command has a help text with an example.
func TestEveryCommandHasAnExample(t *testing.T) {
	for _, c := range newRootCommand(&cli.Printer{}).Commands() {
		if c.Runnable() && (c.Short == "" || c.Long == "" || !strings.Contains(c.Example, c.CommandPath())) {
			t.Errorf("%s lacks a help text or an example", c.CommandPath())
		}
	}
}

func TestFilesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 10), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := readFile(path, 10); err != nil || len(b) != 10 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := readFile(path, 9); err == nil || !strings.Contains(err.Error(), "is too long") {
		t.Errorf("%v", err)
	}
}
