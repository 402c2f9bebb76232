package verify_test

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
	"unicode"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
)

// encodingVectors are the parts that everything else is made of.
type encodingVectors struct {
	Points      []pointVector      `json:"points"`
	Hashes      []hashVector       `json:"hashes"`
	Transcripts []transcriptVector `json:"transcripts"`
}

type pointVector struct {
	Name  string `json:"name"`
	G1    []byte `json:"g1,omitempty"`
	G2    []byte `json:"g2,omitempty"`
	Valid bool   `json:"valid"`
}

type hashVector struct {
	DST     string `json:"dst"`
	Message []byte `json:"message"`
	Scalar  string `json:"scalar"`
}

type transcriptVector struct {
	Tag       string        `json:"tag"`
	Ledger    commit.Digest `json:"ledger"`
	Values    [][]byte      `json:"values"`
	Challenge string        `json:"challenge"`
	Digest    commit.Digest `json:"digest"`
}

func makeEncodingVectors(t *testing.T) (out encodingVectors) {
	for k := range uint64(4) {
		p, q := generatorTimes(3*k+1), generator2Times(int64(3*k+1))
		for range 2 {
			b, c := p.Bytes(), q.Bytes()
			out.Points = append(out.Points, pointVector{"a point of G1", b[:], nil, true}, pointVector{"a point of G2", nil, c[:], true})
			p.Neg(&p)
			q.Neg(&q)
		}
	}
	g1, g2 := badG1(t), badG2(t)
	for _, name := range sortedKeys(g1) {
		out.Points = append(out.Points, pointVector{"G1: " + name, g1[name], nil, false})
	}
	for _, name := range sortedKeys(g2) {
		out.Points = append(out.Points, pointVector{"G2: " + name, nil, g2[name], false})
	}
	p, q := generatorTimes(1), generator2Times(1)
	b, c := p.Bytes(), q.RawBytes()
	uncompressed := p.RawBytes()
	out.Points = append(out.Points, pointVector{"G1: cut short", b[:31], nil, false}, pointVector{"G1: a byte too many", append(b[:], 0), nil, false},
		pointVector{"G1: uncompressed in full", uncompressed[:], nil, false}, pointVector{"G2: uncompressed in full", nil, c[:], false}, pointVector{"G2: cut short", nil, c[:63], false})
	for i, message := range [][]byte{{}, {0}, []byte("assay"), bytes.Repeat([]byte{0xa5}, 300)} {
		dst := []string{"bsb22-commitment", "G16-BSB22", "assay/v1/mask", strings.Repeat("d", 255)}[i]
		e, err := fr.Hash(message, []byte(dst), 1)
		if err != nil {
			t.Fatal(err)
		}
		out.Hashes = append(out.Hashes, hashVector{dst, message, e[0].BigInt(new(big.Int)).String()})
	}
	for i, values := range [][][]byte{{}, {{}}, {{1}, {}}, {{}, {1}}, {b[:], make([]byte, 8), make([]byte, 300)}} {
		v := transcriptVector{Tag: "assay/v1/chunk-digest", Ledger: commit.Digest{byte(i)}, Values: values}
		tr := commit.NewTranscript(v.Tag, v.Ledger)
		for _, value := range values {
			tr.Bytes(value)
		}
		challenge := tr.Challenge()
		v.Challenge, v.Digest = challenge.BigInt(new(big.Int)).String(), tr.Digest()
		out.Transcripts = append(out.Transcripts, v)
	}
	return out
}

func TestEncodingVectors(t *testing.T) {
	want := readVectors(t, "encodings.json", makeEncodingVectors)
	if diff := cmp.Diff(want, makeEncodingVectors(t)); diff != "" {
		t.Error(diff)
	}
	for _, p := range want.Points {
		var err error
		if p.G1 != nil {
			_, err = commit.ParsePoint(p.G1)
		} else {
			err = parseG2(p.G2)
		}
		if (err == nil) != p.Valid {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

// parseG2 reads a point as a key does, of which it is the second part.
func parseG2(b []byte) error {
	var p bn254.G2Affine
	if len(b) != bn254.SizeOfG2AffineCompressed {
		return bytes.ErrTooLarge
	}
	_, err := p.SetBytes(b)
	if err == nil && p.IsInfinity() {
		return bytes.ErrTooLarge
	}
	return err
}

func TestSecondVerifierOnEncodingVectors(t *testing.T) {
	v := startSecond(t)
	vectors := readVectors(t, "encodings.json", makeEncodingVectors)
	for _, p := range vectors.Points {
		request := map[string]any{"op": "point", "g1": p.G1}
		if p.G1 == nil {
			request = map[string]any{"op": "point", "g2": p.G2}
		}
		if got := ask(t, v, request); (got.Failure == "") != p.Valid || got.Failure == "internal" {
			t.Errorf("%s: %s", p.Name, got.Why)
		}
	}
	for _, h := range vectors.Hashes {
		var got hashVector
		if err := v.Ask(map[string]any{"op": "hash", "dst": h.DST, "message": h.Message}, &got); err != nil || got.Scalar != h.Scalar {
			t.Errorf("hash under %s: %v, %v", h.DST, got, err)
		}
	}
	for _, want := range vectors.Transcripts {
		var got transcriptVector
		err := v.Ask(map[string]any{"op": "transcript", "tag": want.Tag, "ledger": want.Ledger, "values": want.Values}, &got)
		if err != nil || got.Challenge != want.Challenge || got.Digest != want.Digest {
			t.Errorf("transcript of %d values: %v, %v", len(want.Values), got, err)
		}
	}
}

// TestSecondVerifierOnCharacters holds every character against Go's table.
func TestSecondVerifierOnCharacters(t *testing.T) {
	var got struct {
		Ranges []rune `json:"ranges"` // where it changes whether characters are printable
	}
	if err := startSecond(t).Ask(map[string]any{"op": "printable"}, &got); err != nil {
		t.Fatal(err)
	}
	printable := false
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if len(got.Ranges) > 0 && got.Ranges[0] == c {
			printable, got.Ranges = !printable, got.Ranges[1:]
		}
		if printable != unicode.IsPrint(c) {
			t.Fatalf("character %x: printable is %v here, %v there", c, unicode.IsPrint(c), printable)
		}
	}
}
