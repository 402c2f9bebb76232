package check

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/assay-net/assay/"

// The image holds nothing but programs, so that they have to do without C libraries; and what they are built from has to get into the build.
func TestImage(t *testing.T) {
	dockerfile := read(t, "../compose/Dockerfile")
	build := regexp.MustCompile(`(?m)^RUN CGO_ENABLED=0 go build .* -o /programs/ (.*)$`).FindStringSubmatch(dockerfile)
	if build == nil || !strings.Contains(dockerfile, "\nFROM scratch\n") {
		t.Fatal("the image is made in another way than this test knows")
	}
	if !strings.Contains(dockerfile, "\nUSER 65532:65532\n") || !strings.Contains(dockerfile, "--chown=65532:65532 /state /var/lib/assay") {
		t.Error("the image's user or the owner of its volume is another than the services'")
	}
	included := regexp.MustCompile(`(?m)^!(.*)$`).FindAllStringSubmatch(read(t, "../compose/Dockerfile.dockerignore"), -1)
	for _, p := range dependencies(t, strings.Fields(build[1])) {
		if len(p.CgoFiles) > 0 && !p.Standard {
			t.Errorf("%s needs cgo", p.ImportPath)
		}
		inside, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		top, _, _ := strings.Cut(inside, "/")
		if !slices.ContainsFunc(included, func(line []string) bool { return line[1] == top }) {
			t.Errorf("%s does not get into the build: Dockerfile.dockerignore leaves %s out", inside, top)
		}
	}
}

type dependency struct {
	ImportPath string
	Standard   bool
	CgoFiles   []string
}

func dependencies(t *testing.T, packages []string) (out []dependency) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the go command")
	}
	command := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Standard,CgoFiles"}, packages...)...)
	command.Dir, command.Env = "../..", append(os.Environ(), "CGO_ENABLED=1")
	listed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(listed))); ; {
		var p dependency
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
}

// prepare makes secrets once, gives them to their users, and says what it cannot make.
func TestPrepare(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives files to other users, as root alone can")
	}
	assay := commands.program(t)
	dir := filepath.Join(t.TempDir(), "secrets")
	prepare := func() (string, error) {
		command := exec.Command("../compose/prepare", dir)
		command.Env = append(os.Environ(), "ASSAY="+assay)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	if out, err := prepare(); err == nil || !strings.Contains(out, "client-key organisation-key") {
		t.Fatalf("without the organisation's keys: %v, %s", err, out)
	}
	for _, name := range []string{"client-key", "organisation-key"} {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	before := read(t, filepath.Join(dir, "store-url"))
	if out, err := prepare(); err != nil || out != "" {
		t.Fatalf("%v: %s", err, out)
	}
	checkStoreURL(t, before, read(t, filepath.Join(dir, "store-url")), read(t, filepath.Join(dir, "postgresql-password")))
	if !strings.Contains(read(t, filepath.Join(dir, "machine-key")), "AGE-SECRET-KEY-1") {
		t.Error("machine-key is no age identity")
	}
	for name, user := range map[string]uint32{
		"client-key": 65532, "organisation-key": 65532, "machine-key": 65532, "store-url": 65532, "postgresql-password": 999,
	} {
		if mode, owner := ownership(t, filepath.Join(dir, name)); mode != 0o400 || owner != user {
			t.Errorf("%s: mode %04o, user %d", name, mode, owner)
		}
	}
}

func checkStoreURL(t *testing.T, before, after, password string) {
	t.Helper()
	if before != after {
		t.Error("a second call made other secrets")
	}
	u, err := url.Parse(after)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := u.User.Password(); got != password || len(password) != 64 {
		t.Errorf("the URL's password has %d characters, PostgreSQL's %d", len(got), len(password))
	}
	p := loadProject(t, []string{"compose.yaml"})
	server := p.Services["postgresql"]
	if u.User.Username() != server.Environment["POSTGRES_USER"] || u.Path != "/"+server.Environment["POSTGRES_DB"] || server.NetworkMode != "none" {
		t.Errorf("the URL is for %s at %s, the server has %v", u.User.Username(), u.Path, server.Environment)
	}
	// Debian's PostgreSQL, as in the image, has its socket in /var/run/postgresql, which both mount from one volume.
	shared := map[string]string{}
	for name, target := range map[string]string{"node": u.Query().Get("host"), "postgresql": "/var/run/postgresql"} {
		for _, v := range p.Services[name].Volumes {
			if v.Target == target {
				shared[name] = v.Source
			}
		}
	}
	if shared["node"] == "" || shared["node"] != shared["postgresql"] {
		t.Errorf("the socket's folder is in volumes %v", shared)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
