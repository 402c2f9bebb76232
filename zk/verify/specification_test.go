package verify_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// TestSpecificationSaysTheSame holds what is easily counted against zk/SPEC.md. The second verifier holds the rest.
func TestSpecificationSaysTheSame(t *testing.T) {
	b, err := os.ReadFile("../SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	says := func(line string) {
		t.Helper()
		if !strings.Contains(string(b), line) {
			t.Errorf("zk/SPEC.md does not say %q", line)
		}
	}
	for _, f := range verify.Failures() {
		says(fmt.Sprintf("\n| `%s` | ", f))
	}
	for _, s := range record.Schemas() {
		for i, l := range s.Lanes[1:] {
			says(fmt.Sprintf("\n| %d | `%s` | %s | %d | %d | %d |\n", i+1, l.Name, l.Unit, l.Scale, l.Offset, l.Max))
			if l.Min != 0 {
				t.Errorf("%s: the least is %d", l.Name, l.Min)
			}
		}
	}
	unused := verify.UnusedInput()
	says(fmt.Sprintf("unused = %#x\n", unused.Bytes()))
	for _, k := range madeUpKeys(t) {
		says(fmt.Sprintf("`%s`", k.CircuitID))
		says(fmt.Sprintf("| %s |\n", thousands(len(k.Key))))
	}
	says(fmt.Sprintf("**Chunk proof**, %d bytes", verify.ChunkProofBytes))
	says(fmt.Sprintf("**Fleet proof**, %d bytes", verify.FleetProofBytes))
	says(fmt.Sprintf("with these %d public inputs", verify.FleetPublic))
	says(fmt.Sprintf("%d numbers, in this order", statement.VectorSize))
	says(fmt.Sprintf("CBOR of at most %s bytes, an array of six", thousands(verify.MaxBundleBytes)))
	says(fmt.Sprintf("more than %s items", thousands(verify.MaxBundleChunks)))
	says(fmt.Sprintf("At most %s bytes of JSON", thousands(statement.MaxBytes)))
	says(fmt.Sprintf("CBOR of at most %d bytes, an array of ten", commit.MaxAttestation))
	says(fmt.Sprintf("2 ≤ D ≤ %s", thousands(commit.MaxPowers)))
	for _, f := range ceremonyFailures {
		says(fmt.Sprintf("\n| `%s` | ", f))
	}
	for _, text := range []string{transcript.FileVersion, transcript.Version, transcript.SRSPart, transcript.PowersPart} {
		says(fmt.Sprintf("`%s`", text))
	}
	says(fmt.Sprintf("%q, the source is", transcript.LedgerBeacon))
	says(fmt.Sprintf("at most %s bytes of JSON as in section 2.6", thousands(transcript.MaxFile)))
	says(fmt.Sprintf("A header has %d bytes", transcript.HeaderBytes))
	says(fmt.Sprintf("2 to %d contributors", transcript.MaxContributors))
	says(fmt.Sprintf("1 to %d circuits", transcript.MaxCircuits))
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
