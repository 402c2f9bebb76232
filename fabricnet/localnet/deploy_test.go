package localnet

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestComposeVariables holds deploy/fabric/compose.yaml to settings that local networks run with and flags that the contract service has.
func TestComposeVariables(t *testing.T) {
	compose, err := os.ReadFile(filepath.Join(toolModule, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	flags, err := os.ReadFile("../../cmd/assay-chaincode/serve.go")
	if err != nil {
		t.Fatal(err)
	}
	s := sampleState(t)
	known := map[string]bool{}
	for _, setting := range append(ordererEnvironment("/net", &s.Orderers[0]), peerEnvironment("/net", &s.Organisations[0])...) {
		name, _, _ := strings.Cut(setting, "=")
		known[name] = true
	}
	names := regexp.MustCompile(`(?m)^ +((?:CORE|ORDERER|FABRIC|ASSAY)_[A-Z_]+):`).FindAllSubmatch(compose, -1)
	if len(names) < 40 {
		t.Errorf("found only %d variables", len(names))
	}
	for _, match := range names {
		name := string(match[1])
		if flag, ok := strings.CutPrefix(name, "ASSAY_CHAINCODE_"); ok {
			quoted := `"` + strings.ToLower(strings.ReplaceAll(flag, "_", "-")) + `"`
			known[name] = strings.Contains(string(flags), quoted)
		}
		if !known[name] {
			t.Errorf("%s is no setting that local networks or the contract service have", name)
		}
	}
}
