package transcript

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

func TestPlanIsRefused(t *testing.T) {
	for want, change := range map[string]func(*Plan){
		"version":                        func(p *Plan) { p.Version = "assay-ceremony/v0" },
		"plan: name":                     func(p *Plan) { p.Name = "" },
		"plan: beacon":                   func(p *Plan) { p.Beacon = strings.Repeat("x", maxText+1) },
		"cannot be printed":              func(p *Plan) { p.Name = "a\nb" },
		"1 contributors":                 func(p *Plan) { p.Contributors = p.Contributors[:1] },
		"65 contributors":                func(p *Plan) { p.Contributors = make([]Contributor, 65) },
		"minimum is 1":                   func(p *Plan) { p.Minimum = 1 },
		"minimum is 4":                   func(p *Plan) { p.Minimum = 4 },
		"listed twice":                   func(p *Plan) { p.Contributors[1] = p.Contributors[0] },
		"contributor 1: id":              func(p *Plan) { p.Contributors[1].ID = "" },
		"contributor bob: public key":    func(p *Plan) { p.Contributors[1].Key = p.Contributors[1].Key[1:] },
		"small order":                    func(p *Plan) { clear(p.Contributors[1].Key[12:]) },
		"3 powers":                       func(p *Plan) { p.Powers = 3 },
		"8195 powers":                    func(p *Plan) { p.Powers = commit.MaxPowers + 1 },
		"0 circuits":                     func(p *Plan) { p.Circuits = nil },
		"17 circuits":                    func(p *Plan) { p.Circuits = make([]CircuitPlan, 17) },
		"domain is 12":                   func(p *Plan) { p.Circuits[0].Domain = 12 },
		"domain is 4,":                   func(p *Plan) { p.Circuits[0].Domain = 4 },
		"domain is 2097152,":             func(p *Plan) { p.Circuits[0].Domain = 2 << 20 },
		"must be the largest circuit's":  func(p *Plan) { p.Domain *= 2 },
		"called as another part":         func(p *Plan) { p.Circuits[0].ID = "powers-v1" },
		"circuit plain-v1: listed twice": func(p *Plan) { p.Circuits[0].ID, p.Circuits[1].ID = "plain/v1", "plain-v1" },
		`circuit "../x"`:                 func(p *Plan) { p.Circuits[0].ID = "../x" },
		`circuit "/x"`:                   func(p *Plan) { p.Circuits[0].ID = "/x" },
		"name has 33 characters":         func(p *Plan) { p.Circuits[0].ID = strings.Repeat("x", 33) },
		"name has 0 characters":          func(p *Plan) { p.Circuits[0].ID = "" },
		"something follows the object":   nil,
		"unknown field":                  nil,
		"65537 bytes, at most":           nil,
	} {
		p := testPlan(t)
		if change != nil {
			change(p)
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.Contains(want, "follows"):
			b = append(b, "{}"...)
		case strings.Contains(want, "unknown"):
			b = append([]byte(`{"more":1,`), b[1:]...)
		case strings.Contains(want, "bytes, at"):
			b = append(b, strings.Repeat(" ", MaxPlan+1-len(b))...)
		}
		if _, err := ParsePlan(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestPlanDigestCoversEverything: no field can be changed under a signature.
func TestPlanDigestCoversEverything(t *testing.T) {
	seen := map[commit.Digest]int{}
	for i, change := range []func(*Plan){
		func(*Plan) {}, func(p *Plan) { p.Version += "x" }, func(p *Plan) { p.Name += "x" }, func(p *Plan) { p.Ledger[0]++ }, func(p *Plan) { p.Beacon += "x" },
		func(p *Plan) { p.Minimum++ }, func(p *Plan) { p.Powers++ }, func(p *Plan) { p.Domain++ },
		func(p *Plan) { p.Contributors[0].ID += "x" }, func(p *Plan) { p.Contributors[0].Key[20]++ }, func(p *Plan) { p.Contributors = p.Contributors[:2] },
		func(p *Plan) { p.Circuits[0].ID += "x" }, func(p *Plan) { p.Circuits[0].Constraints[0]++ }, func(p *Plan) { p.Circuits[0].Domain++ },
		func(p *Plan) { p.Circuits = p.Circuits[:1] },
	} {
		p := testPlan(t)
		change(p)
		if j, ok := seen[p.Digest()]; ok {
			t.Errorf("changes %d and %d have one digest", i, j)
		}
		seen[p.Digest()] = i
	}
}
