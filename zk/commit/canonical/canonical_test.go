package canonical

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type value struct {
	_      struct{} `cbor:",toarray"`
	Number uint64
	Text   string
	List   []uint32
	Bytes  []byte
}

const limit = 64

func TestOneSpelling(t *testing.T) {
	e := New(16, 4)
	for name, test := range map[string]struct{ text, want string }{ // want is a part of the error, "" for none
		"shortest":           {"84 01 6161 820102 4103", ""},
		"empty":              {"84 00 60 80 40", ""},
		"null for no list":   {"84 00 60 f6 40", "canonical"},
		"null for no bytes":  {"84 00 60 80 f6", "canonical"},
		"longer number":      {"84 1801 60 80 40", "canonical"},
		"longer list":        {"84 01 60 980101 40", "canonical"},
		"endless list":       {"84 01 60 9f01ff 40", "indefinite"},
		"endless outer list": {"9f 01 60 80 40 ff", "indefinite"},
		"tag":                {"84 c101 60 80 40", "tag"},
		"float":              {"84 f93c00 60 80 40", "canonical"},
		"not UTF-8":          {"84 01 61ff 80 40", "UTF-8"},
		"map":                {"a4 01 01 02 60 03 80 04 40", "map"},
		"one field less":     {"83 01 60 80", "number of elements"},
		"bytes after":        {"84 01 60 80 40 00", "extraneous"},
		"cut off":            {"84 01 60 80", "EOF"},
		"too many elements":  {"84 01 60 91" + strings.Repeat("01", 17) + "40", "elements"},
		"too deep":           {"84 01 60 " + strings.Repeat("81", 8) + "01 40", "nested"},
		"too long":           {strings.Repeat("00", limit+1), "65 bytes, at most 64"},
		"nothing":            {"", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(strings.ReplaceAll(test.text, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			var v value
			err = e.Unmarshal("value", b, limit, &v)
			if test.want == "" {
				if err != nil || !bytes.Equal(e.Marshal(v), b) {
					t.Errorf("%v, %x written for %x", err, e.Marshal(v), b)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "value") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestNothingIsEmpty(t *testing.T) {
	e := New(16, 4)
	if d := cmp.Diff(e.Marshal(value{List: []uint32{}, Bytes: []byte{}}), e.Marshal(value{})); d != "" {
		t.Error(d)
	}
}

func FuzzUnmarshal(f *testing.F) {
	e := New(16, 4)
	f.Add([]byte{0x84, 1, 0x61, 'a', 0x82, 1, 2, 0x41, 3})
	f.Add([]byte{0x84, 0, 0x60, 0xf6, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		var v value
		if e.Unmarshal("value", b, limit, &v) == nil && !bytes.Equal(e.Marshal(v), b) {
			t.Fatal("read, and written otherwise")
		}
	})
}
