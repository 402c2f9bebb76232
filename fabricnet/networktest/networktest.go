// Package networktest gives tests a real Fabric network on this machine: orderers, peers and contract services as processes, under a profile for each
// organisation.
//
// A network is started by the assay-fabric binary in a process of its own, because what administers a network and what uses it cannot be linked into one
// program. The binaries are built from the source under test, once per test binary, unless ASSAY_TEST_BIN names a folder that has them. A package with
// such tests has
//
//	func TestMain(m *testing.M) { os.Exit(networktest.Main(m)) }
//
// and in each test networktest.Up. Every process is gone when the test has ended, even if the test binary was killed. Under -short the test is skipped.
// Nothing outside tests may import it.
package networktest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds a step of a network. The first of all may have to build Fabric.
const patience = 15 * time.Minute

// Network is a network that runs.
type Network struct {
	// Dir is its folder.
	Dir string
	// Profiles are the paths of the organisations' profiles, by organisation id.
	Profiles map[string]string
	// Ledger is the ledger id.
	Ledger string
}

// Process is one process of a network.
type Process struct {
	Name         string `json:"name"`
	Role         string `json:"role"`
	Organisation string `json:"organisation"`
	Condition    string `json:"condition"`
	PID          int    `json:"pid"`
	Address      string `json:"address"`
	Memory       int64  `json:"memory_bytes"`
	Log          string `json:"log"`
}

// Up starts a network with flags of "assay-fabric up", and has it destroyed when the test has ended.
func Up(t testing.TB, flags ...string) *Network {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a Fabric network")
	}
	n := &Network{Dir: filepath.Join(t.TempDir(), "network")}
	guard(t, Binary(t, "assay-fabric"), n.Dir)
	n.Up(t, flags...)
	return n
}

// WriteSRS writes an SRS to a file, for the flag --srs.
func WriteSRS(t testing.TB, srs io.WriterTo) string {
	t.Helper()
	var b bytes.Buffer
	_, err := srs.WriteTo(&b)
	path := filepath.Join(t.TempDir(), "srs")
	if err := errors.Join(err, os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// Up brings the network back to work: it starts what was stopped or killed.
func (n *Network) Up(t testing.TB, flags ...string) {
	t.Helper()
	var up struct {
		Ledger   string            `json:"ledger"`
		Profiles map[string]string `json:"profiles"`
	}
	out := n.run(t, append([]string{"up"}, flags...)...)
	if err := json.Unmarshal(out, &up); err != nil || len(up.Profiles) == 0 {
		t.Fatalf("assay-fabric up printed %q: %v", out, err)
	}
	n.Ledger, n.Profiles = up.Ledger, up.Profiles
}

// Down stops the network and keeps its state.
func (n *Network) Down(t testing.TB) {
	t.Helper()
	n.run(t, "down")
}

// Process is the process of a name, as orderer1, peer.swapco or contract.regulator.
func (n *Network) Process(t testing.TB, name string) Process {
	t.Helper()
	for _, p := range n.Processes(t) {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("the network has no process %s", name)
	return Process{}
}

// Processes are all processes, running or not.
func (n *Network) Processes(t testing.TB) (all []Process) {
	t.Helper()
	// The exit code is 1 when one does not run, which is no failure here.
	out, stderr, err := n.output("status")
	for line := range bytes.Lines(out) {
		var p Process
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("assay-fabric status printed %q: %v", line, err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatalf("assay-fabric status: %v: %s", err, stderr)
	}
	return all
}

// Kill ends a process at once, without warning, and returns when it is gone. Up starts it again.
func (n *Network) Kill(t testing.TB, name string) {
	t.Helper()
	p := n.Process(t, name)
	if p.Condition != "running" || p.PID <= 1 {
		t.Fatalf("%s is %s", name, p.Condition)
	}
	n.Signal(t, p, syscall.SIGKILL)
	for deadline := time.Now().Add(time.Minute); n.Process(t, name).Condition == "running"; {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not die", name)
		}
	}
}

// Signal sends a signal to a process, SIGSTOP and SIGCONT for example.
func (n *Network) Signal(t testing.TB, p Process, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(p.PID, s); err != nil {
		t.Fatalf("sending %s to %s: %v", s, p.Name, err)
	}
}

func (n *Network) run(t testing.TB, args ...string) []byte {
	t.Helper()
	Binary(t, "assay-fabric")
	out, stderr, err := n.output(args...)
	if err != nil {
		t.Fatalf("assay-fabric %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return out
}

func (n *Network) output(args ...string) (stdout, stderr []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, filepath.Join(binaries.dir, "assay-fabric"), append(args, "--json", "--dir", n.Dir)...)
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.Bytes(), errs.Bytes(), err
}

// guard has a shell destroy the network when the test has ended: it waits for the end of its input, which comes with the end of this process too.
func guard(t testing.TB, assayFabric, dir string) {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", `read _; [ ! -e "$2" ] || "$1" destroy --yes --dir "$2"`, "sh", assayFabric, dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the test only
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	input, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatalf("guarding the network: %v", err)
	}
	t.Cleanup(func() {
		input.Close() //nolint:errcheck // its end is the message
		if err := c.Wait(); err != nil {
			t.Errorf("destroying the network: %v: %s", err, &said)
		}
	})
}

// binaries are built when the first test needs them.
var binaries struct {
	once sync.Once
	dir  string
	own  bool // to be removed
	err  error
}

// binariesVariable names an environment variable with a folder of commands that are to be used as they are.
const binariesVariable = "ASSAY_TEST_BIN"

// Binary is the path of a command of this module, assay, assay-chaincode or assay-fabric, as the source under test makes it.
func Binary(t testing.TB, name string) string {
	t.Helper()
	binaries.once.Do(func() {
		if binaries.dir = os.Getenv(binariesVariable); binaries.dir == "" {
			binaries.own = true
			binaries.dir, binaries.err = build()
		}
	})
	if binaries.err != nil {
		t.Fatalf("building commands: %v", binaries.err)
	}
	return filepath.Join(binaries.dir, name)
}

func build() (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "assay-networktest-*")
	if err != nil {
		return "", err
	}
	c := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./cmd/...")
	c.Dir = strings.TrimSpace(string(root))
	if out, err := c.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
}

// Main runs a package's tests and removes what was built for them. It returns the exit code.
func Main(m interface{ Run() int }) int {
	code := m.Run()
	if binaries.own {
		if err := os.RemoveAll(binaries.dir); err != nil {
			fmt.Fprintf(os.Stderr, "networktest: %v\n", err)
		}
	}
	return code
}
