package verdict_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

var (
	anew   = flag.Bool("prove", false, "prove the fixtures in testdata anew")
	update = flag.Bool("update", false, "rewrite the golden files in testdata, and the transcript")
)

func TestMain(m *testing.M) {
	logger.Disable()
	flag.Parse()
	if *anew {
		must(prove())
	}
	if *update {
		must(hold())
	}
	os.Exit(m.Run())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
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

// hold makes the transcript of a ceremony, and the export that names it, of the first export. The operator took no part.
func hold() error {
	b, err := os.ReadFile(filepath.Join("testdata", holding+".trust.json"))
	if err != nil {
		return err
	}
	trust, err := ledger.ParseTrust(b)
	if err != nil {
		return err
	}
	file, err := verdicttest.Ceremony(verdicttest.Plan(trust), trust, verdicttest.Lender, verdicttest.Regulator)
	if err != nil {
		return err
	}
	if b, err = file.Encode(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join("testdata", "ceremony.transcript.json"), b, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("testdata", "ceremony.trust.json"), trust.Marshal(), 0o644)
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
