package systemtest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
)

// victim is a transaction that was not valid and of which somebody would like that it were, and one that was valid and is to be another.
type victim struct{ invalid, valid recordedCall }

// victim picks two transactions in the middle of the channel.
func (n *faultNetwork) victim(t *testing.T) victim {
	t.Helper()
	var v victim
	for _, r := range n.calls(t, n.clients[faultLender]) {
		switch {
		case r.valid() && len(r.args) == 3 && bytes.Contains(r.args[2], []byte(`"dated"`)):
			v.valid = r
		case r.code == peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE && r.function() == "anchor":
			v.invalid = r
		}
	}
	if v.valid.txID == "" || v.invalid.txID == "" {
		t.Fatal("there is no transaction to tamper with")
	}
	return v
}

// flip changes a byte in what is stored of a transaction: so many bytes behind where a part of it begins, and returns how to undo it.
func flip(t *testing.T, path string, r recordedCall, part []byte, behind int) (undo func()) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(b, r.envelope.GetPayload())
	inside := bytes.Index(r.envelope.GetPayload(), part)
	if start < 0 || inside < 0 || bytes.Contains(b[start+1:], r.envelope.GetPayload()) {
		t.Fatalf("transaction %s is not in %s just once", r.txID, path)
	}
	write := func(c byte) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{c}, int64(start+inside+behind)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	before := b[start+inside+behind]
	write(before ^ 1)
	return func() { write(before) }
}

// unsound has the regulator audit, and find first of all what is wrong with a block.
func (n *faultNetwork) unsound(t *testing.T, what string, height uint64, kind audit.Kind, args ...string) {
	t.Helper()
	report, code, notes := n.audited(t, args...)
	if code != 1 || report == nil || report.Sound || report.Failure() == nil {
		t.Errorf("%s: the audit ends with %d: %+v\n%s", what, code, report, notes)
		return
	}
	if f := report.Failure(); f.Block != height || f.Kind != kind {
		t.Errorf("%s: the audit finds %s, want %s in block %d", what, f, kind, height)
	}
	t.Logf("%s: %s", what, report.Failure())
}

// storeTampered stops the regulator's peer, changes its files of blocks, and starts it again. Peers trust their disk; the audit does not.
func (n *faultNetwork) storeTampered(t *testing.T) {
	v := n.victim(t)
	store := filepath.Join(n.Dir, "peers", faultRegulator, "data", "ledgersData", "chains", "chains", n.profiles[faultRegulator].Channel, "blockfile_000000")
	n.Kill(t, "peer."+faultRegulator)
	undo := flip(t, store, v.valid, []byte(`"dated"`), 3)
	n.Up(t)
	n.unsound(t, "another fleet", v.valid.height, audit.Damage)
	undo()
	// In front of the payload are a tag and a length of two bytes, and in front of that the length of the envelope.
	for what, behind := range map[string]int{"another length of the payload": -2, "another length of the envelope": -4} {
		undo = flip(t, store, v.valid, v.valid.envelope.GetPayload(), behind)
		n.unsound(t, what, v.valid.height, audit.Damage)
		undo()
	}
	n.auditSound(t)
}

// exportTampered does the same with a file of blocks.
func (n *faultNetwork) exportTampered(t *testing.T) {
	v := n.victim(t)
	path := filepath.Join(t.TempDir(), "blocks")
	n.fabric(t, "export", "--org", faultRegulator, "--out", path)
	if report, code, notes := n.audited(t, "--blocks", path); code != 0 || !report.Sound {
		t.Fatalf("the audit of the export ends with %d: %+v\n%s", code, report, notes)
	}
	undo := flip(t, path, v.valid, []byte(`"dated"`), 3)
	n.unsound(t, "another fleet", v.valid.height, audit.Damage, "--blocks", path)
	undo()
	forged := filepath.Join(t.TempDir(), "forged")
	forge(t, path, forged, func(number uint64, codes []byte) {
		if i := bytes.IndexByte(codes, byte(peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)); number == v.invalid.height && i >= 0 {
			codes[i] = byte(peer.TxValidationCode_VALID)
		}
	})
	n.unsound(t, "an anchor declared valid", v.invalid.height, audit.Flag, "--blocks", forged)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	report, code, notes := n.audited(t, "--blocks", path)
	if code == 0 || report != nil && report.Sound || report == nil && !strings.Contains(notes, "block") {
		t.Errorf("an export cut short: %d, %+v\n%s", code, report, notes)
	}
}

// forge rewrites a file of blocks with other validation codes.
func forge(t *testing.T, from, to string, change func(number uint64, codes []byte)) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close() //nolint:errcheck // opened for reading
	var out bytes.Buffer
	w, r := blockfile.NewWriter(&out), blockfile.NewReader(in)
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		block := decoded(t, b, &common.Block{})
		change(block.GetHeader().GetNumber(), block.GetMetadata().GetMetadata()[common.BlockMetadataIndex_TRANSACTIONS_FILTER])
		if err := w.Write(encoded(t, block)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
