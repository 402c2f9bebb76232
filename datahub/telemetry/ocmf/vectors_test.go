package ocmf

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

type vector struct {
	Input, Key string
	Expect     struct {
		Name             string
		Parses, Verifies *bool
	}
}

func loadJSON(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The vectors of road-labs/ocmf-js and ChargePi/ocmf-go, MIT: testdata/README.md.
func TestVectors(t *testing.T) {
	var vectors []vector
	loadJSON(t, "testdata/vectors.json", &vectors)
	for _, v := range vectors {
		t.Run(v.Expect.Name, func(t *testing.T) {
			r, err := Parse([]byte(v.Input))
			if v.Expect.Parses != nil {
				if (err == nil) != *v.Expect.Parses {
					t.Fatalf("parsing: %v, want success %v", err, *v.Expect.Parses)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkVerifies(t, r, v.Key, *v.Expect.Verifies)
			if !bytes.Equal(r.Bytes(), []byte(v.Input)) {
				t.Error("record did not keep its bytes")
			}
		})
	}
}

func checkVerifies(t *testing.T, r *Record, keyText string, want bool) {
	t.Helper()
	key, err := ParsePublicKey(keyText)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(key); (err == nil) != want {
		t.Errorf("Verify = %v, want success %v", err, want)
	}
}

type conformanceCase struct {
	ID, Record, Key  string
	Parses           bool
	Verifies         *bool
	Readings         int
	BillableReadings int `json:"billable_readings"`
}

// stricter are the cases where this package is stricter than the suite, on purpose.
var stricter = map[string]string{
	"deviation/non-canonical-number":        "a number with zeros in front is no JSON",
	"deviation/invalid-string-escape":       "an undefined escape is no JSON",
	"deviation/control-character-in-string": "a control character in a string is no JSON",
	"deviation/fourth-section-public-key":   "a fourth section is one too many",
}

// Cases of hupe1980/ocmf's conformance suite, MIT or Apache-2.0: testdata/README.md.
func TestConformance(t *testing.T) {
	var suite struct{ Cases []conformanceCase }
	loadJSON(t, "testdata/conformance.json", &suite)
	for _, c := range suite.Cases {
		t.Run(c.ID, func(t *testing.T) {
			r, err := Parse([]byte(c.Record))
			if why := stricter[c.ID]; why != "" {
				if err == nil {
					t.Fatalf("taken, though %s", why)
				}
				return
			}
			if (err == nil) != c.Parses {
				t.Fatalf("parsing: %v, want success %v", err, c.Parses)
			}
			if !c.Parses {
				return
			}
			if c.Verifies != nil {
				checkVerifies(t, r, c.Key, *c.Verifies)
			}
			checkConformingReadings(t, r, c)
		})
	}
}

func checkConformingReadings(t *testing.T, r *Record, c conformanceCase) {
	billable := 0
	for i := range r.Readings {
		if _, err := r.Readings[i].MilliWh(); err == nil && r.Readings[i].Usable() {
			billable++
		}
	}
	if len(r.Readings) != c.Readings || billable != c.BillableReadings {
		t.Errorf("%d readings, %d billable; want %d and %d", len(r.Readings), billable, c.Readings, c.BillableReadings)
	}
	if !bytes.Equal(r.Bytes(), []byte(c.Record)) {
		t.Error("record did not keep its bytes")
	}
}
