package ledger_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func TestDecodeTakesOneForm(t *testing.T) {
	good := `{"fleet":"a","epoch":7}`
	if v, err := ledger.Decode[ledger.EpochRef]("x", []byte(good), 100); err != nil || v.Epoch != 7 {
		t.Fatal(v, err)
	}
	for _, b := range []string{"", good + " ", good + good, `{"epoch":7,"fleet":"a"}`, `{"fleet":"a"}`, `{"fleet":"a","fleet":"a","epoch":7}`,
		`{"fleet":"a","epoch":7,"more":1}`, `{"Fleet":"a","epoch":7}`, `{"fleet":"a","epoch":-7}`, "{\"fleet\":\"\xff\",\"epoch\":7}", `{"fleet":"\u0061","epoch":7}`} {
		if _, err := ledger.Decode[ledger.EpochRef]("x", []byte(b), 100); err == nil {
			t.Errorf("%s is read", b)
		}
	}
	if _, err := ledger.Decode[ledger.EpochRef]("x", []byte(good), len(good)-1); err == nil {
		t.Error("the bound does not hold")
	}
}

func TestTaggedPartsDoNotRunTogether(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][][]byte{{}, {nil}, {nil, nil}, {[]byte("ab"), []byte("c")}, {[]byte("a"), []byte("bc")}, {[]byte("abc")}} {
		b := string(ledger.Tagged("tag", parts...))
		if seen[b] {
			t.Errorf("%q is said in two ways", parts)
		}
		seen[b] = true
	}
}

func TestStateKeysAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	d := commit.Digest{1}
	for _, key := range []string{
		ledger.MakerKey("a"), ledger.MakerAuthorityKey(d), ledger.FleetKey("a"), ledger.ChunkKey("a", 1), ledger.SlotKeyOf("a", 1, 1), ledger.SlotKeyOf("a", 1, 2),
		ledger.SlotKeyOf("a", 2, 1), ledger.DeviceKey(d), ledger.SerialKey("a", "b"), ledger.SerialKey("a", "b/c"), ledger.SerialKey("a-b", "c"),
		ledger.AnchorKey("a", 1, 1), ledger.AnchorKey("a", 1, 2), ledger.AnchorKey("a", 16, 1), ledger.AnchorHeadKey("a", 1), ledger.ClosingKey("a", 1), ledger.PublishedKeyKey("chunk-64/v1"),
		ledger.RequestKey(d), ledger.NonceKey("a", "00"), ledger.DecisionKey(d), ledger.WithdrawalKey(d), ledger.VerdictKey(d),
	} {
		if seen[key] || strings.ContainsAny(key, " \x00") {
			t.Errorf("key %q", key)
		}
		seen[key] = true
	}
	if ledger.SlotPrefix("a", 1) >= ledger.SlotPrefix("a", 10) || ledger.SlotKeyOf("a", 1, 9) >= ledger.SlotKeyOf("a", 1, 10) {
		t.Error("numbers are out of order")
	}
	if strings.HasPrefix(ledger.ChunkKey("a-b", 1), ledger.ChunkPrefix("a")) {
		t.Error("one fleet's prefix reaches into another's")
	}
}

func TestAttestationsSplit(t *testing.T) {
	in := [][]byte{[]byte("a"), bytes.Repeat([]byte{7}, commit.MaxAttestation), []byte("bc")}
	joined := ledger.JoinAttestations(in)
	out, err := ledger.SplitAttestations(joined)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
	many := bytes.Repeat([]byte{0, 1, 'x'}, commit.MaxSize+1)
	for name, b := range map[string][]byte{
		"cut short": joined[:len(joined)-1], "length cut": append(bytes.Clone(joined), 0), "empty one": {0, 0}, "long one": {0xff, 0xff},
		"too many": many, "too long": make([]byte, ledger.MaxTransient+1),
	} {
		if _, err := ledger.SplitAttestations(b); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	if out, err := ledger.SplitAttestations(many[3:]); err != nil || len(out) != commit.MaxSize {
		t.Errorf("%d attestations, %v", len(out), err)
	}
}

func FuzzSplitAttestations(f *testing.F) {
	f.Add(ledger.JoinAttestations([][]byte{[]byte("a"), []byte("bc")}))
	f.Add([]byte{0, 2, 'a'})
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := ledger.SplitAttestations(b)
		if err == nil && !bytes.Equal(ledger.JoinAttestations(out), b) {
			t.Error("two encodings of one list")
		}
	})
}

func FuzzDecodeArguments(f *testing.F) {
	f.Add(ledger.Encode(ledger.Enrol{Fleet: "a", Devices: []ledger.EnrolDevice{{Slot: 1, Certificate: []byte("x")}}}))
	f.Add(ledger.Encode(ledger.Decide{Reasons: []string{"<&>"}}))
	f.Add(ledger.Encode(ledger.Grant{Terms: contracttest.Terms("fleet-a")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := ledger.Decode[ledger.Enrol]("enrol", b, ledger.MaxArgs); err == nil && !bytes.Equal(ledger.Encode(v), b) {
			t.Error("two encodings of one enrolment")
		}
		if v, err := ledger.Decode[ledger.Decide]("decide", b, ledger.MaxArgs); err == nil && !bytes.Equal(ledger.Encode(v), b) {
			t.Error("two encodings of one decision")
		}
		if v, err := ledger.Decode[ledger.Grant]("grant", b, ledger.MaxArgs); err == nil && !bytes.Equal(ledger.Encode(v), b) {
			t.Error("two encodings of one grant")
		}
	})
}
