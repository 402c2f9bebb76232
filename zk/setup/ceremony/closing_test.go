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
	"github.com/assay-net/assay/zk/verify"
)

func TestClosingIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		stage  string
		beacon Beacon
		want   Fault
	}{
		{"zero", contributed, Beacon{Source: "block"}, BeaconUnfit},
		{"no source", contributed, Beacon{Value: beaconOne.Value}, BeaconUnfit},
		{"source that cannot be printed", contributed, Beacon{beaconOne.Value, "a\x1b[2J"}, BeaconUnfit},
		{"known before", complete, beaconOne, BeaconUnfit},
		{"nobody has contributed", halfway, beaconTwo, TooFew},
	} {
		c := ceremonyAt(t, test.stage)
		_, err := c.Finalize(ctx, test.beacon, t.TempDir())
		var r *Refusal
		if !errors.As(err, &r) || r.Fault != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	c := ceremonyAt(t, contributed)
	if err := os.Remove(c.contributionPath(powersPart, 2)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Finalize(ctx, beaconOne, t.TempDir())
	refused(t, err, TooFew)
	forge(t, c, powersPart, 2, bob, bodyOf(t, c.contributionPath(srsPart, 2)), nil)
	_, err = c.Finalize(ctx, beaconOne, t.TempDir())
	refused(t, err, Length)
	if _, err := os.Stat(c.closingPath(firstStage)); err == nil {
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
		put(t, c.contributionPath(srsPart, 3), mustRead(t, late.contributionPath(srsPart, 3)))
		_, err := c.Verify(ctx, t.TempDir())
		refused(t, err, Late)
		c = ceremonyAt(t, stage)
		if err := os.Remove(c.contributionPath(powersPart, 2)); err != nil {
			t.Fatal(err)
		}
		_, err = c.Verify(ctx, t.TempDir())
		refused(t, err, Late)
	}
	_, err := ceremonyAt(t, finished).Contribute(ctx, carol)
	refused(t, err, Late)
}

// TestForgedClosing changes what a closing says.
func TestForgedClosing(t *testing.T) {
	for _, test := range []struct {
		name string
		want Fault
		do   func(*closing)
	}{
		{"another ceremony", OtherCeremony, func(e *closing) { e.Ceremony[0] ^= 1 }},
		{"another stage", OtherPart, func(e *closing) { e.Stage = 1 }},
		{"a part less", OtherPart, func(e *closing) { e.Parts = e.Parts[:1] }},
		{"parts in another order", OtherPart, func(e *closing) { e.Parts[0], e.Parts[1] = e.Parts[1], e.Parts[0] }},
		{"too few", TooFew, func(e *closing) { e.Parts[0].Contributions = 1 }},
		{"more than there are", Late, func(e *closing) { e.Parts[0].Contributions = 3 }},
		{"more than may be", TooFew, func(e *closing) { e.Parts[0].Contributions = 4 }},
		{"another last", Late, func(e *closing) { e.Parts[0].Last[0] ^= 1 }},
		{"the first stage's beacon", BeaconUnfit, func(e *closing) { e.Beacon = beaconOne.Value }},
		{"no beacon", BeaconUnfit, func(e *closing) { e.Beacon = commit.Digest{} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := ceremonyAt(t, finished)
			editClosing(t, c, secondStage, test.do)
			_, err := c.Verify(ctx, cacheCopy(t))
			refused(t, err, test.want)
		})
	}
	c := ceremonyAt(t, finished)
	if err := os.Remove(c.closingPath(firstStage)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Status()
	refused(t, err, Order)
	put(t, c.closingPath(firstStage), []byte(strings.Repeat(" ", maxClosing+1)))
	_, err = c.Status()
	refused(t, err, Length)
	put(t, c.closingPath(firstStage), []byte(`{"unknown":1}`))
	_, err = c.Status()
	refused(t, err, Encoding)
}

func editClosing(t *testing.T, c *Ceremony, stage int, do func(*closing)) {
	t.Helper()
	var e closing
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
	for name, do := range map[string]func(*closing){
		"value":  func(e *closing) { e.Beacon[5] ^= 1 },
		"source": func(e *closing) { e.Source += "!" },
	} {
		c := ceremonyAt(t, finished)
		editClosing(t, c, secondStage, do)
		r, err := c.Verify(ctx, cacheCopy(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.Transcript == want.Transcript || r.Keys[1].Kept {
			t.Errorf("%s: transcript %s, keys kept: %v", name, r.Transcript, r.Keys[1].Kept)
		}
		// Changing the first stage's closing takes what stands on it away.
		c = ceremonyAt(t, finished)
		editClosing(t, c, firstStage, do)
		_, err = c.Verify(ctx, cacheCopy(t))
		refused(t, err, Order)
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
			refused(t, err, Key)
		}
	}
	cache := cacheCopy(t)
	found, err := filepath.Glob(filepath.Join(cache, dir, "twice-*.bin"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	put(t, found[0], append(mustRead(t, found[0]), 0))
	_, err = c.Verify(ctx, cache)
	refused(t, err, Key)
	if _, err := setup.Finished(cache, commit.Digest{9}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("keys of a ceremony that is not there: %v", err)
	}
}

// runAll carries a ceremony out from plan to keys.
func runAll(t testing.TB, c *Ceremony, cache string) *Record {
	t.Helper()
	if c.keys == nil {
		if err := c.Use(small(t, nil)); err != nil {
			t.Fatal(err)
		}
	}
	var r *Record
	for _, beacon := range []Beacon{beaconOne, beaconTwo} {
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
		if k.CircuitID == srsPart {
			return nil
		}
		return errors.New("refused by the verifier")
	}
	_, err := c.Finalize(ctx, beaconTwo, cache)
	refused(t, err, Key)
	if _, err := os.Stat(c.closingPath(secondStage)); err == nil {
		t.Error("closed all the same")
	}
}
