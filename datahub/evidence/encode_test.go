package evidence

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Blocks are put where package json would put them, whatever is beside them.
func TestEncodingIsThatOfPackageJSON(t *testing.T) {
	g := contracttest.WithKeys(contracttest.Genesis())
	for i, blocks := range [][]Block{
		nil, {}, {{}}, {{Height: 1, Data: []byte{}}}, {{Height: 1<<64 - 1, Data: []byte{0xfb, 0xff, 0xfe}}, {Height: 2}, {Height: 3, Data: make([]byte, 1000)}},
	} {
		for _, text := range []string{"", `"blocks": []`, `{"blocks":[]}`} {
			e := &Evidence{Version: Version, Ledger: g.ID(), Genesis: *g, Blocks: blocks, Format: text, ExportedBy: text, Signature: []byte{1}}
			e.Request.Verdict = &ledger.ProofVerdict{Verdict: json.RawMessage(`{"blocks": [], "of": {"blocks":[]}}`)}
			t.Run(fmt.Sprintf("%d/%s", i, text), func(t *testing.T) { sameAsJSON(t, e) })
		}
	}
}

func sameAsJSON(t *testing.T, e *Evidence) {
	want, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want)+"\n", string(got)); diff != "" {
		t.Errorf("the file: %s", diff)
	}
	unsigned := *e
	unsigned.Signature = nil
	if got, err = e.SigningBytes(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(ledger.Tagged("assay/v1/evidence", e.Ledger[:], ledger.Encode(&unsigned))), string(got)); diff != "" {
		t.Errorf("what is signed: %s", diff)
	}
}
