package check

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dustin/go-humanize"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// maxExposure is what `systemd-analyze security` may give a unit, of 100; it calls up to 20 OK. What is left is that a unit uses the network, and addresses that
// differ between installations.
const maxExposure = 15

var units = []string{"assay", "assay-prove-worker", "assay-chaincode"}

func analyze(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs systemd-analyze")
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Fatal("systemd-analyze is missing: `make programs` installs it, as root")
	}
	command := exec.Command("systemd-analyze", args...)
	command.Env = append(os.Environ(), "SYSTEMD_COLORS=0", "SYSTEMD_EMOJI=0", "LC_ALL=C")
	out, err := command.CombinedOutput()
	return string(out), err
}

// unit is the file of a unit, and instance puts one as systemd would find it into a folder, with programs that are there.
func unit(t *testing.T, name string) string { return read(t, "../systemd/"+name+"@.service") }

func instance(t *testing.T, dir, name, text string) string {
	t.Helper()
	for _, program := range []string{"assay", "assay-chaincode"} {
		at := filepath.Join(dir, program)
		write(t, at, []byte("#!/bin/sh\n"))
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name+"@swapco.service")
	write(t, path, []byte(strings.ReplaceAll(text, "=/usr/local/bin/", "="+dir+"/")))
	return path
}

func TestUnits(t *testing.T) {
	for _, name := range units {
		t.Run(name, func(t *testing.T) {
			at := instance(t, t.TempDir(), name, unit(t, name))
			// What it does not understand it says, and goes on.
			if out, err := analyze(t, "verify", "--man=no", at); err != nil || out != "" {
				t.Errorf("verify: %v\n%s", err, out)
			}
			if out, err := analyze(t, "security", "--offline=true", fmt.Sprintf("--threshold=%d", maxExposure), at); err != nil {
				t.Errorf("security: %v\n%s", err, out)
			}
		})
	}
}

// The sum above forgives a single thing that is missing; these are not forgiven.
func TestUnitsAreConfined(t *testing.T) {
	for _, name := range units {
		text := unit(t, name)
		for _, line := range []string{
			"Type=exec", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateUsers=yes",
			"MemoryDenyWriteExecute=yes", "SystemCallFilter=@system-service", "MemorySwapMax=0", "LimitCORE=0", "UMask=0077", "StateDirectoryMode=0700",
		} {
			if !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("%s: there is no %s", name, line)
			}
		}
		for _, field := range []string{"User", "MemoryMax", "TasksMax", "LoadCredential", "RestartPreventExitStatus"} {
			setting(t, text, field)
		}
		if strings.Contains(text, "AmbientCapabilities=") {
			t.Errorf("%s: has capabilities", name)
		}
	}
}

// What is wrong with a unit is seen.
func TestUnitMistakes(t *testing.T) {
	for _, test := range []struct{ from, to, command string }{
		{"ProtectHome=yes", "ProtectHomes=yes", "verify"},
		{"Type=exec", "Type=sometimes", "verify"},
		{"ExecStart=/usr/local/bin/assay ", "ExecStart=/usr/local/bin/other ", "verify"},
		{"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n", "", "security"},
		{"CapabilityBoundingSet=\n", "", "security"},
	} {
		text := strings.Replace(unit(t, "assay"), test.from, test.to, 1)
		at := instance(t, t.TempDir(), "assay", text)
		args := []string{"verify", "--man=no", at}
		if test.command == "security" {
			args = []string{"security", "--offline=true", fmt.Sprintf("--threshold=%d", maxExposure), at}
		}
		out, err := analyze(t, args...)
		if found := err != nil || test.command == "verify" && out != ""; !found || text == unit(t, "assay") {
			t.Errorf("%q passes %s", test.to, test.command)
		}
	}
}

// setting is the last value of a unit's setting, for the organisation swapco.
func setting(t *testing.T, text, name string) string {
	t.Helper()
	all := regexp.MustCompile(`(?m)^`+name+`=(.*)$`).FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		t.Fatalf("there is no %s", name)
	}
	return strings.NewReplacer("%i", "swapco", "%S", "/var/lib").Replace(all[len(all)-1][1])
}

func TestUnitConfiguration(t *testing.T) {
	text := unit(t, "assay")
	configuration := read(t, "../systemd/node.yaml")
	c := configured(t, []byte(configuration), ledger.RoleOwner)
	if got := setting(t, text, "LoadCredential"); got != "secret:/etc/assay/swapco/secrets" {
		t.Errorf("secrets are loaded as %s", got)
	}
	for _, path := range append(secretsOf([]byte(configuration)), keysOf(t, "../systemd/profile.json")...) {
		if dir, name := filepath.Split(path); dir != "/run/credentials/assay@swapco.service/" || !strings.HasPrefix(name, "secret_") {
			t.Errorf("%s is no credential of the unit", path)
		}
	}
	for _, path := range []string{c.Data, c.Proving.Cache} {
		if state := filepath.Join("/var/lib", setting(t, text, "StateDirectory")); !within(path, state) {
			t.Errorf("%s is not in %s, where alone the unit can write", path, state)
		}
	}
	if !within(c.Ledger.Profile, "/etc/assay/swapco") {
		t.Errorf("the profile is %s", c.Ledger.Profile)
	}
	checkUnitMemory(t, text, c)
	for _, port := range listens(t, c, false) {
		if len(port) < 4 {
			t.Errorf("port %s needs a capability that the unit has not", port)
		}
	}
}

func checkUnitMemory(t *testing.T, text string, c *node.Config) {
	t.Helper()
	most, err := humanize.ParseBytes(setting(t, text, "MemoryMax") + "iB")
	if err != nil {
		t.Fatal(err)
	}
	checkMemory(t, c, most)
}

// The commands that units start take the flags that they are given.
func TestUnitCommands(t *testing.T) {
	for _, name := range []string{"assay", "assay-prove-worker"} {
		line := strings.Fields(setting(t, unit(t, name), "ExecStart"))
		if line[0] != "/usr/local/bin/assay" {
			t.Fatalf("%s starts %s", name, line[0])
		}
		if out, err := exec.Command(commands.program(t), append(line[1:], "--help")...).CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", line, err, out)
		}
	}
}

// What the contract service gets are settings that it has, and all that it needs.
func TestUnitOfContract(t *testing.T) {
	service := read(t, "../../cmd/assay-chaincode/serve.go")
	variables := regexp.MustCompile(`(?m)^(?:Environment=)?ASSAY_CHAINCODE_([A-Z_]+)=`).FindAllStringSubmatch(unit(t, "assay-chaincode")+read(t, "../systemd/chaincode.env"), -1)
	var names []string
	for _, v := range variables {
		name := strings.ToLower(strings.ReplaceAll(v[1], "_", "-"))
		if !strings.Contains(service, `, "`+name+`", "`) {
			t.Errorf("the contract service has no flag --%s", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"address", "data", "genesis", "id", "srs", "srs-digest", "tls-cert", "tls-client-roots", "tls-key"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}
