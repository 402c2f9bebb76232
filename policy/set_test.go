package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The examples say what owners write, and their cases what they mean by it.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("testdata/policies/*.cedar")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d policies: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := parseFile(t, file)
			text, err := os.ReadFile(strings.TrimSuffix(file, ".cedar") + ".cases.yaml")
			if err != nil {
				t.Fatal(err)
			}
			cases, err := ParseCases(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range s.Test(cases) {
				if !r.Passed {
					t.Errorf("%s: %s", r.Name, r.Problem)
				}
				t.Logf("%s: %s by %q: %s", r.Name, r.Decision.Outcome(), r.Decision.Policies, strings.Join(r.Decision.Reasons, "; "))
			}
		})
	}
}

func parseFile(t testing.TB, file string) *Set {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

func parse(t interface {
	Helper()
	Fatal(...any)
}, text string) *Set {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
