package commit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

func TestDigestText(t *testing.T) {
	d := commit.Digest{0xab, 31: 1}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back commit.Digest
	if err := json.Unmarshal(text, &back); err != nil || back != d {
		t.Errorf("%s reads back as %v, %v", text, back, err)
	}
	good := d.String()
	for _, bad := range []string{"", good[1:], good + "0", strings.ToUpper(good), "zz" + good[2:], " " + good[1:]} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("digest %q was read", bad)
		}
	}
	if back != d {
		t.Error("a refused text changed the digest")
	}
}

func TestPlaceValidate(t *testing.T) {
	good := commit.Place{Fleet: "f", Size: 256, Slot: 255}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(p *commit.Place){
		"empty fleet":    func(p *commit.Place) { p.Fleet = "" },
		"long fleet":     func(p *commit.Place) { p.Fleet = strings.Repeat("f", commit.MaxFleet+1) },
		"fleet not text": func(p *commit.Place) { p.Fleet = "\xff" },
		"size 0":         func(p *commit.Place) { p.Size = 0 },
		"size 128":       func(p *commit.Place) { p.Size = 128 },
		"size 8192":      func(p *commit.Place) { p.Size = 8192 },
		"slot = size":    func(p *commit.Place) { p.Slot = 256 },
	} {
		p := good
		change(&p)
		if err := p.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got := good.ChunkPlace().At(good.Slot); got != good {
		t.Errorf("ChunkPlace and At are not inverse: %+v", got)
	}
}

// elsewhere lists every way in which one place differs from another.
func elsewhere(p commit.Place) map[string]commit.Place {
	out := map[string]commit.Place{}
	add := func(name string, change func(p *commit.Place)) {
		q := p
		change(&q)
		out[name] = q
	}
	add("ledger", func(p *commit.Place) { p.Ledger[31] ^= 1 })
	add("srs", func(p *commit.Place) { p.SRS[31] ^= 1 })
	add("fleet", func(p *commit.Place) { p.Fleet += "b" })
	add("chunk", func(p *commit.Place) { p.Chunk++ })
	add("size", func(p *commit.Place) { p.Size *= 4 })
	add("slot", func(p *commit.Place) { p.Slot++ })
	add("epoch", func(p *commit.Place) { p.Epoch++ })
	return out
}
