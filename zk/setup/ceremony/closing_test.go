package ceremony

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

func TestClosingIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		stage  string
		beacon transcript.Beacon
		want   transcript.Fault
	}{
		{"zero", contributed, transcript.Beacon{Source: "block"}, transcript.BeaconUnfit},
		{"no source", contributed, transcript.Beacon{Value: beaconOne.Value}, transcript.BeaconUnfit},
		{"source that cannot be printed", contributed, transcript.Beacon{Value: beaconOne.Value, Source: "a\x1b[2J"}, transcript.BeaconUnfit},
		{"known before", complete, beaconOne, transcript.BeaconUnfit},
		{"nobody has contributed", halfway, beaconTwo, transcript.TooFew},
	} {
		c := ceremonyAt(t, test.stage)
		_, err := c.Finalize(ctx, test.beacon, t.TempDir())
		var r *transcript.Refusal
		if !errors.As(err, &r) || r.Fault != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	c := ceremonyAt(t, contributed)
	if err := os.Remove(c.contributionPath(transcript.PowersPart, 2)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Finalize(ctx, beaconOne, t.TempDir())
	refused(t, err, transcript.TooFew)
	forge(t, c, transcript.PowersPart, 2, bob, bodyOf(t, c.contributionPath(transcript.SRSPart, 2)), nil)
	_, err = c.Finalize(ctx, beaconOne, t.TempDir())
	refused(t, err, transcript.Length)
	if _, err := os.Stat(c.closingPath(transcript.FirstStage)); err == nil {
		t.Error("closed with a bad contribution")
	}
}

// TestNothingIsAddedAfterClosing, or taken away.
func TestNothingIsAddedAfterClosing(t *testing.T) {
	late := ceremonyAt(t, contributed)
	if _, err := late.Contribute(ctx, carol); err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{halfway, complete, finished} {
		c := ceremonyAt(t, stage)
		put(t, c.contributionPath(transcript.SRSPart, 3), mustRead(t, late.contributionPath(transcript.SRSPart, 3)))
		_, err := c.Verify(ctx, t.TempDir())
		refused(t, err, transcript.Late)
		c = ceremonyAt(t, stage)
		if err := os.Remove(c.contributionPath(transcript.PowersPart, 2)); err != nil {
			t.Fatal(err)
		}
		_, err = c.Verify(ctx, t.TempDir())
		refused(t, err, transcript.Late)
	}
	_, err := ceremonyAt(t, finished).Contribute(ctx, carol)
	refused(t, err, transcript.Late)
}

// TestForgedClosing changes what a closing says.
func TestForgedClosing(t *testing.T) {
	for _, test := range []struct {
		name string
		want transcript.Fault
		do   func(*transcript.Closing)
	}{
		{"another ceremony", transcript.OtherCeremony, func(e *transcript.Closing) { e.Ceremony[0] ^= 1 }},
		{"another stage", transcript.OtherPart, func(e *transcript.Closing) { e.Stage = 1 }},
		{"a part less", transcript.OtherPart, func(e *transcript.Closing) { e.Parts = e.Parts[:1] }},
		{"parts in another order", transcript.OtherPart, func(e *transcript.Closing) { e.Parts[0], e.Parts[1] = e.Parts[1], e.Parts[0] }},
		{"too few", transcript.TooFew, func(e *transcript.Closing) { e.Parts[0].Contributions = 1 }},
		{"more than there are", transcript.Late, func(e *transcript.Closing) { e.Parts[0].Contributions = 3 }},
		{"more than may be", transcript.TooFew, func(e *transcript.Closing) { e.Parts[0].Contributions = 4 }},
		{"another last", transcript.Late, func(e *transcript.Closing) { e.Parts[0].Last[0] ^= 1 }},
		{"the first stage's beacon", transcript.BeaconUnfit, func(e *transcript.Closing) { e.Beacon = beaconOne.Value }},
		{"no beacon", transcript.BeaconUnfit, func(e *transcript.Closing) { e.Beacon = commit.Digest{} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := ceremonyAt(t, finished)
			editClosing(t, c, transcript.SecondStage, test.do)
			_, err := c.Verify(ctx, cacheCopy(t))
			refused(t, err, test.want)
		})
	}
	c := ceremonyAt(t, finished)
	if err := os.Remove(c.closingPath(transcript.FirstStage)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Status()
	refused(t, err, transcript.Order)
	put(t, c.closingPath(transcript.FirstStage), []byte(strings.Repeat(" ", transcript.MaxClosing+1)))
	_, err = c.Status()
	refused(t, err, transcript.Length)
	put(t, c.closingPath(transcript.FirstStage), []byte(`{"unknown":1}`))
	_, err = c.Status()
	refused(t, err, transcript.Encoding)
}

func editClosing(t *testing.T, c *Ceremony, stage int, do func(*transcript.Closing)) {
	t.Helper()
	var e transcript.Closing
	if err := json.Unmarshal(mustRead(t, c.closingPath(stage)), &e); err != nil {
		t.Fatal(err)
	}
	do(&e)
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	put(t, c.closingPath(stage), b)
}

// TestAnotherBeaconMakesAnotherTranscript: whoever changes a closing value has made other keys, under another name.
func TestAnotherBeaconMakesAnotherTranscript(t *testing.T) {
	want, err := ceremonyAt(t, finished).Status()
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(*transcript.Closing){
		"value":  func(e *transcript.Closing) { e.Beacon[5] ^= 1 },
		"source": func(e *transcript.Closing) { e.Source += "!" },
	} {
		c := ceremonyAt(t, finished)
		editClosing(t, c, transcript.SecondStage, do)
		_, err := c.Verify(ctx, cacheCopy(t))
		refused(t, err, transcript.Damaged) // by whoever kept the transcript
		if err := os.Remove(filepath.Join(c.dir, transcriptFile)); err != nil {
			t.Fatal(err)
		}
		r, err := c.Verify(ctx, cacheCopy(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.Transcript == want.Transcript || r.Keys[1].Kept {
			t.Errorf("%s: transcript %s, keys kept: %v", name, r.Transcript, r.Keys[1].Kept)
		}
		// Changing the first stage's closing takes what stands on it away.
		c = ceremonyAt(t, finished)
		editClosing(t, c, transcript.FirstStage, do)
		_, err = c.Verify(ctx, cacheCopy(t))
		refused(t, err, transcript.Order)
	}
}

// TestFinalKeyNotOfTheTranscript puts other keys in the cache: of a single party, of another ceremony, or with a point changed, with and without a
// manifest that fits.
func TestFinalKeyNotOfTheTranscript(t *testing.T) {
	if testing.Short() {
		t.Skip("verifies ten times")
	}
	c := ceremonyAt(t, finished)
	want, err := c.Verify(ctx, cacheCopy(t))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Init(t.TempDir(), testPlan(t), small(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	theirs := t.TempDir()
	runAll(t, other, theirs)
	dir := "ceremony-" + want.Transcript.String()
	for _, pattern := range []string{"srs.*", "twice-*", "plain-*"} {
		for _, what := range []string{"bin", "json", "[bj]*"} {
			cache := cacheCopy(t)
			found, err := filepath.Glob(filepath.Join(theirs, "*", strings.ReplaceAll(pattern, "*", "*."+what)))
			if pattern == "srs.*" {
				found, err = filepath.Glob(filepath.Join(theirs, "*", "srs."+what))
			}
			if err != nil || len(found) == 0 {
				t.Fatal(found, err)
			}
			for _, path := range found {
				put(t, filepath.Join(cache, dir, filepath.Base(path)), mustRead(t, path))
			}
			_, err = c.Verify(ctx, cache)
			refused(t, err, transcript.Key)
		}
	}
	cache := cacheCopy(t)
	found, err := filepath.Glob(filepath.Join(cache, dir, "twice-*.bin"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	put(t, found[0], append(mustRead(t, found[0]), 0))
	_, err = c.Verify(ctx, cache)
	refused(t, err, transcript.Key)
	if _, err := setup.Finished(cache, commit.Digest{9}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("keys of a ceremony that is not there: %v", err)
	}
}

// runAll carries a ceremony out from plan to keys.
func runAll(t testing.TB, c *Ceremony, cache string) *transcript.Record {
	t.Helper()
	if c.keys == nil {
		if err := c.Use(small(t, nil)); err != nil {
			t.Fatal(err)
		}
	}
	var r *transcript.Record
	for _, beacon := range []transcript.Beacon{beaconOne, beaconTwo} {
		if _, err := c.Contribute(ctx, alice); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Contribute(ctx, bob); err != nil {
			t.Fatal(err)
		}
		var err error
		if r, err = c.Finalize(ctx, beacon, cache); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// TestKeyThatAVerifierRefuses is not kept.
func TestKeyThatAVerifierRefuses(t *testing.T) {
	c, cache := ceremonyAt(t, complete), t.TempDir()
	c.keys.Check = func(k verify.PublishedKey) error {
		if k.CircuitID == transcript.SRSPart {
			return nil
		}
		return errors.New("refused by the verifier")
	}
	_, err := c.Finalize(ctx, beaconTwo, cache)
	refused(t, err, transcript.Key)
	if _, err := os.Stat(c.closingPath(transcript.SecondStage)); err == nil {
		t.Error("closed all the same")
	}
}

// TestNoRegularFile: who holds the folder cannot make others wait for a pipe, or read what is none of its files.
func TestNoRegularFile(t *testing.T) {
	for name, look := range map[string]func(c *Ceremony) error{
		planFile:         func(c *Ceremony) error { _, err := Open(c.dir); return err },
		"closing-1.json": func(c *Ceremony) error { _, err := c.Status(); return err },
		transcriptFile:   func(c *Ceremony) error { _, err := c.Transcript(); return err },
	} {
		c := ceremonyAt(t, halfway)
		path := filepath.Join(c.dir, name)
		os.Remove(path) //nolint:errcheck // there need not be one
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if r := refused(t, look(c), transcript.Encoding); r.Where != path {
			t.Errorf("%s: names %s", name, r.Where)
		}
	}
}
