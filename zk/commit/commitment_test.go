package commit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
)

func testPlace(srs *commit.SRS) commit.Place {
	return commit.Place{Ledger: commit.Digest{9}, SRS: srs.Digest(), Fleet: "fleet", Chunk: 2, Size: 64, Slot: 11, Epoch: 5}
}

// ‡ r depends on x: a retry after a crash or a rollback must not put one blinding scalar under two records.
func TestOneBlindingScalarNeverServesTwoRecords(t *testing.T) {
	srs, secret := committest.UnsafeSRS(64), commit.NewSecret()
	p := testPlace(srs)
	first, err := commit.Commit(srs, p, committest.Record(1), secret)
	if err != nil {
		t.Fatal(err)
	}
	second, err := commit.Commit(srs, p, committest.Record(2), secret)
	if err != nil {
		t.Fatal(err)
	}
	if first.R.Equal(&second.R) {
		t.Fatal("two records in one slot and epoch have one blinding scalar")
	}
	again, err := commit.Commit(srs, p, committest.Record(1), secret)
	if err != nil || !again.R.Equal(&first.R) || !again.C.Equal(&first.C) {
		t.Errorf("committing twice to one record gave two commitments (%v)", err)
	}
}

func TestBlindingCoversThePlaceAndTheSecret(t *testing.T) {
	secret := commit.NewSecret()
	p := testPlace(committest.UnsafeSRS(64))
	x := committest.Record(1).Pack()
	r := p.Blinding(secret, x)
	for name, q := range elsewhere(p) {
		if other := q.Blinding(secret, x); other.Equal(&r) {
			t.Errorf("blinding does not depend on %s", name)
		}
	}
	if other := p.Blinding(commit.NewSecret(), x); other.Equal(&r) {
		t.Error("blinding does not depend on the secret")
	}
}

func TestCommitmentIsOverTheSlotsOwnBases(t *testing.T) {
	srs, secret := committest.UnsafeSRS(64), commit.NewSecret()
	p := testPlace(srs)
	o, err := commit.Commit(srs, p, committest.Record(1), secret)
	if err != nil {
		t.Fatal(err)
	}
	if want := commit.Combine(srs.G1(11), srs.G1(64+11), o.X, o.R); !o.C.Equal(&want) {
		t.Error("C is not x·[τ^s] + r·[τ^(n+s)]")
	}
}

func TestChunkCommitmentIsTheKZGCommitmentOfItsPolynomial(t *testing.T) {
	chunk := committest.NewChunk(64, commit.Ed25519)
	coefficients := make([]fr.Element, 2*64)
	for slot, o := range chunk.Openings {
		coefficients[slot], coefficients[64+slot] = o.X, o.R
	}
	want, err := kzg.Commit(coefficients, chunk.SRS.ProvingKey())
	if err != nil {
		t.Fatal(err)
	}
	if !want.Equal(&chunk.Commitment) {
		t.Error("the sum of a chunk's commitments is not its polynomial's")
	}
}

func TestCommitRefuses(t *testing.T) {
	srs, secret := committest.UnsafeSRS(64), commit.NewSecret()
	good := testPlace(srs)
	for name, c := range map[string]struct {
		change func(p *commit.Place)
		rec    record.Record
	}{
		"absent record":      {func(*commit.Place) {}, record.Record{}},
		"presence of 2":      {func(*commit.Place) {}, record.Record{2}},
		"lane that spills":   {func(*commit.Place) {}, record.Record{1, 1 << record.LaneBits}},
		"another srs":        {func(p *commit.Place) { p.SRS[0] ^= 1 }, record.Record{1}},
		"size beyond srs":    {func(p *commit.Place) { p.Size = 256 }, record.Record{1}},
		"slot beyond size":   {func(p *commit.Place) { p.Slot = 64 }, record.Record{1}},
		"size not a size":    {func(p *commit.Place) { p.Size = 32 }, record.Record{1}},
		"fleet without name": {func(p *commit.Place) { p.Fleet = "" }, record.Record{1}},
	} {
		p := good
		c.change(&p)
		if _, err := commit.Commit(srs, p, c.rec, secret); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A device whose record does not open, or is out of bounds, counts as absent.
func TestOwnerChecksEveryRecordBeforeItAnchors(t *testing.T) {
	srs, secret := committest.UnsafeSRS(64), commit.NewSecret()
	p := testPlace(srs)
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		t.Fatal(err)
	}
	rec := committest.Record(3)
	o, err := commit.Commit(srs, p, rec, secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commit.CheckOpening(srs, p, schema, rec, secret, o.C); err != nil {
		t.Fatalf("good record refused: %v", err)
	}
	if _, err := commit.CheckOpening(srs, p, schema, committest.Record(4), secret, o.C); err == nil {
		t.Error("another record opened the commitment")
	}
	if _, err := commit.CheckOpening(srs, p, schema, rec, commit.NewSecret(), o.C); err == nil {
		t.Error("another secret opened the commitment")
	}
	rec[1] = 15_001
	o, err = commit.Commit(srs, p, rec, secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commit.CheckOpening(srs, p, schema, rec, secret, o.C); err == nil {
		t.Error("a record beyond the schema's bounds was accepted")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	srs := committest.UnsafeSRS(64)
	secret := commit.NewSecret()
	o, err := commit.Commit(srs, testPlace(srs), committest.Record(1), secret)
	if err != nil {
		t.Fatal(err)
	}
	holder := struct {
		Secret  commit.Secret
		Opening commit.Opening
		Pointer *commit.Secret
	}{secret, o, &secret}
	hidden := []string{
		fmt.Sprintf("%x", secret[:]), strings.Trim(fmt.Sprint(secret[:]), "[]"), o.X.String(), o.R.String(), fmt.Sprint([4]uint64(o.R)),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%X", "%d", "%s", "%q", "%o"} {
		for _, value := range []any{secret, &secret, o, &o, holder} {
			text := fmt.Sprintf(verb, value)
			for _, h := range hidden {
				if strings.Contains(text, h) {
					t.Errorf("%s of %T shows a secret: %s", verb, value, text)
				}
			}
		}
	}
	for _, value := range []any{secret, o, holder} {
		if out, err := json.Marshal(value); err == nil {
			t.Errorf("%T was marshalled: %s", value, out)
		}
	}
}

func TestSum(t *testing.T) {
	if s := commit.Sum(nil); !s.IsInfinity() {
		t.Error("the sum of nothing is not infinity")
	}
	_, _, g, _ := bn254.Generators()
	var minus, two bn254.G1Affine
	minus.Neg(&g)
	two.Double(&g)
	if s := commit.Sum([]bn254.G1Affine{g, minus}); !s.IsInfinity() {
		t.Error("g − g is not infinity")
	}
	if s := commit.Sum([]bn254.G1Affine{g, g}); !s.Equal(&two) {
		t.Error("g + g is not 2g")
	}
}
