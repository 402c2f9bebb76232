package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
)

// built is a program that is built once for all tests.
type built struct {
	in, pkg string // the folder to build in, and the package
	once    sync.Once
	path    string
	err     error
}

var (
	tools    = &built{in: "../tools", pkg: "."}
	commands = &built{in: "../..", pkg: "./cmd/assay"}
	scratch  string
)

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "assay-check-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch) //nolint:errcheck // a temporary folder
	os.Exit(code)
}

// program builds it, or skips the test where only fast ones run.
func (b *built) program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs programs")
	}
	b.once.Do(func() {
		b.path = filepath.Join(scratch, filepath.Base(b.in)+filepath.Base(b.pkg))
		var out []byte
		if out, b.err = exec.Command("go", "build", "-C", b.in, "-o", b.path, b.pkg).CombinedOutput(); b.err != nil {
			b.err = errors.New(string(out))
		}
	})
	if b.err != nil {
		t.Fatalf("building %s in %s: %v", b.pkg, b.in, b.err)
	}
	return b.path
}

// runTools runs the tools without this process' settings, and gives what they print and what they say is wrong.
func runTools(t *testing.T, args ...string) (out []byte, wrong string) {
	t.Helper()
	readAll(t, "../tools")
	command := exec.Command(tools.program(t), args...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	var notes bytes.Buffer
	command.Stderr = &notes
	out, err := command.Output()
	if err != nil && notes.Len() == 0 {
		t.Fatal(err)
	}
	return out, notes.String()
}

// readAll reads what another process will read, so that a change of it is a change for the test's cache too.
func readAll(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "secrets" {
			return fs.SkipDir // somebody's own, beside the Compose files
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	out, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decode[T any](t *testing.T, b []byte) (out T) {
	t.Helper()
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%v in %.200s", err, b)
	}
	return out
}

// configured parses a node's configuration, which has to be one for an organisation of that role.
func configured(t *testing.T, text []byte, role ledger.Role) *node.Config {
	t.Helper()
	c, err := node.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckFor(&ledger.Organisation{ID: "swapco", Roles: []ledger.Role{role}}); err != nil {
		t.Fatal(err)
	}
	if role == ledger.RoleOwner {
		if err := c.Keys.Check(); err != nil {
			t.Error(err)
		}
	}
	return c
}

// listens are the ports that a node listens on, for other processes than those of its machine where all is set.
func listens(t *testing.T, c *node.Config, all bool) (ports []string) {
	t.Helper()
	at := []string{c.API.Listen, c.API.GRPC, c.Operations.Listen}
	if len(c.Fleets) > 0 && c.Broker.URL == "" {
		at = append(at, c.Broker.Listen)
	}
	if c.Broker.Workers != "" {
		at = append(at, c.Broker.Workers)
	}
	for _, address := range at {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		if all && host != "0.0.0.0" {
			t.Errorf("%s: nobody outside the container reaches it", address)
		}
		ports = append(ports, port)
	}
	slices.Sort(ports)
	return ports
}

var (
	secretReference = regexp.MustCompile(`file:(/[^\s"']+)`)
	absolutePath    = regexp.MustCompile(`(?m)^ +(?:- )?(?:ca|roots|profile|certificate|key): "?(/[^\s"']+)`)
)

// secretsOf are the files that a configuration names as secrets.
func secretsOf(text []byte) (paths []string) {
	for _, match := range secretReference.FindAllSubmatch(withoutComments(text), -1) {
		paths = append(paths, string(match[1]))
	}
	return paths
}

// filesOf are other files that a configuration names.
func filesOf(text []byte) (paths []string) {
	for _, match := range absolutePath.FindAllSubmatch(withoutComments(text), -1) {
		paths = append(paths, string(match[1]))
	}
	return paths
}

func withoutComments(text []byte) []byte {
	return regexp.MustCompile(`(?m)^ *#.*$`).ReplaceAll(text, nil)
}

// keysOf reads a profile and gives the keys that it names.
func keysOf(t *testing.T, path string) []string {
	t.Helper()
	p, err := profile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return []string{p.Key, p.OrganisationKey}
}

// within reports whether a path is in a folder.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
