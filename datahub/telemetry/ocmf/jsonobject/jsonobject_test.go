package jsonobject

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMembers(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []Member
		fail bool
	}{
		"empty":                {text: `{}`},
		"order and duplicates": {text: `{"b":1.500,"B":" x","b":[{}]}`, want: []Member{{"b", json.RawMessage(`1.500`)}, {"B", json.RawMessage(`" x"`)}, {"b", json.RawMessage(`[{}]`)}}},
		"white space":          {text: " {\n\"a\" : null }\t", want: []Member{{"a", json.RawMessage(`null`)}}},
		"too many":             {text: `{"a":1,"b":2,"c":3,"d":4}`, fail: true},
		"array":                {text: `[]`, fail: true},
		"two values":           {text: `{} {}`, fail: true},
		"bytes after":          {text: `{}x`, fail: true},
		"cut off":              {text: `{"a":1`, fail: true},
		"no value":             {text: `{"a":}`, fail: true},
		"trailing comma":       {text: `{"a":1,}`, fail: true},
		"nothing":              {text: ``, fail: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Members([]byte(test.text), 3)
			if (err != nil) != test.fail {
				t.Fatalf("err = %v", err)
			}
			if d := cmp.Diff(test.want, got); !test.fail && d != "" {
				t.Error(d)
			}
		})
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{`"a\u006b"`: "ak", `-0.500E+1`: "-0.500E+1", `true`: "true", `false`: "false"} {
		if got, ok := Text(json.RawMessage(in)); !ok || got != want {
			t.Errorf("Text(%s) = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{`null`, `{}`, `[1]`, ``} {
		if got, ok := Text(json.RawMessage(in)); ok {
			t.Errorf("Text(%s) = %q", in, got)
		}
	}
}

func TestDepthCostsNothing(t *testing.T) {
	deep := strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000)
	if _, err := Members([]byte(`{"a":`+deep+`}`), 1); err != nil {
		t.Error(err)
	}
	if _, err := Members([]byte(`{"a":`+strings.Repeat(deep, 1)[:6000]), 1); err == nil {
		t.Error("an open array was taken")
	}
}
