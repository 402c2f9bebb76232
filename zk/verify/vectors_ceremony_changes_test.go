package verify_test

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"slices"
	"strings"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// Parts of the ceremony in the vectors, by index.
const (
	srsPart = iota
	powersPart
	chunkPart
	fleetPart
)

// opened is the file of a ceremony of which so many stages are closed. Where none is, there is nothing in the second.
func opened(f *transcript.File, closings int) {
	f.Closings, f.Keys = f.Closings[:closings], []transcript.FileKey{}
	if closings == 0 {
		f.Parts[chunkPart].Headers, f.Parts[fleetPart].Headers = [][]byte{}, [][]byte{}
	}
}

// ceremonyChanges are made to the file of a whole ceremony.
var ceremonyChanges = []struct {
	name    string
	change  func(m *ceremonyMaker, f *transcript.File)
	failure transcript.Fault
}{
	{"valid: nothing contributed", func(_ *ceremonyMaker, f *transcript.File) {
		opened(f, 0)
		f.Parts[srsPart].Headers, f.Parts[powersPart].Headers = [][]byte{}, [][]byte{}
	}, ""},
	{"valid: first stage under way", func(_ *ceremonyMaker, f *transcript.File) { opened(f, 0); shorten(f, powersPart, 1) }, ""},
	{"valid: second stage under way", func(_ *ceremonyMaker, f *transcript.File) { opened(f, 1); shorten(f, fleetPart, 1) }, ""},
	{"valid: no keys yet", func(_ *ceremonyMaker, f *transcript.File) { opened(f, 2) }, ""},
	{"valid: bodies of many lengths", func(m *ceremonyMaker, f *transcript.File) {
		*f = *m.file(nil, func(h *transcript.Header) { h.BodyBytes = (transcript.MaxBody+1)>>(h.Number-1) - 1 })
	}, ""},
	{"valid: another closing value", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Beacon[31]++; f.Closings[1].Source = "é" }, ""},

	{"another version", func(_ *ceremonyMaker, f *transcript.File) { f.Version = "assay-transcript/v2" }, transcript.Encoding},
	{"no plan", func(_ *ceremonyMaker, f *transcript.File) { f.Plan = nil }, transcript.Encoding},

	{"null: closings", func(_ *ceremonyMaker, f *transcript.File) { opened(f, 0); f.Closings = nil }, transcript.Encoding},
	{"null: keys", func(_ *ceremonyMaker, f *transcript.File) { f.Keys = nil }, transcript.Encoding},
	{"null: headers", func(_ *ceremonyMaker, f *transcript.File) { opened(f, 0); f.Parts[chunkPart].Headers = nil }, transcript.Encoding},
	{"null: parts", func(_ *ceremonyMaker, f *transcript.File) { f.Parts = nil }, transcript.Encoding},

	{"closing: a third", func(_ *ceremonyMaker, f *transcript.File) { f.Closings = append(f.Closings, f.Closings[1]) }, transcript.Length},
	{"closing: null", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0] = nil }, transcript.Encoding},
	{"closing: of another ceremony", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Ceremony[0] ^= 1 }, transcript.OtherCeremony},
	{"closing: second of another ceremony", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Ceremony[0] ^= 1 }, transcript.OtherCeremony},
	{"closing: the second alone", func(_ *ceremonyMaker, f *transcript.File) { f.Closings = f.Closings[1:] }, transcript.OtherPart},
	{"closing: the first twice", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1] = f.Closings[0] }, transcript.OtherPart},
	{"closing: of another stage", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Stage = 2 }, transcript.OtherPart},
	{"closing: of a stage below 0", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Stage = -1 << 63 }, transcript.OtherPart},
	{"closing: a part less", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Parts = f.Closings[1].Parts[:1] }, transcript.OtherPart},
	{"closing: no parts", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Parts = []transcript.ClosedPart{} }, transcript.OtherPart},
	{"closing: parts in another order", func(_ *ceremonyMaker, f *transcript.File) { slices.Reverse(f.Closings[1].Parts) }, transcript.OtherPart},
	{"closing: one contribution", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Parts[0].Contributions = 1 }, transcript.TooFew},
	{"closing: contributions below 0", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Parts[0].Contributions = -1 }, transcript.TooFew},
	{"closing: more contributions than contributors", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Parts[1].Contributions = 4 }, transcript.TooFew},
	{"closing: a value of zero", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Beacon = commit.Digest{} }, transcript.BeaconUnfit},
	{"closing: one value for both", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Beacon = f.Closings[0].Beacon }, transcript.BeaconUnfit},
	{"closing: no source", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Source = "" }, transcript.BeaconUnfit},
	{"closing: a source with a tab", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Source = "a\tb" }, transcript.BeaconUnfit},
	{"closing: a source of 513 bytes", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Source = strings.Repeat("é", 256) + "e" }, transcript.BeaconUnfit},
	{"closing: another first source", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Source += "." }, transcript.Order},
	{"closing: another first value", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Beacon[5]++ }, transcript.Order},
	{"closing: another last contribution", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[0].Parts[1].Last[0] ^= 1 }, transcript.Late},
	{"closing: another number of contributions", func(_ *ceremonyMaker, f *transcript.File) { f.Closings[1].Parts[0].Contributions = 3 }, transcript.Late},

	{"parts: none", func(_ *ceremonyMaker, f *transcript.File) { f.Parts = []transcript.FilePart{} }, transcript.OtherPart},
	{"parts: one less", func(_ *ceremonyMaker, f *transcript.File) { f.Parts = f.Parts[:fleetPart] }, transcript.OtherPart},
	{"parts: one more", func(_ *ceremonyMaker, f *transcript.File) { f.Parts = append(f.Parts, f.Parts[0]) }, transcript.OtherPart},
	{"parts: in another order", func(_ *ceremonyMaker, f *transcript.File) {
		f.Parts[chunkPart], f.Parts[fleetPart] = f.Parts[fleetPart], f.Parts[chunkPart]
	}, transcript.OtherPart},
	{"parts: another name", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Part = "srs/v2" }, transcript.OtherPart},

	{"header: cut short", func(_ *ceremonyMaker, f *transcript.File) { cut(f, 267) }, transcript.Truncated},
	{"header: empty", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers[0] = []byte{} }, transcript.Truncated},
	{"header: null", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers[0] = nil }, transcript.Encoding},
	{"header: a byte more", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers[1] = append(f.Parts[0].Headers[1], 0) }, transcript.Length},
	{"header: another tag", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers[0][31] = 'x' }, transcript.Encoding},
	{"header: a part with a capital", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers[0][64] = 'S' }, transcript.Encoding},
	{"header: a part with a zero inside", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers[0][65] = 0 }, transcript.Encoding},
	{"header: no part", func(_ *ceremonyMaker, f *transcript.File) { copy(f.Parts[0].Headers[0][64:], make([]byte, 32)) }, transcript.Encoding},
	{"header: a body longer than any is", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 0, func(h *transcript.Header) { h.BodyBytes, h.Ceremony = transcript.MaxBody+1, commit.Digest{} })
	}, transcript.Length},
	{"header: a body of 2^64 bytes less one", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 0, func(h *transcript.Header) { h.BodyBytes = 1<<64 - 1 })
	}, transcript.Length},
	{"header: of another ceremony", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 0, func(h *transcript.Header) { h.Ceremony[0] ^= 1 })
	}, transcript.OtherCeremony},
	{"header: for another part", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 1, func(h *transcript.Header) { h.Part = transcript.PowersPart })
	}, transcript.OtherPart},
	{"header: for a part of 32 letters", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 1, func(h *transcript.Header) { h.Part = strings.Repeat("z", 32) })
	}, transcript.OtherPart},
	{"header: by a stranger", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 1, func(h *transcript.Header) { h.Contributor[0] ^= 1 })
	}, transcript.WrongContributor},
	{"header: by one for the second time", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 1, func(h *transcript.Header) { h.Contributor = m.ids[0] })
	}, transcript.WrongContributor},
	{"header: another body than was signed", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[1].Headers[0][170] ^= 1 }, transcript.Signature},
	{"header: another length than was signed", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[1].Headers[1][203] ^= 1 }, transcript.Signature},
	{"header: signed by another", func(m *ceremonyMaker, f *transcript.File) {
		h, err := transcript.ParseHeader(f.Parts[0].Headers[0])
		m.must(err)
		m.must(h.Sign(m.signers[m.ids[2]]))
		f.Parts[0].Headers[0] = h.Encode()
	}, transcript.Signature},
	{"header: P-256's s is high", func(_ *ceremonyMaker, f *transcript.File) {
		s := f.Parts[0].Headers[1][236:]
		new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(s)).FillBytes(s)
	}, transcript.Signature},
	{"header: Ed25519's s is not reduced", func(_ *ceremonyMaker, f *transcript.File) {
		s := f.Parts[0].Headers[0][236:]
		order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
		slices.Reverse(s)
		order.Add(order, new(big.Int).SetBytes(s)).FillBytes(s)
		slices.Reverse(s)
	}, transcript.Signature},
	{"header: another number", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 0, func(h *transcript.Header) { h.Number = 0 })
	}, transcript.Order},
	{"header: follows something else", func(m *ceremonyMaker, f *transcript.File) {
		m.resigned(f, 0, 0, func(h *transcript.Header) { h.Previous[0] ^= 1 })
	}, transcript.Order},
	{"header: the first left out", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers = f.Parts[0].Headers[1:] }, transcript.Order},
	{"header: two in another order", func(_ *ceremonyMaker, f *transcript.File) { slices.Reverse(f.Parts[0].Headers) }, transcript.Order},
	{"header: one twice", func(_ *ceremonyMaker, f *transcript.File) { f.Parts[0].Headers[1] = f.Parts[0].Headers[0] }, transcript.Order},
	{"header: the last left out", func(_ *ceremonyMaker, f *transcript.File) { shorten(f, chunkPart, 1) }, transcript.Late},
	{"header: one after the end", func(m *ceremonyMaker, f *transcript.File) { m.further(f, srsPart, 2) }, transcript.Late},
	{"header: one after the end of the second stage", func(m *ceremonyMaker, f *transcript.File) { m.further(f, fleetPart, 2) }, transcript.Late},
	{"header: in the second stage before the first is closed", func(_ *ceremonyMaker, f *transcript.File) {
		f.Closings, f.Keys = []*transcript.Closing{}, []transcript.FileKey{}
	}, transcript.Order},

	{"keys: before the end", func(_ *ceremonyMaker, f *transcript.File) { f.Closings = f.Closings[:1] }, transcript.Order},
	{"keys: one less", func(_ *ceremonyMaker, f *transcript.File) { f.Keys = f.Keys[:2] }, transcript.Key},
	{"keys: one more", func(_ *ceremonyMaker, f *transcript.File) { f.Keys = append(f.Keys, f.Keys[2]) }, transcript.Key},
	{"keys: in another order", func(_ *ceremonyMaker, f *transcript.File) { slices.Reverse(f.Keys) }, transcript.Key},
	{"keys: of another circuit", func(_ *ceremonyMaker, f *transcript.File) { f.Keys[1].CircuitID = "chunk-256/v1" }, transcript.Key},
	{"keys: from other constraints", func(_ *ceremonyMaker, f *transcript.File) { f.Keys[2].Source[0] ^= 1 }, transcript.Key},
	{"keys: no digest", func(_ *ceremonyMaker, f *transcript.File) { f.Keys[1].Digest = commit.Digest{} }, transcript.Key},
	{"keys: no SRS", func(_ *ceremonyMaker, f *transcript.File) { f.Keys[0].Source = commit.Digest{} }, transcript.Key},
}

// shorten leaves out the last contributions to a part.
func shorten(f *transcript.File, part, n int) {
	f.Parts[part].Headers = f.Parts[part].Headers[:len(f.Parts[part].Headers)-n]
}

func cut(f *transcript.File, n int) { f.Parts[0].Headers[0] = f.Parts[0].Headers[0][:n] }

// respelled are files that say the same in other words.
func (m *ceremonyMaker) respelled(good []byte) {
	m.raw("spelling: empty", []byte{}, transcript.Encoding)
	m.raw("spelling: no line feed", good[:len(good)-1], transcript.Encoding)
	m.raw("spelling: a line feed more", append(bytes.Clone(good), '\n'), transcript.Encoding)
	m.raw("spelling: one level of spaces", bytes.ReplaceAll(good, []byte("  "), []byte(" ")), transcript.Encoding)
	for _, c := range []struct{ name, old, new string }{
		{"escapes for HTML", `<B>`, `\u003cB\u003e`}, {"an escape for nothing", `"owner"`, `"\u006fwner"`}, {"a byte that is no text", "½", "\xbd"},
		{"a fraction", `"minimum": 2`, `"minimum": 2.0`}, {"an exponent", `"domain": 65536`, `"domain": 65536e0`}, {"a number of 64 bits without a sign", `"minimum": 2`, `"minimum": 9223372036854775808`},
		{"text for a number", `"minimum": 2`, `"minimum": "2"`}, {"a digest in capitals", `"beacon": "b1`, `"beacon": "B1`}, {"a short digest", `"beacon": "b100`, `"beacon": "b1`},
		{"fields in another order", "\"minimum\": 2,\n    \"powers\": 8194", "\"powers\": 8194,\n    \"minimum\": 2"}, {"a field twice", `"minimum": 2,`, "\"minimum\": 2,\n    \"minimum\": 2,"},
		{"a field in capitals", `"minimum"`, `"Minimum"`}, {"a field that is not known", `"minimum": 2,`, "\"minimum\": 2,\n    \"maximum\": 3,"}, {"a field left out", "    \"minimum\": 2,\n", ""},
		{"null for text", `"id": "owner"`, `"id": null`}, {"base64 with unused bits", `=="`, `A="`}, {"base64 with a line feed", `"key": "`, `"key": "\n`},
	} {
		changed := bytes.Replace(good, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, good) {
			m.t.Errorf("%s: nothing to change", c.name)
		}
		m.raw("spelling: "+c.name, changed, transcript.Encoding)
	}
}
