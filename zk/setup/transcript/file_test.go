package transcript

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
)

func TestFileRoundTrip(t *testing.T) {
	c := testCeremony(t)
	whole := c.file()
	open := NewFile(c.plan, map[string]*Chain{SRSPart: c.chains[SRSPart]}, nil, nil, nil)
	half := NewFile(c.plan, c.chains, c.first, nil, nil)
	for _, f := range []*File{whole, open, half} {
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseFile(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Error(diff)
		}
		if _, err := got.Check(); err != nil {
			t.Error(err)
		}
	}
	r, err := whole.Check()
	if err != nil {
		t.Fatal(err)
	}
	if r.Transcript != Digest(c.plan, c.first, c.second) || len(r.Contributions) != 8 || len(r.Closings) != 4 || len(r.Keys) != 3 || r.Keys[2].Setup != SetupName(r.Transcript) {
		t.Errorf("%+v", r)
	}
	if r.Contributions[7].Contributor != "bob" || r.Contributions[7].Part != "plain/v1" {
		t.Errorf("%+v", r.Contributions[7])
	}
}

// TestLargestFileFits: no ceremony is too large for its transcript.
func TestLargestFileFits(t *testing.T) {
	p := testPlan(t)
	p.Circuits, p.Contributors = nil, nil
	for i := range MaxCircuits {
		p.Circuits = append(p.Circuits, CircuitPlan{ID: strings.Repeat("x", partBytes-1) + string(rune('a'+i)), Domain: maxDomain})
	}
	for range MaxContributors {
		p.Contributors = append(p.Contributors, Contributor{ID: strings.Repeat(`"`, maxText), Key: make([]byte, commit.MaxPublicKey)})
	}
	p.Name, p.Beacon = strings.Repeat(`"`, maxText), strings.Repeat(`"`, maxText)
	f := NewFile(p, nil, nil, nil, nil)
	for i := range f.Parts {
		for range MaxContributors {
			f.Parts[i].Headers = append(f.Parts[i].Headers, make([]byte, HeaderBytes))
		}
		f.Keys = append(f.Keys, FileKey{CircuitID: p.Circuits[0].ID})
	}
	closing := &Closing{Source: p.Name}
	for _, c := range p.Circuits {
		closing.Parts = append(closing.Parts, ClosedPart{Part: c.ID})
	}
	f.Closings = append(f.Closings, closing, closing)
	b, err := f.Encode()
	if err != nil || len(b) > MaxFile {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestFileIsRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		want Fault
		do   func(t *testing.T, c *ceremony, f *File)
	}{
		{"version", Encoding, func(_ *testing.T, _ *ceremony, f *File) { f.Version = "assay-transcript/v2" }},
		{"bad plan", Encoding, func(_ *testing.T, _ *ceremony, f *File) { f.Plan.Minimum = 1 }},
		{"another plan", OtherCeremony, func(_ *testing.T, _ *ceremony, f *File) { f.Plan.Name = "other" }},
		{"a part less", OtherPart, func(_ *testing.T, _ *ceremony, f *File) { f.Parts = f.Parts[:3] }},
		{"a part more", OtherPart, func(_ *testing.T, _ *ceremony, f *File) { f.Parts = append(f.Parts, f.Parts[0]) }},
		{"parts in another order", OtherPart, func(_ *testing.T, _ *ceremony, f *File) { slices.Reverse(f.Parts) }},
		{"swapped contributions", Order, func(_ *testing.T, _ *ceremony, f *File) { slices.Reverse(f.Parts[0].Headers) }},
		{"a contribution less", Late, func(_ *testing.T, _ *ceremony, f *File) { f.Parts[1].Headers = f.Parts[1].Headers[:1] }},
		{"a contribution more", Late, func(t *testing.T, c *ceremony, f *File) {
			f.Parts[2].Headers = append(f.Parts[2].Headers, next(t, c.chains["twice/v1"], carol, nil).Encode())
		}},
		{"bob twice", WrongContributor, func(t *testing.T, c *ceremony, f *File) {
			f.Parts[0].Headers = append(f.Parts[0].Headers, next(t, c.chains[SRSPart], bob, nil).Encode())
		}},
		{"by nobody", WrongContributor, func(t *testing.T, c *ceremony, f *File) {
			f.Parts[0].Headers = append(f.Parts[0].Headers, next(t, c.chains[SRSPart], mallory, nil).Encode())
		}},
		{"of another part", OtherPart, func(_ *testing.T, _ *ceremony, f *File) { f.Parts[2].Headers = f.Parts[3].Headers }},
		{"a flipped bit", Signature, func(_ *testing.T, _ *ceremony, f *File) { f.Parts[0].Headers[1][170] ^= 1 }},
		{"a short header", Truncated, func(_ *testing.T, _ *ceremony, f *File) { f.Parts[0].Headers[1] = f.Parts[0].Headers[1][1:] }},
		{"a long header", Length, func(_ *testing.T, _ *ceremony, f *File) { f.Parts[0].Headers[1] = append(f.Parts[0].Headers[1], 0) }},
		{"three closings", Length, func(_ *testing.T, _ *ceremony, f *File) { f.Closings = append(f.Closings, f.Closings[0]) }},
		{"no closing", Order, func(_ *testing.T, _ *ceremony, f *File) { f.Closings = []*Closing{} }},
		{"the second closing alone", OtherPart, func(_ *testing.T, _ *ceremony, f *File) { f.Closings = f.Closings[1:] }},
		{"keys before the end", Order, func(_ *testing.T, _ *ceremony, f *File) { f.Closings = f.Closings[:1] }},
		{"closing with another head", Late, func(_ *testing.T, _ *ceremony, f *File) { f.Closings[1].Parts[0].Last[0]++ }},
		{"another first closing", Order, func(_ *testing.T, _ *ceremony, f *File) { f.Closings[0].Beacon[0]++ }},
		{"one closing value for both", BeaconUnfit, func(_ *testing.T, _ *ceremony, f *File) { f.Closings[1].Beacon = f.Closings[0].Beacon }},
		{"no closing value", BeaconUnfit, func(_ *testing.T, _ *ceremony, f *File) { f.Closings[1].Beacon = commit.Digest{} }},
		{"no source", BeaconUnfit, func(_ *testing.T, _ *ceremony, f *File) { f.Closings[1].Source = "" }},
		{"closed with too few", TooFew, func(_ *testing.T, _ *ceremony, f *File) { f.Closings[0].Parts[0].Contributions = 1 }},
		{"a key less", Key, func(_ *testing.T, _ *ceremony, f *File) { f.Keys = f.Keys[:2] }},
		{"keys in another order", Key, func(_ *testing.T, _ *ceremony, f *File) { slices.Reverse(f.Keys) }},
		{"a key of other constraints", Key, func(_ *testing.T, _ *ceremony, f *File) { f.Keys[1].Source[0]++ }},
		{"a key without a digest", Key, func(_ *testing.T, _ *ceremony, f *File) { f.Keys[0].Digest = commit.Digest{} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testCeremony(t)
			f := c.file()
			test.do(t, c, f)
			b, err := f.Encode()
			if err != nil {
				t.Fatal(err)
			}
			read, err := ParseFile(b)
			if err != nil {
				t.Fatal(err)
			}
			_, err = read.Check()
			refused(t, err, test.want)
		})
	}
}

// TestOtherEncodings of the same values are refused: two readers could disagree about them.
func TestOtherEncodings(t *testing.T) {
	b, err := testCeremony(t).file().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, new string }{
		"case":          {`"version"`, `"Version"`},
		"twice":         {`  "plan": {`, "  \"version\": \"x\",\n  \"plan\": {"},
		"unknown":       {`  "plan": {`, "  \"more\": 1,\n  \"plan\": {"},
		"space":         {`"stage": 1`, `"stage":  1`},
		"escape":        {`<test>`, `\u003ctest\u003e`},
		"invalid UTF-8": {`<test>`, "<\xff>"},
		"null list":     {`"keys": [`, `"keys": null, "x": [`},
	} {
		changed := bytes.Replace(b, []byte(test.old), []byte(test.new), 1)
		if bytes.Equal(changed, b) {
			t.Fatal(name)
		}
		_, err := ParseFile(changed)
		refused(t, err, Encoding)
	}
	_, err = ParseFile(append(b, '\n'))
	refused(t, err, Encoding)
	_, err = ParseFile(bytes.Repeat([]byte(" "), MaxFile+1))
	refused(t, err, Length)
	_, err = ParseClosing(bytes.Repeat([]byte(" "), MaxClosing+1))
	refused(t, err, Length)
	_, err = ParseClosing([]byte(`{"unknown":1}`))
	refused(t, err, Encoding)
}

// TestNothingIsNull: null and [] would be two encodings of a list, and so of a transcript. What is built by hand and not read may lack things all the same.
func TestNothingIsNull(t *testing.T) {
	for name, test := range map[string]struct {
		clear    func(f *File)
		accepted bool
	}{
		"plan":         {func(f *File) { f.Plan = nil }, false},
		"contributors": {func(f *File) { f.Plan.Contributors = nil }, false},
		"a key":        {func(f *File) { f.Plan.Contributors[0].Key = nil }, false},
		"circuits":     {func(f *File) { f.Plan.Circuits = nil }, false},
		"parts":        {func(f *File) { f.Parts = nil }, false},
		"headers":      {func(f *File) { f.Parts[3].Headers = nil }, true},
		"a header":     {func(f *File) { f.Parts[0].Headers[0] = nil }, false},
		"closings":     {func(f *File) { f.Closings = nil }, true},
		"a closing":    {func(f *File) { f.Closings = []*Closing{nil} }, false},
		"closed parts": {func(f *File) { f.Closings = []*Closing{{Ceremony: f.Plan.Digest(), Stage: FirstStage}} }, false},
		"keys":         {func(f *File) { f.Keys = nil }, true},
	} {
		f := NewFile(testPlan(t), nil, nil, nil, nil)
		f.Parts[0].Headers = append(f.Parts[0].Headers, next(t, f.Plan.NewChain(SRSPart, nil), alice, nil).Encode())
		if _, err := f.Check(); err != nil {
			t.Fatal(err)
		}
		test.clear(f)
		if _, err := f.Check(); (err == nil) != test.accepted {
			t.Errorf("%s: as a value: %v", name, err)
		}
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParseFile(b)
		refused(t, err, Encoding)
	}
	_, err := ParseFile([]byte("null\n"))
	refused(t, err, Encoding)
}

func TestSetupName(t *testing.T) {
	if got := SetupName(commit.Digest{0xab}); !strings.HasPrefix(got, "ceremony:ab00") {
		t.Error(got)
	}
}

func FuzzFile(f *testing.F) {
	b, err := testCeremony(f).file().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := ParseFile(b)
		if err != nil {
			return
		}
		if again, err := file.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Error("a file has two encodings")
		}
		file.Check() //nolint:errcheck // that it returns is enough
	})
}

func FuzzPlanAndClosing(f *testing.F) {
	c := testCeremony(f)
	b, err := c.first.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParsePlan(b); err == nil && p.Check() != nil {
			t.Error("a plan that is read is not right")
		}
		if closing, err := ParseClosing(b); err == nil {
			c.plan.CheckClosings(closing, closing) //nolint:errcheck // that it returns is enough
			c.plan.NewChain("twice/v1", closing)
		}
	})
}
