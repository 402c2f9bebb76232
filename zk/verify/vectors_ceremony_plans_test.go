package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// planChanges are made before anybody contributes.
var planChanges = []struct {
	name    string
	change  func(p *transcript.Plan)
	failure transcript.Fault
}{
	{"valid: a rule of its own", func(p *transcript.Plan) { p.Beacon = "the first hash of a Bitcoin block in 2027" }, ""},
	{"valid: for no ledger", func(p *transcript.Plan) { p.Ledger = commit.Digest{} }, ""},
	{"valid: a name of 512 bytes", func(p *transcript.Plan) { p.Name = strings.Repeat("é", 256) }, ""},
	{"valid: few powers", func(p *transcript.Plan) { p.Powers = 4 }, ""},
	{"valid: one circuit, small", func(p *transcript.Plan) { p.Circuits, p.Domain = p.Circuits[:1], 8; p.Circuits[0].Domain = 8 }, ""},
	{"valid: a large circuit", func(p *transcript.Plan) { p.Domain, p.Circuits[1].Domain = 1<<20, 1<<20 }, ""},
	{"valid: a circuit's name of 32 letters", func(p *transcript.Plan) { p.Circuits[1].ID = "9" + strings.Repeat("/", 15) + strings.Repeat("-", 16) }, ""},
	{"another version", func(p *transcript.Plan) { p.Version = "assay-ceremony/v2" }, transcript.Encoding},
	{"no name", func(p *transcript.Plan) { p.Name = "" }, transcript.Encoding},
	{"a name of 513 bytes", func(p *transcript.Plan) { p.Name = strings.Repeat("n", 513) }, transcript.Encoding},
	{"a name with a line feed", func(p *transcript.Plan) { p.Name = "a\nb" }, transcript.Encoding},
	{"a name with a space that is none", func(p *transcript.Plan) { p.Name = "a\u2028b\u00a0" }, transcript.Encoding},
	{"no rule", func(p *transcript.Plan) { p.Beacon = "" }, transcript.Encoding},
	{"three powers", func(p *transcript.Plan) { p.Powers = 3 }, transcript.Encoding},
	{"8,195 powers", func(p *transcript.Plan) { p.Powers = 8195 }, transcript.Encoding},
	{"one contributor", func(p *transcript.Plan) { p.Contributors = p.Contributors[:1] }, transcript.Encoding},
	{"no contributors", func(p *transcript.Plan) { p.Contributors = []transcript.Contributor{} }, transcript.Encoding},
	{"65 contributors", func(p *transcript.Plan) { moreContributors(p, 65) }, transcript.Encoding},
	{"valid: 64 contributors", func(p *transcript.Plan) { moreContributors(p, 64) }, ""},
	{"a minimum of 1", func(p *transcript.Plan) { p.Minimum = 1 }, transcript.Encoding},
	{"a minimum of more than there are", func(p *transcript.Plan) { p.Minimum = 4 }, transcript.Encoding},
	{"a contributor without a name", func(p *transcript.Plan) { p.Contributors[0].ID = "" }, transcript.Encoding},
	{"a contributor twice", func(p *transcript.Plan) { p.Contributors[0].ID = p.Contributors[1].ID }, transcript.Encoding},
	{"a key twice", func(p *transcript.Plan) { p.Contributors[0].Key = p.Contributors[1].Key }, transcript.Encoding},
	{"a key that is none", func(p *transcript.Plan) { p.Contributors[2].Key = bytes.Repeat([]byte{1}, 44) }, transcript.Encoding},
	{"an empty key", func(p *transcript.Plan) { p.Contributors[2].Key = []byte{} }, transcript.Encoding},
	{"a key that is null", func(p *transcript.Plan) { p.Contributors[2].Key = nil }, transcript.Encoding},
	{"a key of small order", func(p *transcript.Plan) { copy(p.Contributors[0].Key[12:], append([]byte{1}, make([]byte, 31)...)) }, transcript.Encoding},
	{"no circuits", func(p *transcript.Plan) { p.Circuits = []transcript.CircuitPlan{} }, transcript.Encoding},
	{"17 circuits", func(p *transcript.Plan) { moreCircuits(p, 17) }, transcript.Encoding},
	{"a circuit twice", func(p *transcript.Plan) { p.Circuits[0].ID = p.Circuits[1].ID }, transcript.Encoding},
	{"circuits of one folder", func(p *transcript.Plan) { p.Circuits[0].ID = "fleet/64/v1" }, transcript.Encoding},
	{"a circuit that is the SRS", func(p *transcript.Plan) { p.Circuits[0].ID = transcript.SRSPart }, transcript.Encoding},
	{"a circuit in the powers' folder", func(p *transcript.Plan) { p.Circuits[0].ID = "powers-v1" }, transcript.Encoding},
	{"a circuit without a name", func(p *transcript.Plan) { p.Circuits[0].ID = "" }, transcript.Encoding},
	{"a circuit with a capital", func(p *transcript.Plan) { p.Circuits[0].ID = "chunk-64/V1" }, transcript.Encoding},
	{"a circuit that begins with a hyphen", func(p *transcript.Plan) { p.Circuits[0].ID = "-chunk" }, transcript.Encoding},
	{"a circuit's name of 33 letters", func(p *transcript.Plan) { p.Circuits[0].ID = strings.Repeat("z", 33) }, transcript.Encoding},
	{"a domain of 4", func(p *transcript.Plan) { p.Circuits[0].Domain = 4 }, transcript.Encoding},
	{"a domain below 0", func(p *transcript.Plan) { p.Circuits[0].Domain = -8 }, transcript.Encoding},
	{"a domain of 2^21", func(p *transcript.Plan) { p.Domain, p.Circuits[0].Domain = 1<<21, 1<<21 }, transcript.Encoding},
	{"a domain that is no power of two", func(p *transcript.Plan) { p.Circuits[0].Domain = 96 }, transcript.Encoding},
	{"a domain that is not the largest", func(p *transcript.Plan) { p.Domain = 1 << 16 }, transcript.Encoding},
}

func moreContributors(p *transcript.Plan, n int) {
	for i := len(p.Contributors); i < n; i++ {
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(100 + i)}, 32))
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			panic(err) // not for an Ed25519 key
		}
		p.Contributors = append(p.Contributors, transcript.Contributor{ID: fmt.Sprint("member ", i), Key: der})
	}
}

func moreCircuits(p *transcript.Plan, n int) {
	for i := len(p.Circuits); i < n; i++ {
		p.Circuits = append(p.Circuits, transcript.CircuitPlan{ID: fmt.Sprint("circuit-", i), Constraints: commit.Digest{byte(i)}, Domain: 8})
	}
}
