package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/assay-net/assay/"

// allowed says which of the project's packages each part may import. Imports
// point one way: commands over the owner's domain and the ledger's drivers,
// those over ledger and contract, these over what a verifier needs.
var allowed = []struct {
	part string
	may  []string
}{
	{"zk/record", nil},
	{"zk/commit", []string{"zk/record", "zk/commit"}},
	{"zk/statement", []string{"zk/record"}},
	{"zk/verify", []string{"zk/record", "zk/commit", "zk/statement"}},
	{"zk/setup", []string{"zk"}},
	{"zk", []string{"zk/record", "zk/commit", "zk/statement", "zk/verify"}},
	{"fabricnet/ledger", []string{"zk/record", "zk/commit", "zk/statement", "zk/verify"}},
	{"fabricnet/contract", []string{"fabricnet/ledger", "fabricnet/contract", "zk/record", "zk/commit", "zk/statement", "zk/verify", "policy"}},
	{"fabricnet", []string{"fabricnet/ledger", "fabricnet/contract", "zk/commit"}},
	{"datahub", []string{"datahub", "zk", "mpc", "policy", "fabricnet/ledger"}},
	{"cmd", []string{"datahub", "zk", "mpc", "policy", "fabricnet"}},
}

// homes says which part alone may import a library directly.
var homes = []struct {
	library string
	parts   []string
}{
	{"github.com/consensys/gnark/frontend", []string{"zk"}},
	{"github.com/consensys/gnark/std", []string{"zk"}},
	{"github.com/consensys/gnark/backend", []string{"zk"}},
	{"go.etcd.io/bbolt", []string{"fabricnet/embedded"}},
	{"github.com/spf13/cobra", []string{"cmd"}},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func within(pkg, part string) bool { return pkg == part || strings.HasPrefix(pkg, part+"/") }

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range listPackages(t) {
		pkg, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		rule := slices.IndexFunc(allowed, func(a struct {
			part string
			may  []string
		}) bool {
			return within(pkg, a.part)
		})
		if rule < 0 {
			t.Errorf("%s belongs to no part", pkg)
			continue
		}
		for _, path := range p.Imports {
			if imported, ok := strings.CutPrefix(path, module); ok &&
				!slices.ContainsFunc(allowed[rule].may, func(part string) bool { return within(imported, part) }) {
				t.Errorf("%s imports %s", pkg, imported)
			}
			for _, h := range homes {
				if within(path, h.library) && !slices.ContainsFunc(h.parts, func(part string) bool { return within(pkg, part) }) {
					t.Errorf("%s imports %s, whose home is %v", pkg, path, h.parts)
				}
			}
		}
		// A verifier compiles no circuit.
		if pkg == "zk/verify" || pkg == "fabricnet/contract" {
			for _, path := range p.Deps {
				if within(path, "github.com/consensys/gnark/frontend/cs/r1cs") || path == module+"zk" {
					t.Errorf("%s depends on %s", pkg, path)
				}
			}
		}
	}
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
