package verify_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func TestFleetSteps(t *testing.T) {
	for chunks, want := range map[int][]int{
		0: {0}, 1: {1}, 63: {63}, 64: {64}, 65: {64, 1}, 127: {64, 63}, 128: {64, 63, 1}, 190: {64, 63, 63}, 191: {64, 63, 63, 1},
	} {
		if diff := cmp.Diff(want, verify.FleetSteps(chunks)); diff != "" {
			t.Errorf("%d chunks: %s", chunks, diff)
		}
	}
}

// TestVerifyRefusesOtherChunks leaves chunks out, repeats them, or puts others
// in their place.
func TestVerifyRefusesOtherChunks(t *testing.T) {
	l := proven(t)
	for name, c := range map[string]struct {
		change func(b *verify.Bundle)
		reason string
	}{
		"dropped":             {func(b *verify.Bundle) { b.Chunks = b.Chunks[:2] }, "bundle proves 2 chunks, the ledger anchors 3"},
		"none":                {func(b *verify.Bundle) { b.Chunks = nil }, "bundle proves 0 chunks, the ledger anchors 3"},
		"used twice":          {func(b *verify.Bundle) { b.Chunks[1] = b.Chunks[0] }, "chunk 2 comes after chunk 2"},
		"used as another":     {func(b *verify.Bundle) { b.Chunks[1].Proof = b.Chunks[0].Proof }, "chunk 5: mask M"},
		"used once more":      {func(b *verify.Bundle) { b.Chunks = append(b.Chunks, indexed(7, b.Chunks[2])) }, "bundle proves 4 chunks"},
		"of another index":    {func(b *verify.Bundle) { b.Chunks[2] = indexed(7, b.Chunks[2]) }, "bundle proves chunk 7 where the ledger anchors chunk 6"},
		"in another order":    {func(b *verify.Bundle) { b.Chunks[0], b.Chunks[1] = b.Chunks[1], b.Chunks[0] }, "chunk 2 comes after chunk 5"},
		"replaced by nothing": {func(b *verify.Bundle) { b.Chunks[1].Proof.T = verify.UnusedInput() }, "chunk 5: circuit"},
		"no fleet proof":      {func(b *verify.Bundle) { b.Fleet = nil }, "bundle has 0 fleet proofs, 3 chunks need 1"},
		"fleet proof twice":   {func(b *verify.Bundle) { b.Fleet = append(b.Fleet, b.Fleet[0]) }, "bundle has 2 fleet proofs, 3 chunks need 1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := l.copied(t)
			c.change(b)
			l.refuses(t, b, c.reason)
		})
	}
}

func indexed(i uint32, p verify.IndexedChunkProof) verify.IndexedChunkProof {
	return verify.IndexedChunkProof{Index: i, Proof: p.Proof}
}

// padding opens the pinned constant.
func padding() *zk.Opened {
	return &zk.Opened{Totals: statement.Totals{Exact: new(big.Int)}, T: verify.UnusedInput()}
}

// TestVerifyRefusesOtherOutputs proves the chain about other hidden outputs
// than the chunks'. The population is always the ledger's.
func TestVerifyRefusesOtherOutputs(t *testing.T) {
	l := proven(t)
	other := asked()
	other.Nonce = strings.Repeat("ab", statement.NonceBytes)
	foreign, opened, err := l.proveChunk(&cheat{}, l.keys, other, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, outputs := range map[string]func(o []*zk.Opened) []*zk.Opened{
		"one used twice":             func(o []*zk.Opened) []*zk.Opened { return []*zk.Opened{o[0], o[0], o[2]} },
		"one replaced by padding":    func(o []*zk.Opened) []*zk.Opened { return []*zk.Opened{o[0], padding(), o[2]} },
		"one of another statement's": func(o []*zk.Opened) []*zk.Opened { return []*zk.Opened{o[0], opened, o[2]} },
		"in another order":           func(o []*zk.Opened) []*zk.Opened { return []*zk.Opened{o[1], o[0], o[2]} },
	} {
		t.Run(name, func(t *testing.T) {
			b, _, err := l.prove(&cheat{only: map[int]bool{}, outputs: outputs})
			if err != nil {
				t.Fatal(err)
			}
			b.Disclosed[0] = big.NewInt(int64(l.facts.Attested()))
			l.refuses(t, b, "fleet proof 0: circuit fleet-64/v1")
			if name == "one of another statement's" {
				b.Chunks[1].Proof = foreign
				l.refuses(t, b, "chunk 5: mask M")
			}
		})
	}
}

// TestVerifyRefusesFleetProofFromElsewhere has a chain for the same outputs that
// is bound to another statement. What else it is bound to: TestDigestsBind.
func TestVerifyRefusesFleetProofFromElsewhere(t *testing.T) {
	l := proven(t)
	b, _, err := l.prove(&cheat{only: map[int]bool{}, place: func(p *verify.FleetPlace) { p.Statement[0] ^= 1 }})
	if err != nil {
		t.Fatal(err)
	}
	l.refuses(t, b, "fleet proof 0: circuit fleet-64/v1")
}

func TestVerifyRefusesChangedResults(t *testing.T) {
	l := proven(t)
	const circuit = "fleet proof 0: circuit fleet-64/v1"
	changes := map[string]struct {
		change func(b *verify.Bundle)
		reason string
	}{
		"population up":      {func(b *verify.Bundle) { b.Disclosed[0].Add(b.Disclosed[0], bigOne) }, "population differs"},
		"population zero":    {func(b *verify.Bundle) { b.Disclosed[0].SetInt64(0) }, "population differs"},
		"one result less":    {func(b *verify.Bundle) { b.Holds = b.Holds[:1] }, "results for 1 claims and 3 totals, the statement asks for 2 and 3"},
		"one result more":    {func(b *verify.Bundle) { b.Holds = append(b.Holds, true) }, "results for 3 claims"},
		"one total less":     {func(b *verify.Bundle) { b.Disclosed = b.Disclosed[:2] }, "and 2 totals"},
		"no totals":          {func(b *verify.Bundle) { b.Disclosed = nil }, "and 0 totals"},
		"one total more":     {func(b *verify.Bundle) { b.Disclosed = append(b.Disclosed, bigOne) }, "and 4 totals"},
		"totals exchanged":   {func(b *verify.Bundle) { d := b.Disclosed; d[1], d[2] = d[2], d[1] }, circuit},
		"T of a fleet proof": {func(b *verify.Bundle) { b.Fleet[0].T = uniform() }, circuit},
	}
	for i := range l.bundle.Holds {
		changes[fmt.Sprintf("claim %d turned round", i)] = struct {
			change func(b *verify.Bundle)
			reason string
		}{func(b *verify.Bundle) { b.Holds[i] = !b.Holds[i] }, circuit}
	}
	for i := 1; i < len(l.bundle.Disclosed); i++ {
		for _, by := range []int64{1, -1, 1 << 40} {
			changes[fmt.Sprintf("total %d by %d", i, by)] = struct {
				change func(b *verify.Bundle)
				reason string
			}{func(b *verify.Bundle) { d := b.Disclosed[i]; d.Abs(d.Add(d, big.NewInt(by))) }, circuit}
		}
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			b := l.copied(t)
			c.change(b)
			l.refuses(t, b, c.reason)
		})
	}
}

// TestVerifyClaimOffByOne asks for exactly what is there, and for one more.
func TestVerifyClaimOffByOne(t *testing.T) {
	l := proven(t)
	p, err := l.statement.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	count := uint64(0)
	for _, c := range l.chunks {
		count += p.Sum(c.Records).Count
	}
	s := asked()
	term := []statement.Term{{Total: "count", Coefficient: "1"}}
	s.Claims = []statement.Claim{{Terms: term, AtLeast: fmt.Sprint(count)}, {Terms: term, AtLeast: fmt.Sprint(count + 1)}}
	b, _, err := l.prove(&cheat{statement: s})
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.VerifyBundle(marshalled(t, b), l.facts, l.ring)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Claims[0].Holds || v.Claims[1].Holds || v.Holds() {
		t.Errorf("%d counted: got %+v", count, v.Claims)
	}
	b.Holds[1] = true
	l.refuses(t, b, "fleet proof 0: circuit")
}

// TestVerifyChain folds more chunks than one proof takes, without proving them,
// and then breaks the chain.
func TestVerifyChain(t *testing.T) {
	l := proven(t)
	const chunks = verify.FleetInputs + 3
	var opened []*zk.Opened
	var outputs []fr.Element
	for i := range chunks {
		totals := statement.Totals{Population: 40, Count: uint64(i), Exact: big.NewInt(int64(i))}
		o := verify.NewOutput(totals, uniform())
		opened = append(opened, &zk.Opened{Totals: totals, Output: o, T: o.Commit(verify.ChunkOutput)})
		outputs = append(outputs, opened[i].T)
	}
	facts := cloned(t, l.facts)
	facts.Chunks = nil
	for i := range chunks {
		facts.Chunks = append(facts.Chunks, verify.ChunkFacts{Index: uint32(i), Attested: 40})
	}
	honest := &verify.Bundle{Statement: l.statement}
	if err := l.proveFleet(&cheat{}, l.keys, l.statement, honest, opened); err != nil {
		t.Fatal(err)
	}
	if err := verify.VerifyChain(honest, facts, l.ring, outputs); err != nil {
		t.Fatal(err)
	}
	swapped := func(i, j int) []fr.Element {
		o := append([]fr.Element{}, outputs...)
		o[i], o[j] = o[j], o[i]
		return o
	}
	for name, c := range map[string]struct {
		fleet   []*verify.FleetProof
		outputs []fr.Element
		reason  string
	}{
		"steps in another order":            {[]*verify.FleetProof{honest.Fleet[1], honest.Fleet[0]}, outputs, "fleet proof 0"},
		"first step twice":                  {[]*verify.FleetProof{honest.Fleet[0], honest.Fleet[0]}, outputs, "fleet proof 1"},
		"last step twice":                   {[]*verify.FleetProof{honest.Fleet[1], honest.Fleet[1]}, outputs, "fleet proof 0"},
		"another first T":                   {[]*verify.FleetProof{withT(honest.Fleet[0], outputs[0]), honest.Fleet[1]}, outputs, "fleet proof 0"},
		"chunks exchanged in a step":        {honest.Fleet, swapped(0, 1), "fleet proof 0"},
		"chunks exchanged in the last step": {honest.Fleet, swapped(chunks-1, chunks-2), "fleet proof 1"},
		"chunks exchanged between steps":    {honest.Fleet, swapped(0, chunks-1), "fleet proof 0"},
		"last chunk is padding":             {honest.Fleet, append(append([]fr.Element{}, outputs[:chunks-1]...), verify.UnusedInput()), "fleet proof 1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := *honest
			b.Fleet = c.fleet
			if err := verify.VerifyChain(&b, facts, l.ring, c.outputs); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v, want an error about %q", err, c.reason)
			}
		})
	}
	t.Run("last step of another chain", func(t *testing.T) {
		b, rest := *honest, &verify.Bundle{Statement: l.statement}
		if err := l.proveFleet(&cheat{}, l.keys, l.statement, rest, opened[verify.FleetInputs:]); err != nil {
			t.Fatal(err)
		}
		b.Fleet = []*verify.FleetProof{honest.Fleet[0], rest.Fleet[0]}
		if err := verify.VerifyChain(&b, facts, l.ring, outputs); err == nil || !strings.Contains(err.Error(), "fleet proof 1") {
			t.Errorf("got %v, want an error about fleet proof 1", err)
		}
	})
}

func withT(p *verify.FleetProof, t fr.Element) *verify.FleetProof {
	out := *p
	out.T = t
	return &out
}
