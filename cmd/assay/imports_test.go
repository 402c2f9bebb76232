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
	{"policy", nil},
	{"zk/measure", nil},
	{"zk/commit", []string{"zk/record", "zk/commit"}},
	{"zk/statement", []string{"zk/record"}},
	{"zk/verify", []string{"zk/record", "zk/commit", "zk/statement", "zk/verify"}},
	{"zk/setup/transcript", []string{"zk/commit"}},
	{"zk/setup", []string{"zk"}},
	{"zk", []string{"zk/record", "zk/commit", "zk/statement", "zk/verify"}},
	{"mpc/session/transcript", nil},
	{"mpc", []string{"mpc"}},
	{"fabricnet/ledger", []string{"fabricnet/durable", "policy", "zk/record", "zk/commit", "zk/statement", "zk/verify"}},
	{"fabricnet/contract", []string{"fabricnet/ledger", "fabricnet/contract", "zk/record", "zk/commit", "zk/setup/transcript", "zk/statement", "zk/verify", "policy"}},
	{"fabricnet/durable", nil},
	{"fabricnet/blockfile", nil},
	{"fabricnet/gobuild", nil},
	{"fabricnet/loopback", nil},
	{"fabricnet/orgkey", []string{"fabricnet/durable"}},
	{"fabricnet/attestations", []string{"fabricnet/durable", "fabricnet/ledger", "zk/commit"}},
	{"fabricnet/consent", []string{"fabricnet/durable", "fabricnet/ledger", "zk/commit"}},
	{"fabricnet/profile", []string{"fabricnet/durable", "fabricnet/ledger"}},
	{"fabricnet/admin", []string{"fabricnet/blockfile", "fabricnet/ledger"}},
	{"fabricnet/localnet", []string{"fabricnet/admin", "fabricnet/durable", "fabricnet/gobuild", "fabricnet/ledger", "fabricnet/loopback", "fabricnet/orgkey", "fabricnet/profile", "zk/commit"}},
	{"fabricnet/gateway", []string{"fabricnet/attestations", "fabricnet/contract", "fabricnet/durable", "fabricnet/ledger", "fabricnet/profile", "zk/commit"}},
	{"fabricnet/audit", []string{"fabricnet/audit", "fabricnet/contract", "fabricnet/ledger", "fabricnet/orgkey", "zk/commit", "zk/setup/transcript", "zk/verify"}},
	{"fabricnet/ledgertest", []string{"fabricnet/contract/contracttest", "fabricnet/ledger", "policy", "zk"}},
	{"fabricnet/systemtest", []string{"fabricnet"}},
	{"fabricnet/embedded", []string{"fabricnet/attestations", "fabricnet/consent", "fabricnet/contract", "fabricnet/durable", "fabricnet/embedded", "fabricnet/ledger", "fabricnet/orgkey", "zk/commit", "zk/setup/transcript"}},
	{"fabricnet", []string{"fabricnet/attestations", "fabricnet/consent", "fabricnet/contract", "fabricnet/durable", "fabricnet/embedded/sealed", "fabricnet/ledger", "fabricnet/orgkey", "zk/commit"}},
	{"datahub/keys/vault/vaulttest", []string{"datahub/keys", "fabricnet/gobuild", "fabricnet/loopback"}},
	{"datahub/desk/desktest", []string{"datahub", "fabricnet/contract/contracttest", "fabricnet/embedded", "fabricnet/ledger", "policy", "zk"}},
	{"datahub/party/partytest", []string{"datahub", "fabricnet/contract/contracttest", "fabricnet/embedded", "fabricnet/ledger", "mpc", "policy", "zk"}},
	{"datahub", []string{"datahub", "zk", "mpc", "policy", "fabricnet/ledger", "fabricnet/durable"}},
	{"deploy", nil},
	{"cmd/internal", nil},
	{"cmd/assay-verify/verdict/verdicttest", []string{"fabricnet/ledger", "zk"}},
	{"cmd/assay-verify", []string{"cmd/assay-verify", "datahub/evidence", "fabricnet/audit", "fabricnet/blockfile", "fabricnet/embedded/sealed", "fabricnet/ledger", "zk/commit", "zk/setup/transcript", "zk/statement", "zk/verify"}},
	{"cmd", []string{"cmd/internal", "datahub", "zk", "mpc", "policy", "fabricnet", "deploy/examples"}},
}

// homes says which part alone may import a library directly.
var homes = []struct {
	library string
	parts   []string
}{
	{"github.com/consensys/gnark/frontend", []string{"zk"}},
	{"github.com/consensys/gnark/std", []string{"zk"}},
	{"github.com/consensys/gnark/backend", []string{"zk", "fabricnet/contract/contracttest"}},
	{"go.etcd.io/bbolt", []string{"fabricnet/embedded", "fabricnet/audit/statefile"}},
	{"github.com/hyperledger/fabric-gateway", []string{"fabricnet/gateway"}},
	{"github.com/hyperledger/fabric-chaincode-go", []string{"fabricnet/chaincode", "fabricnet/systemtest"}},
	{"github.com/hyperledger/fabric-protos-go-apiv2", []string{"fabricnet/gateway", "fabricnet/chaincode", "fabricnet/audit", "fabricnet/systemtest"}},
	{"github.com/hyperledger/fabric-sdk-go", []string{"fabricnet/admin"}},
	{"github.com/hyperledger/fabric-protos-go", []string{"fabricnet/admin"}},
	{"github.com/nats-io", []string{"datahub/ingest", "datahub/prove"}},
	{"github.com/eclipse/paho.mqtt.golang", []string{"datahub/device/agent"}},
	{"github.com/hashicorp/vault", []string{"datahub/keys/vault"}},
	{"filippo.io/age", []string{"datahub/keys/file", "datahub/prove"}},
	{"modernc.org/sqlite", []string{"datahub/store/sqlite"}},
	{"github.com/jackc/pgx", []string{"datahub/store/postgres", "datahub/store/postgrestest"}},
	{"github.com/spf13/cobra", []string{"cmd"}},
	{"github.com/cedar-policy/cedar-go", []string{"policy"}},
	{"github.com/tuneinsight/lattigo", []string{"mpc"}},
	{"github.com/google/differential-privacy", []string{"mpc/privacy"}},
	{"github.com/go-jose/go-jose", []string{"datahub/api/access", "datahub/api/issuer"}},
	{"github.com/coreos/go-oidc", []string{"datahub/api/access"}},
	{"github.com/grpc-ecosystem/grpc-gateway", []string{"datahub/api/gateway", "datahub/api/assayv1"}},
	{"github.com/swaggest/swgui", []string{"datahub/api/gateway"}},
	{"buf.build/go/protovalidate", []string{"datahub/api/server"}},
	{"buf.build/gen/go/bufbuild/protovalidate", []string{"datahub/api/assayv1"}},
}

// The old and the new Fabric libraries register the same protobuf types: a binary that links both panics when it starts.
func TestNoBinaryLinksBothFabricLibraries(t *testing.T) {
	for _, p := range listPackages(t, "-test") {
		var before, after bool
		for _, path := range p.Deps {
			before = before || within(path, "github.com/hyperledger/fabric-protos-go")
			after = after || within(path, "github.com/hyperledger/fabric-protos-go-apiv2")
		}
		if before && after {
			t.Errorf("%s links fabric-protos-go and fabric-protos-go-apiv2", p.ImportPath)
		}
	}
}

// A guarded server and the client of a node refuse what is compressed with gzip, and there is nothing else that they could decompress.
func TestNoBinaryBringsACompressorBesidesGzip(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, path := range p.Deps {
			name, ok := strings.CutPrefix(path, "google.golang.org/grpc/encoding/")
			if ok && !slices.Contains([]string{"gzip", "internal", "proto"}, name) || within(path, "github.com/mostynb/go-grpc-compression") {
				t.Errorf("%s links %s", p.ImportPath, path)
			}
		}
	}
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

func listPackages(t *testing.T, flags ...string) []goPackage {
	t.Helper()
	arguments := append([]string{"list", "-json=ImportPath,Imports,Deps"}, flags...)
	out, err := exec.Command("go", append(arguments, module+"...")...).Output()
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
