package page

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/second"
)

// benchSecond has the second verifier verify the bundle in a process that has seen none, and says how large it is with its libraries.
func benchSecond(t *testing.T, files verdict.Files, trust *ledger.Trust) (took time.Duration, size int64) {
	t.Helper()
	facts, err := trust.FactsAt(verdicttest.Fleet, verdicttest.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := setup.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	program, err := second.Install(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := second.Start(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close() //nolint:errcheck // what it answered is what counts
	request := struct {
		Op     string                `json:"op"`
		Bundle []byte                `json:"bundle"`
		Facts  *verify.Facts         `json:"facts"`
		Keys   []verify.PublishedKey `json:"keys"`
	}{"bundle", files.Bundle, facts, trust.Keys}
	var answer struct {
		Failure verify.Failure `json:"failure"`
		Why     string         `json:"why"`
	}
	begun := time.Now()
	if err := v.Ask(request, &answer); err != nil {
		t.Fatal(err)
	}
	took = time.Since(begun)
	if answer.Failure != "" {
		t.Fatalf("%s: %s", answer.Failure, answer.Why)
	}
	return took, folderSize(t, filepath.Dir(filepath.Dir(program)))
}

func folderSize(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}
