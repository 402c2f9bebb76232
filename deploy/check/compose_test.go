package check

import (
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// project is what the tests look at of a Compose project.
type project struct {
	Services map[string]service               `json:"services"`
	Configs  map[string]struct{ File string } `json:"configs"`
	Secrets  map[string]struct{ File string } `json:"secrets"`
}

type service struct {
	Image       string            `json:"image"`
	User        string            `json:"user"`
	ReadOnly    bool              `json:"read_only"`
	CapDrop     []string          `json:"cap_drop"`
	SecurityOpt []string          `json:"security_opt"`
	Restart     string            `json:"restart"`
	NetworkMode string            `json:"network_mode"`
	MemLimit    string            `json:"mem_limit"`
	PidsLimit   int               `json:"pids_limit"`
	Privileged  bool              `json:"privileged"`
	Environment map[string]string `json:"environment"`
	Healthcheck struct {
		Test []string `json:"test"`
	} `json:"healthcheck"`
	Ports []struct {
		HostIP string `json:"host_ip"`
		Target int    `json:"target"`
	} `json:"ports"`
	Configs []mounted `json:"configs"`
	Secrets []mounted `json:"secrets"`
	Volumes []struct {
		Type, Source, Target string
		ReadOnly             bool `json:"read_only"`
	} `json:"volumes"`
}

type mounted struct{ Source, Target string }

func TestCompose(t *testing.T) {
	for _, test := range []struct {
		name     string
		files    []string
		config   string // instead of the file's own
		role     ledger.Role
		services []string
	}{
		{"owner", []string{"compose.yaml"}, "", ledger.RoleOwner, []string{"node", "postgresql"}},
		{"owner with Vault and a NATS cluster", []string{"compose.yaml", "cluster.yaml"}, "", ledger.RoleOwner, []string{"node", "postgresql"}},
		{"lender", []string{"member.yaml"}, "", ledger.RoleFinancier, []string{"node"}},
		{"regulator", []string{"member.yaml"}, "../compose/config/regulator.yaml", ledger.RoleRegulator, []string{"node"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			readAll(t, "../compose")
			p := loadProject(t, test.files)
			for name, s := range p.Services {
				if !slices.Contains(test.services, name) {
					t.Errorf("there is a service %s", name)
				}
				t.Run(name, func(t *testing.T) { checkHardened(t, p, &s) })
			}
			config := test.config
			if config == "" {
				config = p.Configs["node"].File
			}
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			checkContainer(t, p, text, configured(t, text, test.role))
		})
	}
}

func loadProject(t *testing.T, files []string) *project {
	t.Helper()
	args := []string{"compose"}
	for _, f := range files {
		args = append(args, absolute(t, path.Join("../compose", f)))
	}
	out, wrong := runTools(t, args...)
	if wrong != "" {
		t.Fatal(wrong)
	}
	p := decode[project](t, out)
	return &p
}

// checkHardened looks at what every container has to have.
func checkHardened(t *testing.T, p *project, s *service) {
	if user, _, _ := strings.Cut(s.User, ":"); user == "" || user == "0" || user == "root" {
		t.Errorf("runs as user %q", s.User)
	}
	if !s.ReadOnly || s.Privileged || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("is not confined: %+v", s)
	}
	if s.MemLimit == "" || s.PidsLimit == 0 || s.Restart != "unless-stopped" || len(s.Healthcheck.Test) == 0 || s.Image == "" {
		t.Errorf("lacks a bound, a health check or an image: %+v", s)
	}
	for _, port := range s.Ports {
		if port.HostIP != "127.0.0.1" {
			t.Errorf("port %d is published on %q by default", port.Target, port.HostIP)
		}
	}
	for name, value := range s.Environment {
		if secretName := strings.Contains(name, "PASSWORD") || strings.Contains(name, "SECRET") || strings.Contains(name, "TOKEN"); secretName && !strings.HasSuffix(name, "_FILE") {
			t.Errorf("%s=%q: secrets are files", name, value)
		}
	}
	for _, secret := range s.Secrets {
		if p.Secrets[secret.Source].File == "" {
			t.Errorf("secret %s is no file", secret.Source)
		}
	}
}

// checkContainer compares the node's container with the configuration in it.
func checkContainer(t *testing.T, p *project, text []byte, c *node.Config) {
	s := p.Services["node"]
	var ports []string
	for _, port := range s.Ports {
		ports = append(ports, strconv.Itoa(port.Target))
	}
	slices.Sort(ports)
	if diff := cmp.Diff(listens(t, c, true), ports); diff != "" {
		t.Errorf("the node listens on, and is published: %s", diff)
	}
	checkProbe(t, c, s.Healthcheck.Test)
	var secrets []string
	for _, m := range s.Secrets {
		secrets = append(secrets, m.Target)
	}
	named := append(secretsOf(text), keysOf(t, "../compose/profile/profile.json")...)
	slices.Sort(secrets)
	slices.Sort(named)
	if diff := cmp.Diff(named, secrets); diff != "" {
		t.Errorf("secrets that are named, and that are there: %s", diff)
	}
	for _, file := range filesOf(text) {
		if !within(file, "/etc/assay/profile") {
			t.Errorf("%s is nowhere in the container", file)
		}
	}
	checkVolumes(t, &s, c)
	most, err := strconv.ParseUint(s.MemLimit, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	checkMemory(t, c, most)
}

// checkProbe looks whether the health check asks where the node answers.
func checkProbe(t *testing.T, c *node.Config, test []string) {
	t.Helper()
	if len(test) != 3 || test[0] != "CMD" || test[1] != "/usr/bin/probe" {
		t.Fatalf("health check %q", test)
	}
	u, err := url.Parse(test[2])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(c.Operations.Listen, ":"+u.Port()) || u.Hostname() != "127.0.0.1" || u.Path != "/readyz" {
		t.Errorf("health check asks %s, the node answers at %s/readyz", u, c.Operations.Listen)
	}
}

// checkVolumes looks whether what the node keeps is in a volume.
func checkVolumes(t *testing.T, s *service, c *node.Config) {
	t.Helper()
	kept := []string{c.Data}
	if len(c.Fleets) > 0 {
		kept = append(kept, c.Proving.Cache)
	}
	for _, folder := range kept {
		found := false
		for _, v := range s.Volumes {
			found = found || v.Type == "volume" && !v.ReadOnly && within(folder, v.Target) && folder != v.Target
		}
		if !found {
			t.Errorf("%s is in no volume", folder)
		}
	}
}

// checkMemory keeps the collector's aim at three quarters of what there is, or less.
func checkMemory(t *testing.T, c *node.Config, most uint64) {
	t.Helper()
	aim, err := c.MemoryBytes()
	if err != nil {
		t.Fatal(err)
	}
	if aim > most/4*3 {
		t.Errorf("memory is %s, and the limit %d bytes", c.Memory, most)
	}
}

// What no Compose would take, these tools do not take either.
func TestComposeMistakes(t *testing.T) {
	original, err := os.ReadFile("../compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ from, to, want string }{
		{"    depends_on:", "    depend_on:", "depend_on"},
		{"secrets: [machine-key, store-url]", "secrets: [machine-key, other]", "undefined secret other"},
		{"- postgresql-socket:/run/postgresql", "- socket:/run/postgresql", "undefined volume socket"},
		{"      postgresql:\n        condition", "      postgres:\n        condition", "postgres"},
	} {
		if !strings.Contains(string(original), test.from) {
			t.Fatalf("there is no %q", test.from)
		}
		dir := t.TempDir()
		common, err := os.ReadFile("../compose/service.yaml")
		if err != nil {
			t.Fatal(err)
		}
		write(t, path.Join(dir, "service.yaml"), common)
		write(t, path.Join(dir, "compose.yaml"), []byte(strings.Replace(string(original), test.from, test.to, 1)))
		if _, wrong := runTools(t, "compose", path.Join(dir, "compose.yaml")); !strings.Contains(wrong, test.want) {
			t.Errorf("%q: %q, want %q", test.to, wrong, test.want)
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
