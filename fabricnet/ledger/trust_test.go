package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// regulatorKey is fixed, so that seeds of fuzz tests are valid in every run.
var regulatorKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{42}, ed25519.SeedSize))

// newTrust is a valid export of a fleet with two chunks.
func newTrust(t testing.TB) *ledger.Trust {
	t.Helper()
	g := contracttest.Genesis()
	for i := range g.Organisations {
		seed := bytes.Repeat([]byte{byte(i)}, ed25519.SeedSize)
		key := ed25519.NewKeyFromSeed(seed)
		if g.Organisations[i].ID == contracttest.Regulator {
			key = regulatorKey
		}
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		g.Organisations[i].Key = der
	}
	point := generator()
	facts := verify.Facts{
		Ledger: g.ID(), Fleet: "fleet-a", Owner: contracttest.Operator, Schema: contracttest.Schema, Epoch: 11, Enrolled: 9, Retired: 1,
		Chunks: []verify.ChunkFacts{
			{Index: 0, Size: 64, Enrolled: 7, Classes: map[string]uint32{"module": 7}, Anchored: true, Attested: 6, Commitment: point, Height: 3, TxID: strings.Repeat("a", 64)},
			{Index: 2, Size: 64, Enrolled: 2, Classes: map[string]uint32{"module": 2}},
		},
	}
	trust := &ledger.Trust{
		Version: ledger.TrustVersion, Ledger: g.ID(), Genesis: g, Height: 5, BlockHash: commit.Digest{5}, Keys: []verify.PublishedKey{},
		Facts: []verify.Facts{facts}, Requests: []ledger.TrustRequest{request(1), request(2)}, ExportedAt: 1_700_900_000, ExportedBy: contracttest.Regulator,
	}
	resign(trust)
	return trust
}

func generator() []byte {
	b := make([]byte, commit.PointBytes)
	b[0], b[31] = 0x80, 1
	return b
}

func request(id byte) ledger.TrustRequest {
	return ledger.TrustRequest{ID: commit.Digest{id}, Fleet: "fleet-a", Epoch: 11, Requester: contracttest.Regulator, Status: ledger.StatusVerified, Time: 1_700_800_000}
}

func resign(t *ledger.Trust) { t.Signature = ed25519.Sign(regulatorKey, t.SigningBytes()) }

func TestTrustRoundTrip(t *testing.T) {
	trust := newTrust(t)
	again, err := ledger.ParseTrust(trust.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(trust, again, cmpopts.IgnoreUnexported(ledger.Trust{})); diff != "" {
		t.Error(diff)
	}
	if f, err := again.FactsAt("fleet-a", 11); err != nil || f.Enrolled != 9 {
		t.Errorf("facts are %+v, %v", f, err)
	}
	if _, err := again.FactsAt("fleet-a", 12); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("facts that are not there: %v", err)
	}
}

// A keyring is parsed once, but never one of other keys than the export has.
func TestTrustKeyring(t *testing.T) {
	trust := newTrust(t)
	trust.Keys = []verify.PublishedKey{contracttest.ChunkKey(contracttest.SRS(), 64)}
	resign(trust)
	read, err := ledger.ParseTrust(trust.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	first, err := read.Keyring()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := read.Keyring(); err != nil || second != first {
		t.Errorf("parsed again: %v", err)
	}
	read.Keys[0].Key[40] ^= 1
	if _, err := read.Keyring(); err == nil {
		t.Error("a key that was changed behind the keyring's back is taken")
	}
	read.Keys = nil
	if empty, err := read.Keyring(); err != nil || empty == first {
		t.Errorf("the keyring of no keys is that of one: %v", err)
	}
}

func TestChangingAnyByteOfATrustExportIsFound(t *testing.T) {
	good := newTrust(t).Marshal()
	for i := range good {
		for _, flip := range []byte{1, 0x20, 0x80} {
			b := bytes.Clone(good)
			b[i] ^= flip
			if _, err := ledger.ParseTrust(b); err == nil {
				t.Fatalf("byte %d (%q to %q) may be changed", i, good[i], b[i])
			}
		}
	}
	for _, b := range [][]byte{good[:len(good)-1], append(bytes.Clone(good), '\n'), nil, make([]byte, ledger.MaxTrust+1)} {
		if _, err := ledger.ParseTrust(b); err == nil {
			t.Errorf("%d bytes are read", len(b))
		}
	}
}

// These exports are signed by the regulator, and still wrong.
func TestTrustRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ledger.Trust)
		text   string
	}{
		"version":                   {func(t *ledger.Trust) { t.Version = "x" }, "version"},
		"ledger of another genesis": {func(t *ledger.Trust) { t.Ledger[0] ^= 1; t.Facts[0].Ledger = t.Ledger }, "digest"},
		"genesis":                   {func(t *ledger.Trust) { t.Genesis.Quorum.Others = 0 }, "quorum"},
		"facts of another ledger":   {func(t *ledger.Trust) { t.Facts[0].Ledger[0] ^= 1 }, "ledger"},
		"owner that owns nothing":   {func(t *ledger.Trust) { t.Facts[0].Owner = "lender" }, "owner"},
		"schema":                    {func(t *ledger.Trust) { t.Facts[0].Schema = "x" }, "schema"},
		"fleet":                     {func(t *ledger.Trust) { t.Facts[0].Fleet = "A/b" }, "fleet"},
		"enrolled":                  {func(t *ledger.Trust) { t.Facts[0].Enrolled = 8 }, "enrolled"},
		"facts twice":               {func(t *ledger.Trust) { t.Facts = append(t.Facts, t.Facts[0]) }, "twice"},
		"anchored in the future":    {func(t *ledger.Trust) { t.Facts[0].Chunks[0].Height = 6 }, "height"},
		"anchored nowhere":          {func(t *ledger.Trust) { t.Facts[0].Chunks[0].Height = 0 }, "height"},
		"commitment":                {func(t *ledger.Trust) { t.Facts[0].Chunks[0].Commitment[0] = 0x40 }, "commitment"},
		"chunk twice":               {func(t *ledger.Trust) { t.Facts[0].Chunks[1].Index = 0 }, "chunk 0"},
		"chunk index":               {func(t *ledger.Trust) { t.Facts[0].Chunks[1].Index = 1 << 16 }, "index"},
		"epoch":                     {func(t *ledger.Trust) { t.Facts[0].Epoch = 1 << 40 }, "epoch"},
		"key":                       {func(t *ledger.Trust) { t.Keys = append(t.Keys, verify.PublishedKey{CircuitID: "x"}) }, "key"},
		"request twice":             {func(t *ledger.Trust) { t.Requests[1].ID = t.Requests[0].ID }, "twice"},
		"requests out of order":     {func(t *ledger.Trust) { t.Requests[1].ID = commit.Digest{} }, "order"},
		"request about other facts": {func(t *ledger.Trust) { t.Requests[0].Epoch++ }, "facts"},
		"request by a stranger":     {func(t *ledger.Trust) { t.Requests[0].Requester = "x" }, "requester"},
		"status of a request":       {func(t *ledger.Trust) { t.Requests[0].Status = "fine" }, "status"},
		"by an owner":               {func(t *ledger.Trust) { t.ExportedBy = "operator" }, "not a regulator"},
		"by nobody":                 {func(t *ledger.Trust) { t.ExportedBy = "x" }, "not a regulator"},
	} {
		t.Run(name, func(t *testing.T) {
			trust := newTrust(t)
			c.change(trust)
			resign(trust)
			if _, err := ledger.ParseTrust(trust.Marshal()); err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %q", err, c.text)
			}
		})
	}
}

// Whoever makes a consortium of their own can sign for it, and gets another ledger id.
func TestTrustOfAnotherConsortiumHasAnotherLedgerID(t *testing.T) {
	mine, theirs := newTrust(t), newTrust(t)
	theirs.Genesis.Organisations[0].Name = "Operator of the same name"
	theirs.Ledger = theirs.Genesis.ID()
	theirs.Facts[0].Ledger = theirs.Ledger
	resign(theirs)
	if _, err := ledger.ParseTrust(theirs.Marshal()); err != nil {
		t.Fatal(err)
	}
	if mine.Ledger == theirs.Ledger {
		t.Error("two consortia have one ledger id")
	}
}

func FuzzParseTrust(f *testing.F) {
	f.Add(newTrust(f).Marshal())
	f.Add([]byte(`{"version":"assay-trust/v1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		trust, err := ledger.ParseTrust(b)
		if err == nil && !bytes.Equal(trust.Marshal(), b) {
			t.Error("two encodings of one export")
		}
	})
}
