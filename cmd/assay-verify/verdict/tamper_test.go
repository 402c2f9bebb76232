package verdict_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// kept is a fixture whose export can be changed and signed anew.
type kept struct {
	bundle []byte
	trust  *ledger.Trust
}

func open(t testing.TB) *kept {
	t.Helper()
	trust, err := ledger.ParseTrust(read(t, "holds.trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	return &kept{read(t, "holds.cbor"), trust}
}

// What is changed, in the bundle or by a regulator in the export, is found and named.
func TestTamperedFilesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, *kept)
		want   verdict.Failure
	}{
		"no bundle":            {func(_ *testing.T, k *kept) { k.bundle = nil }, verify.BundleEncoding},
		"a bundle cut short":   {func(_ *testing.T, k *kept) { k.bundle = k.bundle[:len(k.bundle)-1] }, verify.BundleEncoding},
		"a byte behind":        {func(_ *testing.T, k *kept) { k.bundle = append(k.bundle, 0) }, verify.BundleEncoding},
		"a claim turned round": {flip(false, true), verify.FleetRejected},
		"a chunk's response": {inBundle(func(b *verify.Bundle) {
			b.Chunks[0].Proof.Mask.Zx, b.Chunks[0].Proof.Mask.Zr = b.Chunks[0].Proof.Mask.Zr, b.Chunks[0].Proof.Mask.Zx
		}), verify.MaskRejected},
		"a chunk's value":     {inBundle(func(b *verify.Bundle) { b.Chunks[0].Proof.Y.SetUint64(1) }), verify.ChunkRejected},
		"a total":             {inBundle(func(b *verify.Bundle) { b.Disclosed[1].SetUint64(1) }), verify.FleetRejected},
		"the population":      {inBundle(func(b *verify.Bundle) { b.Disclosed[0].SetUint64(81) }), verify.PopulationDiffer},
		"a chunk left out":    {inBundle(func(b *verify.Bundle) { b.Chunks = b.Chunks[1:] }), verify.ChunksMismatch},
		"another question":    {inBundle(func(b *verify.Bundle) { b.Statement.Purpose = "something else" }), verify.MaskRejected},
		"another epoch":       {inBundle(func(b *verify.Bundle) { b.Statement.Epoch++ }), verdict.FactsMissing},
		"another fleet":       {inBundle(func(b *verify.Bundle) { b.Statement.Fleet = "fleet-b" }), verdict.FactsMissing},
		"another anchor":      {inTrust(func(k *ledger.Trust) { c := k.Facts[0].Chunks; c[0].Commitment = c[1].Commitment }), verify.MaskRejected},
		"fewer attested":      {inTrust(func(k *ledger.Trust) { k.Facts[0].Chunks[0].Attested-- }), verify.PopulationDiffer},
		"too few attested":    {inTrust(func(k *ledger.Trust) { k.Facts[0].Chunks[0].Attested = 1 }), verify.CoverageTooLow},
		"no keys":             {inTrust(func(k *ledger.Trust) { k.Keys = []verify.PublishedKey{} }), verify.KeyUnknown},
		"a relabelled key":    {inTrust(func(k *ledger.Trust) { k.Keys[0].Setup = verify.CeremonySetup(commit.Digest{1}) }), verify.KeyMismatch},
		"an unknown setup":    {inTrust(func(k *ledger.Trust) { k.Keys[0].Setup = "trust me" }), verify.KeySetup},
		"contradicting facts": {inTrust(func(k *ledger.Trust) { k.Facts[0].Enrolled++ }), verify.FactsInvalid},
		"no request":          {inTrust(func(k *ledger.Trust) { k.Requests = []ledger.TrustRequest{} }), verdict.NotAsked},
		"a refused request":   {inTrust(func(k *ledger.Trust) { k.Requests[0].Status = ledger.StatusRefused }), verdict.RequestEnded},
		"signed by a lender":  {inTrust(func(k *ledger.Trust) { k.ExportedBy = verdicttest.Lender }), verdict.TrustRefused},
		"not signed anew":     {func(_ *testing.T, k *kept) { k.trust.Height++ }, verdict.TrustRefused},
		"another consortium": {inTrust(func(k *ledger.Trust) {
			k.Genesis.Name = "Mine"
			k.Ledger = k.Genesis.ID()
			k.Facts[0].Ledger = k.Ledger
		}), verify.MaskRejected},
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t)
			c.change(t, k)
			v := verdict.Check(verdict.Files{Bundle: k.bundle, Trust: k.trust.Marshal()})
			if v.Valid || v.Holds || v.Outcome != verdict.NotValid || v.Proven != nil {
				t.Fatalf("is %s", v.Outcome)
			}
			if v.Failure != c.want || v.Reason == "" {
				t.Errorf("failure is %q (%s), want %q", v.Failure, v.Reason, c.want)
			}
			if text := v.Document().Text(); !strings.Contains(text, "NOT VALID.") || strings.Contains(text, "HOLDS:") {
				t.Errorf("the text is\n%s", text)
			}
		})
	}
}

func inTrust(change func(*ledger.Trust)) func(*testing.T, *kept) {
	return func(_ *testing.T, k *kept) {
		change(k.trust)
		verdicttest.Sign(k.trust)
	}
}

func inBundle(change func(*verify.Bundle)) func(*testing.T, *kept) {
	return func(t *testing.T, k *kept) {
		b, err := verify.ParseBundle(k.bundle)
		if err != nil {
			t.Fatal(err)
		}
		change(b)
		if k.bundle, err = b.Marshal(); err != nil {
			t.Fatal(err)
		}
	}
}

func flip(holds ...bool) func(*testing.T, *kept) {
	return inBundle(func(b *verify.Bundle) { b.Holds = holds })
}

// Evidence is another file, and another program's.
func TestEvidenceIsSentElsewhere(t *testing.T) {
	v := verdict.Check(verdict.Files{Bundle: read(t, "holds.cbor"), Trust: []byte("{\n \"version\": \"assay-evidence/v1\",\n")})
	if v.Failure != verdict.TrustRefused || !strings.Contains(v.Reason, "assay-verify evidence") {
		t.Errorf("got %s: %s", v.Failure, v.Reason)
	}
}

// No byte of a bundle can be changed so that another valid bundle comes of it: the format has one encoding of everything.
func TestEveryByteOfABundleCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("verifies many bundles")
	}
	k := open(t)
	trust := k.trust.Marshal()
	const step = 7 // every byte takes a minute
	for i := 0; i < len(k.bundle); i += step {
		b := bytes.Clone(k.bundle)
		b[i] ^= 1
		if v := verdict.Check(verdict.Files{Bundle: b, Trust: trust}); v.Valid {
			t.Errorf("with byte %d changed the bundle is %s", i, v.Outcome)
		}
	}
}

// Nothing that files hold breaks off a check, or gets a character into a text that could steer what shows it.
func FuzzCheck(f *testing.F) {
	k := open(f)
	f.Add(k.bundle, k.trust.Marshal())
	f.Add(read(f, "fails.cbor"), read(f, "fails.trust.json"))
	f.Add([]byte{}, []byte("{}"))
	f.Fuzz(func(t *testing.T, bundle, trust []byte) {
		v := verdict.Check(verdict.Files{Bundle: bundle, Trust: trust})
		if v.Valid == (v.Failure != "") || v.Valid != (v.Proven != nil) {
			t.Errorf("valid is %t with failure %q", v.Valid, v.Failure)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Error(err)
		}
		if text := v.Document().Text(); strings.ContainsAny(text, "\x00\x07\x08\x1b\r\u202e\u2028") {
			t.Errorf("the text has a character that steers: %q", text)
		}
	})
}
