package gobuild

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is a folder with a module of one command, which no build cache has yet.
func module(t *testing.T, program string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.test/said\n\ngo 1.26\n", "main.go": program + "\n// " + rand.Text() + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBuild(t *testing.T) {
	b := Build{Module: module(t, "package main\n\nvar what string\n\nfunc main() { print(what) }\n"), Packages: []string{"example.test/said"}, Output: filepath.Join(t.TempDir(), "said")}
	b.Flags = []string{"-trimpath", "-ldflags", "-X main.what=something"}
	reports := 0
	err := b.Run(t.Context(), func(done, total int) {
		reports++
		if done < 1 || done > total {
			t.Errorf("%d of %d packages", done, total)
		}
	})
	if err != nil || reports == 0 {
		t.Fatal(reports, err)
	}
	if err := Executable(b.Output); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(b.Output).CombinedOutput(); err != nil || string(out) != "something" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestBuildSaysWhatIsWrong(t *testing.T) {
	b := Build{Module: module(t, "package main\n\nfunc main() { missing() }\n"), Packages: []string{"example.test/said"}, Output: filepath.Join(t.TempDir(), "said")}
	if err := b.Run(t.Context(), func(int, int) {}); err == nil || !strings.Contains(err.Error(), "undefined: missing") {
		t.Error(err)
	}
	b.Packages = []string{"example.test/other"}
	if err := b.Run(t.Context(), func(int, int) {}); err == nil || !strings.Contains(err.Error(), "example.test/other") {
		t.Error(err)
	}
}

func TestFollow(t *testing.T) {
	var last [2]int
	said := follow(strings.NewReader("a/b\nc/d\n# c/d\nx.go:1: undefined: y\ne/f\n"), 2, func(done, total int) { last = [2]int{done, total} })
	if said == nil || said.Error() != "# c/d\nx.go:1: undefined: y" || last != [2]int{2, 2} {
		t.Errorf("said %v at %v", said, last)
	}
	if said := follow(strings.NewReader("a/b\n"), 1, func(int, int) {}); said != nil {
		t.Error(said)
	}
}
