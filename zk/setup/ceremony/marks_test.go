package ceremony

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// TestMarksSaveWork: what was verified once is read, but not verified again; and a mark does not excuse other bytes.
func TestMarksSaveWork(t *testing.T) {
	c := ceremonyAt(t, contributed)
	c.Marks = filepath.Join(t.TempDir(), "marks")
	verifications := func(c *Ceremony) (n int) {
		c.Step = func(title string, _ int64) func(int64) {
			if len(title) > 9 && title[:9] == "verifying" {
				n++
			}
			return nil
		}
		if _, err := c.Contribute(ctx, carol); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := verifications(c); n != 4 {
		t.Errorf("%d contributions verified, want 4", n)
	}
	for _, part := range c.plan.Parts(transcript.FirstStage) {
		if err := os.Remove(c.contributionPath(part, 3)); err != nil {
			t.Fatal(err)
		}
	}
	if n := verifications(c); n != 0 {
		t.Errorf("%d verified again", n)
	}
	for _, part := range c.plan.Parts(transcript.FirstStage) {
		if err := os.Remove(c.contributionPath(part, 3)); err != nil {
			t.Fatal(err)
		}
	}
	flip(t, c.contributionPath(transcript.SRSPart, 1), transcript.HeaderBytes+proofBytes+20)
	_, err := c.Contribute(ctx, carol)
	refused(t, err, transcript.Damaged)
	for _, d := range []string{c.Marks} {
		if entries, err := os.ReadDir(d); err != nil || len(entries) != 8 {
			t.Errorf("marks: %v, %v", entries, err)
		}
	}
}

// TestMarksInFinalize: who has verified or made everything closes without doing it again, and without marks everything is verified.
func TestMarksInFinalize(t *testing.T) {
	c := ceremonyAt(t, complete)
	cache := t.TempDir()
	verifications := func(do func() error) (n int) {
		c.Step = func(title string, _ int64) func(int64) {
			if strings.HasPrefix(title, "verifying") {
				n++
			}
			return nil
		}
		if err := do(); err != nil {
			t.Fatal(err)
		}
		return n
	}
	c.Marks = filepath.Join(t.TempDir(), "marks")
	if n := verifications(func() error { _, err := c.Contribute(ctx, carol); return err }); n != 6 { // powers of tau and circuits
		t.Errorf("%d contributions verified, want 6", n)
	}
	if n := verifications(func() error { _, err := c.Finalize(ctx, beaconTwo, cache); return err }); n != 2 { // the SRS
		t.Errorf("%d contributions verified when closing, want 2", n)
	}
	if n := verifications(func() error { _, err := c.Verify(ctx, cache); return err }); n != 10 {
		t.Errorf("%d contributions verified in verifying, want 10", n)
	}
}

// TestFalseMark: who can write marks makes this machine's Finalize believe a contribution that nobody verified, but not its Verify, which leaves no mark of it either.
func TestFalseMark(t *testing.T) {
	c := ceremonyAt(t, contributed)
	body := bodyOf(t, c.contributionPath(transcript.SRSPart, 2))
	p := newSRSPart(ceremonytest.Powers)
	at := offset(t, p.layout, "[tau^i]1") + 2*g1Bytes
	forge(t, c, transcript.SRSPart, 2, bob, replaced(body, at, doubled(t, body[at:])), nil)
	h, err := c.header(c.contributionPath(transcript.SRSPart, 2))
	if err != nil {
		t.Fatal(err)
	}
	c.Marks = filepath.Join(t.TempDir(), "marks")
	_, err = c.Verify(ctx, "")
	refused(t, err, transcript.Update)
	if c.marked(h.Digest()) {
		t.Fatal("what was refused is marked")
	}
	if err := c.mark(h.Digest()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Finalize(ctx, beaconOne, t.TempDir()); err != nil {
		t.Errorf("the mark is not believed: %v", err)
	}
	_, err = c.Verify(ctx, "")
	refused(t, err, transcript.Update)
}
