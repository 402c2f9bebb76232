package verdict_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
)

var update = flag.Bool("update", false, "prove the fixtures anew and rewrite the golden files in testdata")

func TestMain(m *testing.M) {
	logger.Disable()
	flag.Parse()
	if *update {
		if err := prove(); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// Two bundles with exports, kept for as long as there are verifiers: of one, every claim holds, of the other not.
const (
	holding = "holds"
	failing = "fails"
)

func prove() error {
	for _, name := range []string{holding, failing} {
		bundle, trust, err := verdicttest.Prove(verdicttest.Size{Batteries: 80, Slots: 64, Absent: true}, verdicttest.Statement(20, name == holding))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join("testdata", name+".cbor"), bundle, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join("testdata", name+".trust.json"), trust.Marshal(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
