package ceremony

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/setup/evaluation"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// TestClosedPowersAndStartAreTheLibrarys: what the library seals, and what it initializes a circuit with, is what is read here in another way.
func TestClosedPowersAndStartAreTheLibrarys(t *testing.T) {
	c := ceremonyAt(t, halfway)
	first, _, err := c.closings()
	if err != nil {
		t.Fatal(err)
	}
	powers, err := c.closedPowers(c.work(ctx, false), first)
	if err != nil {
		t.Fatal(err)
	}
	library := new(powersState)
	if _, err := library.ReadFrom(bytes.NewReader(bodyOf(t, c.contributionPath(transcript.PowersPart, 2)))); err != nil {
		t.Fatal(err)
	}
	end := first.Of(transcript.PowersPart)
	if err := library.bind(end.Digest); err != nil {
		t.Fatal(err)
	}
	sealed := library.Seal(end.Beacon[:])
	ends := powers.Ends()
	if ends.G1.AlphaTau[0] != sealed.G1.AlphaTau[0] || ends.G1.BetaTau[0] != sealed.G1.BetaTau[0] || ends.G2.Beta != sealed.G2.Beta {
		t.Error("alpha or beta is another")
	}
	for i, circuit := range c.keys.Circuits {
		p, err := c.circuitPart(circuit.ID, first)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.start(c.work(ctx, false))
		if err != nil {
			t.Fatal(err)
		}
		cut := &evaluation.Powers{SrsCommons: sealed}
		want := new(mpcsetup.Phase2)
		want.Initialize(circuit.System, &cut.Cut(c.plan.Circuits[i].Domain).SrsCommons)
		if diff := cmp.Diff(written(t, want), written(t, got)); diff != "" {
			t.Error(circuit.ID, diff)
		}
	}
}

func written(t testing.TB, s io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestStartIsKept by whoever is first, and others read it instead of making it.
func TestStartIsKept(t *testing.T) {
	c := ceremonyAt(t, halfway)
	titles := func(call func() error) (made, checked int) {
		t.Helper()
		c.Step = func(title string, _ int64) func(int64) {
			if strings.Contains(title, "on the powers of tau") {
				made++
			}
			if strings.Contains(title, "checking the start") {
				checked++
			}
			return nil
		}
		if err := call(); err != nil {
			t.Fatal(err)
		}
		return made, checked
	}
	contribute := func() error { _, err := c.Contribute(ctx, alice); return err }
	if made, checked := titles(contribute); made != 2 || checked != 2 {
		t.Errorf("made %d and checked %d starts, want 2 and 2", made, checked)
	}
	verify := func() error { _, err := c.Verify(ctx, ""); return err }
	if made, checked := titles(verify); made != 0 || checked != 2 {
		t.Errorf("made %d and checked %d starts, want 0 and 2", made, checked)
	}
	if err := os.Remove(c.startPath(plainID)); err != nil {
		t.Fatal(err)
	}
	if made, checked := titles(verify); made != 1 || checked != 2 {
		t.Errorf("made %d and checked %d starts, want 1 and 2", made, checked)
	}
	if os.Geteuid() == 0 {
		return // root writes everywhere
	}
	if err := errors.Join(os.Remove(c.startPath(plainID)), os.Chmod(filepath.Dir(c.startPath(plainID)), 0o555)); err != nil {
		t.Fatal(err)
	}
	if made, _ := titles(verify); made != 1 {
		t.Errorf("in a folder that cannot be written to: made %d starts", made)
	}
}

// TestForgedStart: nobody has to trust who made a start. A file that is not the circuit's is refused, whoever looks at it.
func TestForgedStart(t *testing.T) {
	at := func(array string, c *Ceremony) int { // of the first circuit, twice/v1
		internal, secret, public := c.keys.Circuits[0].System.GetNbVariables()
		n := internal + secret + public
		return startHeaderBytes + map[string]int{"A": 0, "B": n * g1Bytes, "K": 2 * n * g1Bytes, "Z": 3 * n * g1Bytes,
			"B2": (3*n + c.plan.Circuits[0].Domain - 1) * g1Bytes}[array]
	}
	doubledAt := func(array string) func(*testing.T, *Ceremony, []byte) []byte {
		return func(t *testing.T, c *Ceremony, b []byte) []byte {
			i := at(array, c)
			for b[i]&flagMask == flagAtInfinity {
				i += g1Bytes
			}
			return replaced(b, i, doubled(t, b[i:]))
		}
	}
	for _, test := range []struct {
		name string
		want transcript.Fault
		do   func(t *testing.T, c *Ceremony, b []byte) []byte
	}{
		{"another point in A", transcript.StartUnfit, doubledAt("A")},
		{"another point in B", transcript.StartUnfit, doubledAt("B")},
		{"another point in K", transcript.StartUnfit, doubledAt("K")},
		{"another point in Z", transcript.StartUnfit, doubledAt("Z")},
		{"infinity in G2", transcript.StartUnfit, func(_ *testing.T, c *Ceremony, b []byte) []byte {
			i := at("B2", c)
			for b[i]&flagMask == flagAtInfinity {
				i += g2Bytes
			}
			none := make([]byte, g2Bytes)
			none[0] = infinityByte
			return replaced(b, i, none)
		}},
		{"outside the subgroup", transcript.Point, func(t *testing.T, c *Ceremony, b []byte) []byte {
			p := outsideSubgroup(t)
			return replaced(b, at("B2", c), p[:])
		}},
		{"not compressed", transcript.Point, func(_ *testing.T, c *Ceremony, b []byte) []byte {
			return replaced(b, at("A", c), make([]byte, g1Bytes))
		}},
		{"cut off", transcript.Truncated, func(_ *testing.T, _ *Ceremony, b []byte) []byte { return b[:len(b)-1] }},
		{"empty", transcript.Truncated, func(*testing.T, *Ceremony, []byte) []byte { return nil }},
		{"too long", transcript.Length, func(_ *testing.T, _ *Ceremony, b []byte) []byte { return append(b, 0) }},
		{"something else", transcript.Encoding, func(_ *testing.T, _ *Ceremony, b []byte) []byte { return make([]byte, len(b)) }},
		{"of another ceremony", transcript.OtherCeremony, func(_ *testing.T, _ *Ceremony, b []byte) []byte { return replaced(b, 40, []byte{b[40] ^ 1}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() && test.want != transcript.StartUnfit {
				t.Skip("the check alone")
			}
			c := ceremonyAt(t, complete)
			path := c.startPath(twiceID)
			put(t, path, test.do(t, c, mustRead(t, path)))
			_, err := c.Verify(ctx, "")
			if r := refused(t, err, test.want); !strings.HasSuffix(r.Where, filepath.Join("twice-v1", startFile)) {
				t.Errorf("names %s", r.Where)
			}
			_, err = c.Contribute(ctx, carol)
			refused(t, err, test.want)
			_, err = c.Finalize(ctx, beaconTwo, t.TempDir())
			refused(t, err, test.want)
		})
	}
	c := ceremonyAt(t, complete)
	path := c.startPath(twiceID)
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Verify(ctx, "")
	refused(t, err, transcript.Encoding)
}

// TestTranscriptFile: a finished ceremony has one in its folder, which says what the folder says.
func TestTranscriptFile(t *testing.T) {
	c := ceremonyAt(t, finished)
	path := filepath.Join(c.dir, transcriptFile)
	b := mustRead(t, path)
	file, err := transcript.ParseFile(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := file.Check()
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.Verify(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again, err := c.Transcript(); err != nil || cmp.Diff(file, again) != "" {
		t.Errorf("read from the folder: %v\n%s", err, cmp.Diff(file, again))
	}
	put(t, path, bytes.Replace(b, []byte(want.Keys[0].Digest.String()), []byte(want.Keys[1].Digest.String()), 1))
	_, err = c.Verify(ctx, t.TempDir())
	refused(t, err, transcript.Damaged)
	_, err = c.Finalize(ctx, transcript.Beacon{}, t.TempDir())
	refused(t, err, transcript.Damaged)
	put(t, path, b[:len(b)-1])
	_, err = c.Transcript()
	refused(t, err, transcript.Encoding)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Finalize(ctx, transcript.Beacon{}, t.TempDir()); err != nil || !bytes.Equal(mustRead(t, path), b) {
		t.Errorf("not written again: %v", err)
	}
	for _, stage := range []string{contributed, halfway, complete} {
		c := ceremonyAt(t, stage)
		if _, err := os.Stat(filepath.Join(c.dir, transcriptFile)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stage %s has a transcript: %v", stage, err)
		}
		file, err := c.Transcript()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Check(); err != nil {
			t.Error(err)
		}
	}
}
