package localnet

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleState(t testing.TB) *state {
	t.Helper()
	o, err := Options{Dir: "net", Consensus: BFT}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newState(&o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStateIsKept(t *testing.T) {
	l := layout(t.TempDir())
	s := sampleState(t)
	if err := s.write(l); err != nil {
		t.Fatal(err)
	}
	got, err := readState(l)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
	if len(got.Orderers) != 4 || len(got.Organisations) != 3 {
		t.Errorf("%d orderers, %d organisations", len(got.Orderers), len(got.Organisations))
	}
}

func TestStateChecks(t *testing.T) {
	for name, spoil := range map[string]func(*state){
		"version":      func(s *state) { s.Version = "assay-network/v2" },
		"consensus":    func(s *state) { s.Consensus = "solo" },
		"orderers":     func(s *state) { s.Orderers = nil },
		"is named":     func(s *state) { s.Orderers[1].Name = "../orderer2" },
		"organisation": func(s *state) { s.Organisations[0].ID = "../elsewhere" },
		"port 80":      func(s *state) { s.Organisations[2].ServicePort = 80 },
		"must be 1 to": func(s *state) { s.Organisations = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := sampleState(t)
			spoil(s)
			b, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parseState(bytes.NewReader(b)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := parseState(strings.NewReader(strings.Repeat(" ", maxState+1))); err == nil {
		t.Error("a file over the bound passed")
	}
}

func FuzzState(f *testing.F) {
	b, err := json.Marshal(sampleState(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":"assay-network/v1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseState(bytes.NewReader(b))
		if err == nil && s.check() != nil {
			t.Error("a state that does not pass its check was read")
		}
	})
}

// TestOtherFolders: nothing but a network is destroyed, and no network is made among other things.
func TestOtherFolders(t *testing.T) {
	dir := t.TempDir()
	if err := Destroy(t.Context(), dir); !errors.Is(err, errNoNetwork) {
		t.Errorf("destroying an empty folder: %v", err)
	}
	if err := os.WriteFile(layout(dir).path("letter"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Destroy(t.Context(), dir); !errors.Is(err, errNoNetwork) {
		t.Errorf("destroying another folder: %v", err)
	}
	if err := prepare(t.Context(), "", layout(dir), &Options{}); err == nil {
		t.Error("a network was made among other things")
	}
	if _, err := os.Stat(layout(dir).path("letter")); err != nil {
		t.Error(err)
	}
}
