package page

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// built is the page, made once for all tests.
var built = sync.OnceValues(func() ([]byte, error) { return Build(context.Background()) })

func page(t testing.TB) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles for WebAssembly")
	}
	b, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The page is small enough for a poor connection.
func TestSize(t *testing.T) {
	const most = 1_700_000
	packed := compressed(t, page(t))
	t.Logf("%d bytes, %d compressed with gzip", len(page(t)), packed)
	if packed >= most {
		t.Errorf("has %d bytes compressed, must have fewer than %d", packed, most)
	}
}

// The policy allows nothing but the page's own scripts and style sheets by their digests, and WebAssembly. It comes before all that it is about.
func TestPolicy(t *testing.T) {
	html := string(page(t))
	_, rest, ok := strings.Cut(html, `<meta http-equiv="Content-Security-Policy" content="`)
	before, _, _ := strings.Cut(html, "http-equiv")
	if !ok || strings.Contains(before, "<script") || strings.Contains(before, "<style") {
		t.Fatal("the policy is not at the beginning")
	}
	policy, _, _ := strings.Cut(rest, `"`)
	for directive := range strings.SplitSeq(policy, "; ") {
		name, list, _ := strings.Cut(directive, " ")
		for source := range strings.FieldsSeq(list) {
			digest := strings.HasPrefix(source, "'sha256-") && (name == "script-src" || name == "style-src")
			wasm := source == "'wasm-unsafe-eval'" && name == "script-src"
			if !digest && !wasm && source != "'none'" && directive != "require-trusted-types-for 'script'" {
				t.Errorf("the policy has %q in %s", source, name)
			}
		}
	}
	for _, name := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, name) {
			t.Errorf("the policy has no %q", name)
		}
	}
	for _, part := range []string{"http://", "https://", " src="} {
		if _, markup, _ := strings.Cut(index, "</style>"); strings.Contains(markup, part) {
			t.Errorf("the page has %q", part)
		}
	}
}

func TestTextsThatWouldEndAScriptAreRefused(t *testing.T) {
	for _, glue := range []string{"a </script> b", "<!--"} {
		if _, err := assemble(nil, 0, glue); err == nil {
			t.Errorf("%q was taken", glue)
		}
	}
}

// What xz packs the page unpacks again, byte for byte, of all kinds of data; and what is damaged ends in an error, not in a loop.
func TestUnpacking(t *testing.T) {
	if testing.Short() {
		t.Skip("starts xz and a browser")
	}
	b := browse(t)
	b.open("data:text/html,<title>x</title>")
	b.evaluate(strings.Replace(lzma, "'use strict';", "", 1) + "; globalThis.unpackLZMA = unpackLZMA; 0")
	for name, data := range map[string][]byte{
		"nothing": {}, "one": {7}, "zeros": make([]byte, 100_000), "text": []byte(strings.Repeat("the same again, and again; ", 5000)),
		"counted": counted(70_000), "program": executable(t),
	} {
		packed, err := pack(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		got := b.unpack(packed, len(data))
		if diff := cmp.Diff(digest(data), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, damaged := range []string{b.unpack(packed, len(data)+1), b.unpack(packed[:len(packed)/2], len(data)), b.unpack(packed, max(0, len(data)-1))} {
			if damaged == digest(data) && len(data) > 1 {
				t.Errorf("%s: unpacked what was damaged", name)
			}
		}
	}
}

// counted is data with matches at all distances.
func counted(n int) []byte {
	out := make([]byte, n)
	x := uint32(1)
	for i := range out {
		if x = x*1664525 + 1013904223; i > 4096 && x>>28 < 12 {
			out[i] = out[i-int(x>>16%4096)-1]
			continue
		}
		out[i] = byte(x >> 24)
	}
	return out
}

// executable is some program.
func executable(t *testing.T) []byte {
	path, err := exec.LookPath("xz")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
