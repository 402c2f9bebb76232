// Package vaulttest gives tests a real Vault: a process on this machine, with TLS, Raft storage in a temporary folder, the engines that a
// node uses, and the node's policy from deploy/vault.
//
// Vault is built from source once, into the cache of Assay ($ASSAY_CACHE, or assay in the user's cache folder). It is licensed under the BUSL-1.1, runs in tests only and is
// never shipped. Under -short the test is skipped. The process is gone when the test has ended, even if the test binary was killed. Nothing
// outside tests may import this package.
package vaulttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/assay-net/assay/fabricnet/loopback"
)

const (
	// patience bounds a step of the server: a machine may be busy.
	patience = 90 * time.Second
	poll     = 20 * time.Millisecond
)

// Server is a Vault that was started for a test.
type Server struct {
	// Address is its URL.
	Address string
	// CA is the path of the certificate of the authority that issued its certificate.
	CA string

	t       testing.TB
	dir     string
	binary  string
	port    int
	cluster int
	root    *api.Client
	key     string // that unseals

	process *exec.Cmd // a shell that ends Vault when this process ends
	input   io.Closer
	pid     int
}

// Start starts a Vault, initialised, unsealed and set up for nodes.
func Start(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a Vault")
	}
	s := &Server{t: t, dir: t.TempDir(), binary: Binary(t)}
	ports, err := loopback.Ports(2)
	if err != nil {
		t.Fatal(err)
	}
	s.port, s.cluster = ports[0], ports[1]
	s.Address = "https://" + loopback.Address(s.port)
	s.writeFiles()
	s.root = s.client()
	t.Cleanup(s.end)
	s.run()
	s.initialise()
	s.Unseal()
	s.setUp()
	return s
}

// Root is a client that may do everything.
func (s *Server) Root() *api.Client { return s.root }

// PID is the server's process.
func (s *Server) PID() int { return s.pid }

// writeFiles writes what the server starts from.
func (s *Server) writeFiles() {
	s.t.Helper()
	s.CA = filepath.Join(s.dir, "ca.pem")
	if err := writeCertificates(s.dir); err != nil {
		s.t.Fatalf("making certificates: %v", err)
	}
	configuration := fmt.Sprintf(`
disable_mlock = true
api_addr      = %q
cluster_addr  = "https://127.0.0.1:%d"
storage "raft" {
  path    = %q
  node_id = "one"
  performance_multiplier = 1
}
listener "tcp" {
  address         = "127.0.0.1:%d"
  cluster_address = "127.0.0.1:%d"
  tls_cert_file   = %q
  tls_key_file    = %q
}
`, s.Address, s.cluster, s.dir, s.port, s.cluster, filepath.Join(s.dir, "server.pem"), filepath.Join(s.dir, "server.key"))
	if err := os.WriteFile(filepath.Join(s.dir, "vault.hcl"), []byte(configuration), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// guard starts Vault and says its process id. It kills it when its input ends, which comes with the end of this process at the latest.
const guard = `"$1" server -config="$2" >>"$3" 2>&1 & echo $!; read _; kill -9 $! 2>/dev/null; wait $! 2>/dev/null; exit 0`

func (s *Server) run() {
	s.t.Helper()
	c := exec.Command("/bin/sh", "-c", guard, "sh", s.binary, filepath.Join(s.dir, "vault.hcl"), s.log())
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + s.dir}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the test only
	input, err := c.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	output, err := c.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		s.t.Fatalf("starting Vault: %v", err)
	}
	s.process, s.input = c, input
	line, err := bufio.NewReader(output).ReadString('\n')
	if s.pid, _ = strconv.Atoi(strings.TrimSpace(line)); err != nil || s.pid < 2 {
		s.t.Fatalf("starting Vault: its guard says %q: %v", line, err)
	}
	s.await("answer", func(ctx context.Context) error {
		_, err := s.root.Sys().SealStatusWithContext(ctx)
		return err
	})
}

func (s *Server) log() string { return filepath.Join(s.dir, "vault.log") }

// end takes the server down for good.
func (s *Server) end() {
	if s.process == nil {
		return
	}
	s.input.Close()  //nolint:errcheck // its end is the message
	s.process.Wait() //nolint:errcheck // the guard returns 0
	s.process = nil
	if s.t.Failed() {
		s.t.Logf("Vault's log:\n%s", s.tail())
	}
}

func (s *Server) tail() string {
	b, _ := os.ReadFile(s.log()) //nolint:errcheck // for reading by people
	return string(b[max(0, len(b)-3000):])
}

// await polls until something works.
func (s *Server) await(what string, works func(context.Context) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		attempt, done := context.WithTimeout(ctx, 5*time.Second)
		err := works(attempt)
		done()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("Vault does not %s: %v\n%s", what, err, s.tail())
		case <-time.After(poll):
		}
	}
}

func (s *Server) initialise() {
	s.t.Helper()
	answer, err := s.root.Sys().Init(&api.InitRequest{SecretShares: 1, SecretThreshold: 1})
	if err != nil {
		s.t.Fatalf("initialising Vault: %v\n%s", err, s.tail())
	}
	s.key = answer.KeysB64[0]
	s.root.SetToken(answer.RootToken)
}

// Seal makes Vault forget its key.
func (s *Server) Seal() {
	s.t.Helper()
	if err := s.root.Sys().Seal(); err != nil {
		s.t.Fatalf("sealing Vault: %v", err)
	}
}

// Unseal gives Vault its key and waits until it serves.
func (s *Server) Unseal() {
	s.t.Helper()
	s.await("unseal", func(ctx context.Context) error {
		_, err := s.root.Sys().UnsealWithContext(ctx, s.key)
		return err
	})
	s.await("become active", func(ctx context.Context) error {
		h, err := s.root.Sys().HealthWithContext(ctx)
		if err == nil && (h.Sealed || h.Standby) {
			err = errors.New("it is sealed or stands by")
		}
		return err
	})
}

// Kill ends Vault at once. Restart brings it back.
func (s *Server) Kill() {
	s.t.Helper()
	if s.process == nil {
		s.t.Fatal("Vault does not run")
	}
	s.end()
}

// Restart starts Vault again after Kill, with its state and at its address.
func (s *Server) Restart() {
	s.t.Helper()
	s.run()
	s.Unseal()
}

// Freeze stops Vault where it is: connections are accepted, and nothing is answered. Thaw lets it go on.
func (s *Server) Freeze() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	s.await("stop", s.stopped) // the kernel stops one thread after another, and any could still answer
}

// stopped reports a thread that runs.
func (s *Server) stopped(context.Context) error {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.pid)) //nolint:errcheck // the pattern is well formed
	if len(threads) == 0 {
		return fmt.Errorf("process %d is gone", s.pid)
	}
	for _, path := range threads {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, fields, _ := bytes.Cut(b, []byte(") ")); !bytes.HasPrefix(fields, []byte("T")) { // behind the name
			return fmt.Errorf("%s: %.1s, not stopped", path, fields)
		}
	}
	return nil
}

// Thaw ends Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(what syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.pid, what); err != nil {
		s.t.Fatalf("sending %s to Vault: %v", what, err)
	}
}
