package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// FileVersion is that of transcript files.
const FileVersion = "assay-transcript/v1"

// MaxFile bounds a transcript file: 18 parts of 64 headers, a plan, two closings and the keys fit.
const MaxFile = 1 << 20

// File is a whole transcript in one file, also of a ceremony that is not finished.
//
// It is JSON with two spaces for each level, the fields in this order, nothing escaped that need not be, nothing null, and a line feed at the end. There is no other
// encoding of what it says, so that verifiers in two languages cannot read two different things from one file.
type File struct {
	Version string `json:"version"`
	Plan    *Plan  `json:"plan"`
	// Parts are all parts of the plan, those of the first stage first, also those without contributions.
	Parts []FilePart `json:"parts"`
	// Closings are none, the first stage's, or both.
	Closings []*Closing `json:"closings"`
	// Keys are none, or the SRS and then every circuit of the plan. They are what the file's maker says came out.
	Keys []FileKey `json:"keys"`
}

// FilePart is a part with its contributions' headers, each of [HeaderBytes] bytes.
type FilePart struct {
	Part    string   `json:"part"`
	Headers [][]byte `json:"headers"`
}

// FileKey is a finished key.
type FileKey struct {
	CircuitID string `json:"circuit_id"`
	// Digest is the published key's.
	Digest commit.Digest `json:"digest"`
	// Source is the constraint system's digest, or the SRS's.
	Source commit.Digest `json:"source"`
}

// NewFile gathers a transcript. The closings may be nil, and there may be no keys.
func NewFile(plan *Plan, chains map[string]*Chain, first, second *Closing, keys []KeyRecord) *File {
	f := &File{Version: FileVersion, Plan: plan, Closings: []*Closing{}, Keys: []FileKey{}}
	for _, stage := range []int{FirstStage, SecondStage} {
		for _, name := range plan.Parts(stage) {
			part := FilePart{name, [][]byte{}}
			if chain := chains[name]; chain != nil {
				for _, h := range chain.Headers() {
					part.Headers = append(part.Headers, h.Encode())
				}
			}
			f.Parts = append(f.Parts, part)
		}
	}
	for _, closing := range []*Closing{first, second} {
		if closing != nil {
			f.Closings = append(f.Closings, closing)
		}
	}
	for _, k := range keys {
		f.Keys = append(f.Keys, FileKey{k.CircuitID, k.Digest, k.Source})
	}
	return f
}

// Encode is the file's one encoding.
func (f *File) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	return b.Bytes(), nil
}

// ParseFile reads a file of at most [MaxFile] bytes that is encoded as Encode does. [File.Check] says whether it is right.
func ParseFile(b []byte) (*File, error) {
	if len(b) > MaxFile {
		return nil, Length.Errorf("transcript: %d bytes, at most %d", len(b), MaxFile)
	}
	f := new(File)
	if err := decodeJSON("transcript", b, MaxFile, f); err != nil {
		return nil, Encoding.Errorf("%w", err)
	}
	again, err := f.Encode()
	if err != nil || !bytes.Equal(again, b) {
		return nil, Encoding.Errorf("transcript: not in its one encoding")
	}
	if holdsNull(b) { // as an absent list is written, which would be a second encoding of an empty one
		return nil, Encoding.Errorf("transcript: holds null")
	}
	return f, nil
}

// holdsNull goes through JSON that has been read before.
func holdsNull(b []byte) bool {
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		switch token, err := d.Token(); {
		case err != nil:
			return false
		case token == nil:
			return true
		}
	}
}

// Check checks everything that needs no arithmetic on points: the plan, every header's place, contributor and signature, and the closings. What it returns
// says nothing about keys beyond their being those of the plan: see the package's comment.
func (f *File) Check() (*Record, error) {
	if f.Version != FileVersion {
		return nil, Encoding.Errorf("transcript: version %.64q, want %q", f.Version, FileVersion)
	}
	if f.Plan == nil {
		return nil, Encoding.Errorf("transcript: no plan")
	}
	if err := f.Plan.Check(); err != nil {
		return nil, Encoding.Errorf("transcript: %w", err)
	}
	first, second, err := f.closings()
	if err != nil {
		return nil, err
	}
	chains, err := f.chains(first, second)
	if err != nil {
		return nil, err
	}
	keys, err := f.keys(first, second)
	if err != nil {
		return nil, err
	}
	return NewRecord(f.Plan, chains, first, second, keys), nil
}

func (f *File) closings() (first, second *Closing, err error) {
	switch len(f.Closings) {
	case 0:
		return nil, nil, nil
	case 1:
		first = f.Closings[0]
	case 2:
		first, second = f.Closings[0], f.Closings[1]
	default:
		return nil, nil, Length.Errorf("transcript: %d closings, at most 2", len(f.Closings))
	}
	for _, closing := range f.Closings {
		if closing == nil {
			return nil, nil, Encoding.Errorf("transcript: a closing is null")
		}
	}
	return first, second, f.Plan.CheckClosings(first, second)
}

func (f *File) chains(first, second *Closing) (map[string]*Chain, error) {
	out := map[string]*Chain{}
	closings := map[int]*Closing{FirstStage: first, SecondStage: second}
	i := 0
	for _, stage := range []int{FirstStage, SecondStage} {
		for _, name := range f.Plan.Parts(stage) {
			if i == len(f.Parts) || f.Parts[i].Part != name {
				return nil, OtherPart.Errorf("transcript: part %d must be %s", i, name)
			}
			chain, err := f.chain(&f.Parts[i], first)
			if err != nil {
				return nil, err
			}
			if closings[stage] != nil {
				if err := chain.CheckEnd(closings[stage]); err != nil {
					return nil, At(name, err)
				}
			}
			out[name] = chain
			i++
		}
	}
	if i != len(f.Parts) {
		return nil, OtherPart.Errorf("transcript: %d parts, the plan has %d", len(f.Parts), i)
	}
	return out, nil
}

func (f *File) chain(part *FilePart, first *Closing) (*Chain, error) {
	chain := f.Plan.NewChain(part.Part, first)
	for i, b := range part.Headers {
		h, err := ParseHeader(b)
		if err == nil {
			err = chain.Add(h)
		}
		if err != nil {
			return nil, At(fmt.Sprintf("%s, contribution %d", part.Part, i+1), err)
		}
	}
	return chain, nil
}

func (f *File) keys(first, second *Closing) ([]KeyRecord, error) {
	if len(f.Keys) == 0 {
		return nil, nil
	}
	if second == nil {
		return nil, Order.Errorf("transcript: has keys, but the ceremony is not closed")
	}
	if want := 1 + len(f.Plan.Circuits); len(f.Keys) != want {
		return nil, Key.Errorf("transcript: %d keys, must be %d", len(f.Keys), want)
	}
	setup := SetupName(Digest(f.Plan, first, second))
	var out []KeyRecord
	for i, k := range f.Keys {
		want, source := SRSPart, k.Source
		if i > 0 {
			want, source = f.Plan.Circuits[i-1].ID, f.Plan.Circuits[i-1].Constraints
		}
		if k.CircuitID != want || k.Source != source || k.Source.IsZero() || k.Digest.IsZero() {
			return nil, Key.Errorf("transcript: key %d is of %.64q from %s, must be of %s from %s and have a digest", i, k.CircuitID, k.Source, want, source)
		}
		out = append(out, KeyRecord{CircuitID: k.CircuitID, Setup: setup, Digest: k.Digest, Source: k.Source})
	}
	return out, nil
}
