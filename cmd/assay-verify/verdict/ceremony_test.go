package verdict_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// held is a fixture's export after a ceremony by a plan, which can be changed before, and both files after it.
type held struct {
	trust *ledger.Trust
	file  *transcript.File
	raw   []byte // instead of the file, if there
}

func afterCeremony(t testing.TB, plan func(*transcript.Plan), by ...string) *held {
	t.Helper()
	h := &held{trust: open(t).trust}
	p := verdicttest.Plan(h.trust)
	if plan != nil {
		plan(p)
	}
	var err error
	if h.file, err = verdicttest.Ceremony(p, h.trust, by...); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *held) check(t testing.TB) *verdict.Verdict {
	t.Helper()
	verdicttest.Sign(h.trust)
	raw := h.raw
	if raw == nil {
		var err error
		if raw, err = h.file.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	return verdict.Check(verdict.Files{Bundle: read(t, "holds.cbor"), Trust: h.trust.Marshal(), Ceremony: raw})
}

var everybody = []string{verdicttest.Owner, verdicttest.Lender, verdicttest.Regulator}

func TestCeremonyOfEverybody(t *testing.T) {
	v := afterCeremony(t, nil, everybody...).check(t)
	if v.Outcome != verdict.Holds {
		t.Fatalf("is %s: %s", v.Outcome, v.Reason)
	}
	parts := []string{transcript.SRSPart, transcript.PowersPart, "chunk-64/v1", "fleet-64/v1"}
	want := []verdict.Contributor{
		{ID: verdicttest.Owner, Name: "Operator", Owner: true, Parts: parts}, {ID: verdicttest.Lender, Name: "Lender", Parts: parts}, {ID: verdicttest.Regulator, Name: "Regulator for Batteries", Parts: parts},
	}
	if diff := cmp.Diff(want, v.Ceremony.Contributors); diff != "" {
		t.Error(diff)
	}
	if text := v.Document().Text(); strings.Contains(strings.ToLower(text), "unsafe") || !strings.Contains(text, "assay ceremony verify") {
		t.Errorf("the text is\n%s", text)
	}
}

// A transcript that is not sound, not this ledger's, or not of these keys, is named.
func TestTamperedCeremoniesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		plan   func(*transcript.Plan)
		change func(*testing.T, *held)
		want   verdict.Failure
		reason string
	}{
		"an empty file":      {nil, func(_ *testing.T, h *held) { h.raw = []byte{} }, verdict.CeremonyRefused, string(transcript.Encoding)},
		"too long a file":    {nil, func(_ *testing.T, h *held) { h.raw = make([]byte, transcript.MaxFile+1) }, verdict.CeremonyRefused, string(transcript.Length)},
		"the export instead": {nil, func(_ *testing.T, h *held) { h.raw = h.trust.Marshal() }, verdict.CeremonyRefused, string(transcript.Encoding)},
		"other spacing":      {nil, compact, verdict.CeremonyRefused, string(transcript.Encoding)},
		"not finished": {nil, func(_ *testing.T, h *held) {
			h.file.Closings, h.file.Keys = h.file.Closings[:1], []transcript.FileKey{}
		}, verdict.CeremonyRefused, "not finished"},
		"no keys":                   {nil, func(_ *testing.T, h *held) { h.file.Keys = []transcript.FileKey{} }, verdict.CeremonyRefused, "not finished"},
		"a signature":               {nil, headers(func(of [][]byte) { of[0][len(of[0])-1] ^= 1 }), verdict.CeremonyRefused, string(transcript.Signature)},
		"another body":              {nil, headers(func(of [][]byte) { of[1][5*32] ^= 1 }), verdict.CeremonyRefused, string(transcript.Signature)},
		"another order":             {nil, headers(func(of [][]byte) { of[0], of[1] = of[1], of[0] }), verdict.CeremonyRefused, string(transcript.Order)},
		"a contribution left out":   {nil, func(_ *testing.T, h *held) { h.file.Parts[2].Headers = h.file.Parts[2].Headers[:2] }, verdict.CeremonyRefused, string(transcript.Late)},
		"a contribution twice":      {nil, func(_ *testing.T, h *held) { p := &h.file.Parts[2]; p.Headers = append(p.Headers, p.Headers[2]) }, verdict.CeremonyRefused, string(transcript.Order)},
		"another circuit's":         {nil, func(_ *testing.T, h *held) { h.file.Parts[2].Headers = h.file.Parts[3].Headers }, verdict.CeremonyRefused, string(transcript.OtherPart)},
		"another plan":              {nil, func(_ *testing.T, h *held) { h.file.Plan.Name = "Mine" }, verdict.CeremonyRefused, string(transcript.OtherCeremony)},
		"another closing value":     {nil, func(_ *testing.T, h *held) { h.file.Closings[0].Beacon[1] ^= 1 }, verdict.CeremonyRefused, string(transcript.Order)},
		"another ledger's":          {func(p *transcript.Plan) { p.Ledger[0] ^= 1 }, nil, verdict.CeremonyForeign, "ledger"},
		"an unknown organisation":   {func(p *transcript.Plan) { p.Contributors[0].ID = "other-operator" }, nil, verdict.CeremonyForeign, "other-operator"},
		"another key":               {strangerKey, nil, verdict.CeremonyForeign, "another key"},
		"closed in the future":      {nil, source(ledger.BlockSource(genesisID(), 41)), verdict.CeremonyForeign, "height"},
		"another source":            {nil, source("the evening news"), verdict.CeremonyForeign, "source"},
		"another ledger's block":    {nil, source(ledger.BlockSource(commit.Digest{1}, 9)), verdict.CeremonyForeign, "source"},
		"the second stage first":    {nil, source(ledger.BlockSource(genesisID(), verdicttest.FirstBlock)), verdict.CeremonyForeign, "stage 2"},
		"another key in the file":   {nil, func(_ *testing.T, h *held) { h.file.Keys[1].Digest[0] ^= 1 }, verdict.CeremonyKeys, "chunk-64/v1"},
		"another SRS in the file":   {nil, func(_ *testing.T, h *held) { h.file.Keys[0].Source[0] ^= 1 }, verdict.CeremonyKeys, "SRS"},
		"another circuit pinned":    {nil, func(_ *testing.T, h *held) { h.trust.Keys[1].Circuit[0] ^= 1 }, verdict.CeremonyKeys, "constraint system"},
		"another SRS pinned":        {nil, func(_ *testing.T, h *held) { h.trust.Keys[2].SRS[0] ^= 1 }, verdict.CeremonyKeys, "SRS"},
		"an unsafe key":             {nil, repin(2, verify.SetupUnsafe), verdict.CeremonyKeys, verify.SetupUnsafe},
		"another ceremony's key":    {nil, repin(0, verify.CeremonySetup(commit.Digest{1})), verdict.CeremonyKeys, "srs/v1"},
		"a circuit that it has not": {func(p *transcript.Plan) { p.Circuits = p.Circuits[:1] }, func(_ *testing.T, h *held) { h.file.Keys = h.file.Keys[:2] }, verdict.CeremonyKeys, "fleet-64/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			by := everybody
			if name == "another key" {
				by = by[1:] // nobody signs for a key that nobody has
			}
			h := afterCeremony(t, c.plan, by...)
			if c.change != nil {
				c.change(t, h)
			}
			v := h.check(t)
			if v.Valid || v.Proven != nil || v.Outcome != verdict.NotValid {
				t.Fatalf("is %s", v.Outcome)
			}
			if v.Failure != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("failure is %q (%s), want %q (%s)", v.Failure, v.Reason, c.want, c.reason)
			}
			if text := v.Document().Text(); !strings.Contains(text, "NOT VALID.") || strings.Contains(text, "HOLDS:") || strings.Contains(text, "\nThe ceremony that made the keys\n") {
				t.Errorf("the text is\n%s", text)
			}
		})
	}
}

// Keys that nobody made but those who have proofs made about themselves do not read as safe.
func TestCeremonyOfOwnersAlone(t *testing.T) {
	trust := open(t).trust
	for i := range trust.Genesis.Organisations {
		if o := &trust.Genesis.Organisations[i]; o.ID == verdicttest.Lender {
			o.Roles = append(o.Roles, ledger.RoleOwner)
		}
	}
	trust.Ledger = trust.Genesis.ID()
	file, err := verdicttest.Ceremony(verdicttest.Plan(trust), trust, verdicttest.Owner, verdicttest.Lender)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	v := afterCeremony(t, nil, everybody...).check(t)
	v.Rests.Compared = true
	if d := v.Document(); d.Tone != verdict.Good || strings.Contains(d.Text(), "NOBODY BUT OWNERS") {
		t.Errorf("of everybody: tone is %q\n%s", d.Tone, d.Text())
	}
	if v.Ceremony, err = verdict.ReadCeremony(raw, verdict.Pinned{Genesis: &trust.Genesis, Height: trust.Height, Keys: trust.Keys}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.Ceremony.Parts, v.Ceremony.OwnersOnly); diff != "" {
		t.Error(diff)
	}
	d := v.Document()
	if text := d.Text(); d.Tone != verdict.Care || len(d.Lead) != 2 || !strings.Contains(text, "NOBODY BUT OWNERS OF FLEETS contributed to srs/v1, powers/v1") {
		t.Errorf("tone is %q\n%s", d.Tone, text)
	}
}

func genesisID() commit.Digest {
	g := verdicttest.Genesis()
	return g.ID()
}

// strangerKey lists the owner with somebody else's key.
func strangerKey(p *transcript.Plan) {
	der, err := x509.MarshalPKIXPublicKey(verdicttest.Key("stranger").Public())
	if err != nil {
		panic(err)
	}
	p.Contributors[0].Key = der
}

// headers changes those of the chunk's circuit.
func headers(change func([][]byte)) func(*testing.T, *held) {
	return func(_ *testing.T, h *held) { change(h.file.Parts[2].Headers) }
}

// source changes where the second closing value is said to come from.
func source(text string) func(*testing.T, *held) {
	return func(_ *testing.T, h *held) { h.file.Closings[1].Source = text }
}

// repin pins a key of the export under another setup.
func repin(i int, setup string) func(*testing.T, *held) {
	return func(_ *testing.T, h *held) {
		k := &h.trust.Keys[i]
		*k = verify.NewPublishedKey(k.CircuitID, setup, k.Key)
	}
}

func compact(t *testing.T, h *held) {
	raw, err := json.Marshal(h.file)
	if err != nil {
		t.Fatal(err)
	}
	h.raw = raw
}

// No byte of a transcript can be changed so that it is still the one which made the keys. A few can so that it is another ceremony's.
func TestEveryByteOfATranscriptCounts(t *testing.T) {
	good := read(t, "ceremony.transcript.json")
	trust, err := ledger.ParseTrust(read(t, "ceremony.trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	const step = 5
	for i := 0; i < len(good); i += step {
		b := bytes.Clone(good)
		b[i] ^= 1
		if c, err := verdict.ReadCeremony(b, verdict.Pinned{Genesis: &trust.Genesis, Height: trust.Height, Keys: trust.Keys}); err == nil && len(c.Keys) > 0 {
			t.Fatalf("with byte %d (%q to %q) changed it is a transcript of %v", i, good[i], b[i], c.Contributors)
		}
	}
}

func FuzzCeremony(f *testing.F) {
	trust, err := ledger.ParseTrust(read(f, "ceremony.trust.json"))
	if err != nil {
		f.Fatal(err)
	}
	good := read(f, "ceremony.transcript.json")
	f.Add(good)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := verdict.ReadCeremony(b, verdict.Pinned{Genesis: &trust.Genesis, Height: trust.Height, Keys: trust.Keys})
		if (c == nil) == (err == nil) {
			t.Errorf("gives %v and %v", c, err)
		}
		if err == nil && !bytes.Equal(b, good) && len(c.Keys) > 0 {
			t.Error("another file is the transcript of the same keys")
		}
	})
}
