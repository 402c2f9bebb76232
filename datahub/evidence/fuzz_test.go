package evidence

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/verify"
)

func FuzzParse(f *testing.F) {
	g := contracttest.WithKeys(contracttest.Genesis())
	e := &Evidence{
		Version: Version, Ledger: g.ID(), Genesis: *g, Request: ledger.RequestEntry{Status: ledger.StatusOpen}, Policies: []ledger.PolicyRecord{},
		Keys: []verify.PublishedKey{}, Transactions: []Transaction{}, Blocks: []Block{{Height: 1, Data: []byte{1}}}, ExportedBy: contracttest.Lender, Signature: make([]byte, 64),
	}
	b, err := e.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(bytes.Replace(b, []byte(`"blocks"`), []byte(`"Blocks"`), 1))
	f.Add([]byte(`{"version":"assay-evidence/v1"}`))
	f.Add([]byte(`{"facts":{"chunks":[{},{},{}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Parse(b)
		if err != nil {
			// What is not signed is looked at no less: Verify must take whatever a signature may be over.
			e = new(Evidence)
			if unsigned, err := ledger.Decode[Evidence]("evidence", b, MaxBytes); err == nil {
				e = unsigned
			}
		}
		if r := Verify(e, Options{}); r.Sound {
			t.Fatalf("sound without blocks: %v", r.Lines)
		}
	})
}
