package localnet

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const toolModule = "../../deploy/fabric"

// TestToolModule: what is embedded is deploy/fabric.
func TestToolModule(t *testing.T) {
	embedded := map[string]string{}
	err := fs.WalkDir(tool, "tool", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := tool.ReadFile(path)
		name := strings.TrimSuffix(strings.TrimPrefix(path, "tool/"), ".txt")
		embedded[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range embedded {
		b, err := os.ReadFile(filepath.Join(toolModule, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(string(b), content); diff != "" {
			t.Errorf("%s differs from the embedded copy:\n%s", name, diff)
		}
	}
	scripts, err := os.ReadDir(filepath.Join(toolModule, "builder", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	if len(embedded) != 2+len(scripts) {
		t.Errorf("%d files are embedded, beside go.mod and go.sum there are %d scripts", len(embedded), len(scripts))
	}
}

func TestFabricVersionIsPinned(t *testing.T) {
	mod, err := tool.ReadFile("tool/go.mod.txt")
	if err != nil {
		t.Fatal(err)
	}
	// The module's pseudo-version of release 3.1.1.
	if FabricVersion != "3.1.1" || !bytes.Contains(mod, []byte("require "+fabricModule+" v1.4.0-rc1.0.20250510200036-435a7f1a780a\n")) {
		t.Error("the module does not pin the version that it is cached as")
	}
	for _, c := range fabricCommands {
		if !bytes.Contains(mod, []byte("\t"+fabricModule+"/cmd/"+c+"\n")) {
			t.Errorf("no tool line for %s", c)
		}
	}
}

func TestWithBuilder(t *testing.T) {
	const before, after = "chaincode:\n  externalBuilders:\n    - name: ccaas_builder\n      path: ", "\n      propagateEnvironment:\n"
	sample := before + sampleBuilder + after
	got, err := withBuilder([]byte(sample), `/a "network"/builder`)
	if err != nil || string(got) != before+`"/a \"network\"/builder"`+after {
		t.Errorf("got %s, %v", got, err)
	}
	for name, bad := range map[string]string{"none": before + after, "two": sample + sample} {
		if _, err := withBuilder([]byte(bad), "/network/builder"); err == nil {
			t.Errorf("a sample with %s passed", name)
		}
	}
}

// TestBuilder runs the external builder's scripts as a peer does.
func TestBuilder(t *testing.T) {
	dir := t.TempDir()
	if err := writeBuilder(dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		metadata string
		taken    bool
	}{{`{"path":"","type":"ccaas","label":"assay_1"}`, true}, {`{"type":"golang","label":"ccaas"}`, false}} {
		if err := os.WriteFile(filepath.Join(dir, "metadata.json"), []byte(c.metadata), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command(filepath.Join(dir, "bin", "detect"), dir, dir).Run(); (err == nil) != c.taken {
			t.Errorf("%s: %v", c.metadata, err)
		}
	}
	for _, step := range []string{"out", "release"} {
		if err := os.Mkdir(filepath.Join(dir, step), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "connection.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, call := range [][]string{{"build", dir, dir, filepath.Join(dir, "out")}, {"release", filepath.Join(dir, "out"), filepath.Join(dir, "release")}} {
		if out, err := exec.Command(filepath.Join(dir, "bin", call[0]), call[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", call[0], err, out)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "release", "chaincode", "server", "connection.json")); err != nil || string(b) != "{}" {
		t.Errorf("released %s, %v", b, err)
	}
}
