package device

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

func TestFleetAttestsAChunk(t *testing.T) {
	m := newMaker(t, "maker-a")
	devices, err := NewFleet(m, Config{Serial: "PACK", Class: commit.Module, Algorithm: commit.Ed25519, Schema: battery(t)}, 64)
	if err != nil {
		t.Fatal(err)
	}
	var enrolled []Enrolled
	var attestations [][]byte
	var points []bn254.G1Affine
	var place commit.ChunkPlace
	for i, d := range devices {
		srs, s := seat(uint32(i))
		if _, err := d.Enrol(s); err != nil {
			t.Fatal(err)
		}
		enrolled = append(enrolled, Enrolled{uint32(i), d.Certificate()})
		if i%8 == 3 {
			continue // does not report
		}
		b, err := d.Attest(srs, s.Place(5), committest.Record(i))
		if err != nil {
			t.Fatal(err)
		}
		a, err := commit.ParseAttestation(b)
		if err != nil {
			t.Fatal(err)
		}
		attestations, points, place = append(attestations, b), append(points, a.C), s.Place(5).ChunkPlace()
	}
	checked, err := CheckChunk(committest.UnsafeSRS(64), place, enrolled, attestations, commit.Sum(points))
	if err != nil || checked.Attested != 56 {
		t.Fatalf("%+v, %v", checked, err)
	}
	serials := map[string]bool{}
	for _, d := range devices {
		serials[d.Certificate().Serial] = true
	}
	if len(serials) != 64 {
		t.Errorf("%d serials for 64 devices", len(serials))
	}
	if _, err := NewFleet(m, Config{}, 2); err == nil {
		t.Error("a fleet of nothing was made")
	}
	if _, err := NewFleet(m, Config{}, -1); err == nil {
		t.Error("a negative fleet was made")
	}
}

func BenchmarkNewDevice(b *testing.B) {
	m := newMaker(b, "maker-a")
	for range b.N {
		if _, err := New(m, Config{Serial: "S", Class: commit.Module, Algorithm: commit.Ed25519, Schema: battery(b)}); err != nil {
			b.Fatal(err)
		}
	}
}
