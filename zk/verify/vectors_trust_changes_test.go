package verify_test

import (
	"bytes"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// trustChanges are signed by the regulator, whatever they say.
var trustChanges = []struct {
	name    string
	change  func(t *ledger.Trust)
	failure verify.Failure
}{
	{"lists that are null", func(t *ledger.Trust) { t.Keys, t.Facts[1].Chunks = nil, nil }, ""},
	{"nothing exported", func(t *ledger.Trust) { t.Facts, t.Requests = nil, nil }, ""},
	{"exported before 1970", func(t *ledger.Trust) { t.ExportedAt = -1 << 63 }, ""},
	{"height of 64 bits", func(t *ledger.Trust) { t.Height = 1<<64 - 1 }, ""},
	{"classes of many names", func(t *ledger.Trust) {
		t.Facts[0].Chunks[0].Classes = map[string]uint32{"": 1, "z": 1, "é": 1, "\uffff": 1, "\U00010000": 1, "a\u2028b": 1, "\x7f\x01": 1}
	}, ""},
	{"another version", func(t *ledger.Trust) { t.Version = "assay-trust/v2" }, trustInvalid},
	{"the ledger of another genesis", func(t *ledger.Trust) { t.Ledger[0] ^= 1; t.Facts[0].Ledger, t.Facts[1].Ledger = t.Ledger, t.Ledger }, trustInvalid},
	{"facts of another ledger", func(t *ledger.Trust) { t.Facts[0].Ledger[0] ^= 1 }, trustInvalid},
	{"facts out of order", func(t *ledger.Trust) { t.Facts[0], t.Facts[1] = t.Facts[1], t.Facts[0] }, trustInvalid},
	{"facts twice", func(t *ledger.Trust) { t.Facts[1] = t.Facts[0] }, trustInvalid},
	{"facts that contradict themselves", func(t *ledger.Trust) { t.Facts[0].Enrolled++ }, trustInvalid},
	{"a fleet that is no id", func(t *ledger.Trust) { t.Facts[1].Fleet, t.Requests = "fleet_a", nil }, trustInvalid},
	{"a fleet that ends in a hyphen", func(t *ledger.Trust) { t.Facts[1].Fleet, t.Requests = "fleet-b-", nil }, trustInvalid},
	{"a fleet of one letter", func(t *ledger.Trust) { t.Facts[1].Fleet, t.Requests = "z", nil }, ""},
	{"a fleet of 64 letters", func(t *ledger.Trust) { t.Facts[1].Fleet, t.Requests = strings.Repeat("z", 64), nil }, ""},
	{"a fleet of 65 letters", func(t *ledger.Trust) { t.Facts[1].Fleet, t.Requests = strings.Repeat("z", 65), nil }, trustInvalid},
	{"an owner who owns nothing", func(t *ledger.Trust) { t.Facts[0].Owner = "lender" }, trustInvalid},
	{"an epoch of 2^32", func(t *ledger.Trust) { t.Facts[1].Epoch, t.Requests[1].Epoch = 1<<32, 1<<32 }, trustInvalid},
	{"an epoch of 2^32 − 1", func(t *ledger.Trust) { t.Facts[1].Epoch, t.Requests[1].Epoch = 1<<32-1, 1<<32-1 }, ""},
	{"a chunk index of 65536", func(t *ledger.Trust) { t.Facts[0].Chunks[1].Index = 65536 }, trustInvalid},
	{"a commitment that is no point", func(t *ledger.Trust) { t.Facts[0].Chunks[0].Commitment = make([]byte, 32) }, trustInvalid},
	{"an anchor without a height", func(t *ledger.Trust) { t.Facts[0].Chunks[0].Height = 0 }, trustInvalid},
	{"an anchor beyond the height", func(t *ledger.Trust) { t.Facts[0].Chunks[0].Height = 6 }, trustInvalid},
	{"a key of an unknown circuit", func(t *ledger.Trust) {
		t.Keys = []verify.PublishedKey{verify.NewPublishedKey("x", verify.SetupUnsafe, nil)}
	}, trustInvalid},
	{"a request twice", func(t *ledger.Trust) { t.Requests[1].ID = t.Requests[0].ID }, trustInvalid},
	{"requests out of order", func(t *ledger.Trust) { t.Requests[1].ID = commit.Digest{} }, trustInvalid},
	{"a request about other facts", func(t *ledger.Trust) { t.Requests[0].Epoch++; t.Requests[0].Fleet = "fleet-b" }, trustInvalid},
	{"a request by a stranger", func(t *ledger.Trust) { t.Requests[0].Requester = "x" }, trustInvalid},
	{"a status that is none", func(t *ledger.Trust) { t.Requests[0].Status = "fine" }, trustInvalid},
	{"exported by an owner", func(t *ledger.Trust) { t.ExportedBy = "owner" }, trustInvalid},
	{"exported by nobody", func(t *ledger.Trust) { t.ExportedBy = "x" }, trustInvalid},
}

// genesisChanges are followed by a new ledger id.
var genesisChanges = []struct {
	name    string
	change  func(g *ledger.Genesis)
	failure verify.Failure
}{
	{"another name", func(g *ledger.Genesis) { g.Name = "Köln 电池" }, ""},
	{"another version", func(g *ledger.Genesis) { g.Version = "assay-genesis/v2" }, trustInvalid},
	{"no name", func(g *ledger.Genesis) { g.Name = "" }, trustInvalid},
	{"name of 129 bytes", func(g *ledger.Genesis) { g.Name = strings.Repeat("n", 129) }, trustInvalid},
	{"name with a tab", func(g *ledger.Genesis) { g.Name = "a\tb" }, trustInvalid},
	{"epoch zero below 0", func(g *ledger.Genesis) { g.EpochZero = -1 }, trustInvalid},
	{"epoch zero after 9999", func(g *ledger.Genesis) { g.EpochZero = 253_402_300_800 }, trustInvalid},
	{"no clock skew", func(g *ledger.Genesis) { g.ClockSkewSeconds = 0 }, trustInvalid},
	{"clock skew of 61 seconds", func(g *ledger.Genesis) { g.ClockSkewSeconds = 61 }, trustInvalid},
	{"epochs of less than four skews", func(g *ledger.Genesis) { g.EpochSeconds, g.AnchorWindowSeconds = 59, 59 }, trustInvalid},
	{"epochs of four skews", func(g *ledger.Genesis) { g.EpochSeconds, g.AnchorWindowSeconds = 60, 60 }, ""},
	{"epochs of more than 366 days", func(g *ledger.Genesis) { g.EpochSeconds = 31_622_401 }, trustInvalid},
	{"window longer than an epoch", func(g *ledger.Genesis) { g.AnchorWindowSeconds = g.EpochSeconds + 1 }, trustInvalid},
	{"proposals of 3601 seconds", func(g *ledger.Genesis) { g.ProposalAgeSeconds = 3601 }, trustInvalid},
	{"an organisation twice", func(g *ledger.Genesis) { g.Organisations[1].ID = "owner" }, trustInvalid},
	{"a key twice", func(g *ledger.Genesis) { g.Organisations[1].Key = g.Organisations[0].Key }, trustInvalid},
	{"an MSP id twice", func(g *ledger.Genesis) { g.Organisations[1].MSP = "owner" }, trustInvalid},
	{"an MSP id that is the id", func(g *ledger.Genesis) { g.Organisations[1].MSP = "lender" }, trustInvalid},
	{"an MSP id that begins with a dot", func(g *ledger.Genesis) { g.Organisations[1].MSP = ".x" }, trustInvalid},
	{"an MSP id that ends with a dot", func(g *ledger.Genesis) { g.Organisations[1].MSP = "x." }, ""},
	{"an MSP id of 65 letters", func(g *ledger.Genesis) { g.Organisations[1].MSP = strings.Repeat("x", 65) }, trustInvalid},
	{"an organisation without a name", func(g *ledger.Genesis) { g.Organisations[1].Name = "" }, trustInvalid},
	{"no roles", func(g *ledger.Genesis) { g.Organisations[1].Roles = nil }, trustInvalid},
	{"a role twice", func(g *ledger.Genesis) {
		g.Organisations[1].Roles = []ledger.Role{ledger.RoleFinancier, ledger.RoleFinancier}
	}, trustInvalid},
	{"a role that is none", func(g *ledger.Genesis) { g.Organisations[1].Roles = []ledger.Role{"auditor"} }, trustInvalid},
	{"a regulator that owns", func(g *ledger.Genesis) {
		g.Organisations[0].Roles = []ledger.Role{ledger.RoleOwner, ledger.RoleRegulator}
	}, trustInvalid},
	{"an id with a capital", func(g *ledger.Genesis) { g.Organisations[1].ID = "Lender" }, trustInvalid},
	{"a key that is none", func(g *ledger.Genesis) { g.Organisations[1].Key = bytes.Repeat([]byte{1}, 44) }, trustInvalid},
	{"a key that is null", func(g *ledger.Genesis) { g.Organisations[1].Key = nil }, trustInvalid},
	{"a key of small order", func(g *ledger.Genesis) {
		g.Organisations[1].Key = append(bytes.Clone(g.Organisations[1].Key[:12]), append([]byte{1}, make([]byte, 31)...)...)
	}, ""},
	{"no regulators asked for", func(g *ledger.Genesis) { g.Quorum.Regulators = 0 }, trustInvalid},
	{"more regulators than there are", func(g *ledger.Genesis) { g.Quorum.Regulators = 2 }, trustInvalid},
	{"more others than there are", func(g *ledger.Genesis) { g.Quorum.Others = 2 }, trustInvalid},
}
