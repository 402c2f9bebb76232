package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/ceremony"
	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// recordedCeremony is a ceremony of the demonstration's consortium, for a circuit so small that it takes no time, on an embedded ledger.
type recordedCeremony struct {
	t      *testing.T
	ledger *embedded.Ledger
	folder string
	keys   *ceremony.Keyset
	cache  string
}

func newRecordedCeremony(t *testing.T) *recordedCeremony {
	t.Helper()
	if testing.Short() {
		t.Skip("founds a ledger and holds a ceremony")
	}
	t.Setenv("ASSAY_CACHE", t.TempDir())
	l, err := embedded.Create(filepath.Join(t.TempDir(), "ledger"), demoGenesis(), embedded.Options{Clock: func() time.Time { return demoStart.Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // a test's
	r := &recordedCeremony{t: t, ledger: l, folder: filepath.Join(t.TempDir(), "ceremony"), keys: smallKeyset(t), cache: t.TempDir()}
	plan := transcript.Plan{Name: "test", Ledger: l.ID(), Beacon: transcript.LedgerBeacon, Minimum: 3}
	for _, o := range l.Genesis().Organisations {
		plan.Contributors = append(plan.Contributors, transcript.Contributor{ID: o.ID, Key: o.Key})
	}
	if _, err := ceremony.Init(r.folder, plan, r.keys); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *recordedCeremony) book(org string) ledger.Book {
	r.t.Helper()
	b, err := r.ledger.Book(org)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *recordedCeremony) contribute(orgs ...string) {
	r.t.Helper()
	for _, org := range orgs {
		key, err := r.ledger.Signer(org)
		if err != nil {
			r.t.Fatal(err)
		}
		opened, err := ceremony.Open(r.folder)
		if err != nil {
			r.t.Fatal(err)
		}
		if err := opened.Use(r.keys); err != nil {
			r.t.Fatal(err)
		}
		if _, err := opened.Contribute(r.t.Context(), key); err != nil {
			r.t.Fatal(err)
		}
	}
}

// call carries out what a command does once it is connected, and returns what it printed and how it ended.
func (r *recordedCeremony) call(folder, org, what string) (string, error) {
	r.t.Helper()
	var out bytes.Buffer
	p := &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &out}
	c := &ceremonyCall{memberCall: memberCall{Printer: p}, keys: r.cache, compile: func(*transcript.Plan) (*ceremony.Keyset, error) { return r.keys, nil }}
	ctx := r.t.Context()
	opened, err := c.open(ctx, folder, false)
	if err != nil {
		return "", err
	}
	switch what {
	case "record":
		err = c.recordOn(ctx, r.book(org), opened)
	case "compare":
		err = c.compare(ctx, r.book(org), opened)
	default:
		var status *ceremony.Status
		if status, err = opened.Status(); err == nil {
			err = c.finalizeOn(ctx, r.book(org), folder, status.Stage)
		}
	}
	return out.String(), err
}

func (r *recordedCeremony) must(org, what, want string) {
	r.t.Helper()
	if out, err := r.call(r.folder, org, what); err != nil || !strings.Contains(out, want) {
		r.t.Fatalf("%s by %s: %v, want %q:\n%s", what, org, err, want, out)
	}
}

func (r *recordedCeremony) refused(folder, org, what, want string) {
	r.t.Helper()
	if out, err := r.call(folder, org, what); err == nil || !strings.Contains(err.Error(), want) {
		r.t.Fatalf("%s by %s: %v, want %q:\n%s", what, org, err, want, out)
	}
}

// copied is the folder as it is now.
func (r *recordedCeremony) copied() string {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(r.folder)); err != nil {
		r.t.Fatal(err)
	}
	return dir
}

const (
	testOwner     = "swapco"
	testLender    = "greenbank"
	testRegulator = "regulator"
)

// TestCeremonyOnALedger records a ceremony, closes its stages with the hashes of blocks, and finds what a folder and the ledger disagree about.
func TestCeremonyOnALedger(t *testing.T) {
	r := newRecordedCeremony(t)
	r.refused(r.folder, testOwner, "record", "recording the plan, which a regulator does: ")
	r.refused(r.folder, testRegulator, "finalize", "the ledger does not have this ceremony")
	r.refused(r.folder, testLender, "compare", "the ledger does not have this ceremony")
	r.must(testRegulator, "record", "RECORDED  plan of ceremony")
	r.must(testRegulator, "record", "The ledger has all of it already.")
	r.contribute(testOwner, testLender)
	r.must(testLender, "record", "RECORDED  contribution 2 to powers/v1")
	early := r.copied()
	r.contribute(testRegulator)
	r.refused(r.folder, testOwner, "compare", "'assay ceremony record' brings them")
	r.refused(r.folder, testRegulator, "finalize", "'assay ceremony record' brings them")
	r.must(testOwner, "record", "RECORDED  contribution 3 to srs/v1")
	r.refused(early, testOwner, "record", "the ledger has 3 contributions, this folder 2")
	r.refused(r.folder, testOwner, "finalize", "ending stage 1, which a regulator does: ")
	r.must(testOwner, "compare", "LEDGER    has the plan and every contribution")
	open := r.copied()
	r.must(testRegulator, "finalize", "RECORDED  closing of stage 1")
	r.refused(open, testOwner, "compare", "stage 1 is closed on the ledger, and open in this folder")
	// The stage has ended, so anybody's copy of the folder can be closed as it was.
	if out, err := r.call(open, testOwner, "finalize"); err != nil || !strings.Contains(out, "CLOSED") || !strings.Contains(out, "LEDGER    has the plan") {
		t.Fatalf("%v\n%s", err, out)
	}
	r.contribute(testRegulator, testOwner, testLender)
	r.must(testOwner, "record", "RECORDED  contribution 3 to twice/v1")
	r.must(testRegulator, "finalize", "RECORDED  closing of stage 2")
	r.must(testLender, "finalize", "stage 2 was closed with the hash of block")
	r.must(testOwner, "compare", "stage 1 was closed with the hash of block")
	r.sizes()
	r.setups()
}

// sizes looks for what may be pinned.
func (r *recordedCeremony) sizes() {
	ctx, t := context.Background(), r.t
	all, err := r.book(testOwner).Ceremonies(ctx)
	if err != nil || len(all) != 1 || all[0].Transcript.IsZero() {
		t.Fatalf("%v, %+v", err, all)
	}
	if sizes, err := recordedSizes(ctx, r.book(testOwner), all[0].Transcript); err != nil || len(sizes) != 0 {
		t.Errorf("a ceremony for no chunks: %v, %v", sizes, err)
	}
	if _, err := recordedSizes(ctx, r.book(testOwner), commit.Digest{7}); err == nil || !strings.Contains(err.Error(), "no ceremony on the ledger was closed with transcript") {
		t.Errorf("another transcript: %v", err)
	}
	var closing *transcript.Closing
	if closing, err = transcript.ParseClosing(all[0].Closings[1].Closing); err != nil {
		t.Fatal(err)
	}
	closing.Beacon[0] ^= 1
	if all[0].Closings[1].Closing, err = closing.Encode(); err != nil {
		t.Fatal(err)
	}
	if err := checkBlocks(ctx, r.book(testOwner), &all[0]); err == nil || !strings.Contains(err.Error(), "stage 2 was closed with") {
		t.Errorf("a closing value that is no block's hash: %v", err)
	}
	plan := &transcript.Plan{Circuits: []transcript.CircuitPlan{{ID: verify.FleetCircuit}, {ID: verify.ChunkCircuit(1024)}, {ID: verify.ChunkCircuit(64)}}}
	if sizes := plannedSizes(plan); len(sizes) != 2 || sizes[0] != 64 || sizes[1] != 1024 {
		t.Errorf("sizes %v", sizes)
	}
}

// setups opens what came out, by what a ledger pins and by the SRS alone.
func (r *recordedCeremony) setups() {
	t := r.t
	all, err := r.book(testOwner).Ceremonies(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	name := verify.CeremonySetup(all[0].Transcript)
	pinned := []verify.PublishedKey{
		{CircuitID: verify.SRSKey, Setup: name},
		{CircuitID: ceremonytest.TwiceID, Setup: name, Circuit: commit.Digest{1}},
	}
	keys, err := pinnedSetup(r.cache, pinned, nil)
	if err != nil || keys.Setup() != name {
		t.Fatalf("%v, %v", keys, err)
	}
	if found, err := setupWith(r.cache, keys.SRS().Digest()); err != nil || found.Setup() != name {
		t.Errorf("by the SRS: %v, %v", found, err)
	}
	if path, err := findSRSFile(r.cache, keys.SRS().Digest()); err != nil || path != keys.SRSFile() {
		t.Errorf("SRS file %q, %v", path, err)
	}
	_, noKey := pinnedSetup(t.TempDir(), pinned, nil)
	_, noSRS := setupWith(r.cache, commit.Digest{1})
	_, notPinned := pinnedSetup(r.cache, pinned[1:], nil)
	_, unknown := pinnedSetup(r.cache, []verify.PublishedKey{{CircuitID: verify.SRSKey, Setup: "found in the street"}}, nil)
	for want, err := range map[string]error{
		"'assay ceremony finalize FOLDER' makes them": noKey, "holds no setup with SRS": noSRS, "the ledger pins no SRS yet": notPinned, "this program knows": unknown,
		"holds no key twice-v1-0100": holdAll(keys, pinned, []string{ceremonytest.TwiceID}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := holdAll(keys, pinned, []string{verify.FleetCircuit}); err != nil {
		t.Errorf("a key that is not pinned is missed: %v", err)
	}
}

// TestFolderOfAnotherClosing closes a folder by hand, where the ledger closes it.
func TestFolderOfAnotherClosing(t *testing.T) {
	r := newRecordedCeremony(t)
	r.contribute(testOwner, testLender, testRegulator)
	r.must(testRegulator, "record", "RECORDED  contribution 3 to srs/v1")
	other := r.copied()
	opened, err := ceremony.Open(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Use(r.keys); err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Finalize(t.Context(), transcript.Beacon{Value: commit.Digest{1}, Source: "my own choice"}, r.cache); err != nil {
		t.Fatal(err)
	}
	r.refused(other, testRegulator, "record", "recording the closing of stage 1")
	r.must(testRegulator, "finalize", "CLOSED")
	r.refused(other, testRegulator, "record", "stage 1 was closed with "+commit.Digest{1}.String()+", my own choice, in this folder")
	r.refused(other, testRegulator, "compare", "stage 1 was closed with")
}
