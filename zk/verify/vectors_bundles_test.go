package verify_test

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// vectorMaker collects bundles. Facts and keys that are not named yet get the name of the first vector with them.
type vectorMaker struct {
	*lending
	t   *testing.T
	out bundleVectors
}

func makeBundleVectors(t *testing.T) bundleVectors {
	m := &vectorMaker{proven(t), t, bundleVectors{Keys: map[string][]verify.PublishedKey{}, Facts: map[string]*verify.Facts{}}}
	m.out.Keys["all"], m.out.Facts["three chunks"] = m.published, m.facts
	m.valid()
	m.encodings()
	m.otherFacts()
	m.otherKeys()
	m.otherProofs()
	m.otherResults()
	return m.out
}

// add takes a bundle's bytes; facts and keys may be nil, for the usual ones.
func (m *vectorMaker) add(name string, raw []byte, facts *verify.Facts, keys []verify.PublishedKey, failure verify.Failure) {
	m.t.Helper()
	v := bundleVector{Name: name, Bundle: raw, Facts: "three chunks", Keys: "all", Failure: failure}
	if facts != nil {
		v.Facts, m.out.Facts[name] = name, facts
	}
	if keys != nil {
		v.Keys, m.out.Keys[name] = name, keys
	}
	ring, err := verify.NewKeyring(m.out.Keys[v.Keys])
	if err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	verdict, err := verify.VerifyBundle(raw, m.out.Facts[v.Facts], ring)
	m.t.Run("making "+name, func(t *testing.T) { checkOutcome(t, failure, err) })
	if err == nil {
		v.Verdict = marshalJSON(m.t, verdict)
	}
	m.out.Cases = append(m.out.Cases, v)
}

func (m *vectorMaker) changed(name string, change func(b *verify.Bundle), failure verify.Failure) {
	m.t.Helper()
	b := m.copied(m.t)
	change(b)
	m.add(name, marshalled(m.t, b), nil, nil, failure)
}

func (m *vectorMaker) valid() {
	m.add("valid", m.raw, nil, nil, "")
	for _, c := range otherStatements {
		s := asked()
		c.change(s)
		b, _, err := m.prove(&cheat{statement: s})
		if err != nil {
			m.t.Fatalf("%s: %v", c.name, err)
		}
		m.add(c.name, marshalled(m.t, b), nil, nil, "")
	}
	m.fleet("valid: charging piles", "charger/v1", func(s *statement.Statement) {
		s.Schema, s.Cohort, s.Valuation = "charger/v1", nil, nil
		s.Claims = []statement.Claim{{Terms: []statement.Term{{Total: "revenue", Coefficient: "0.000001"}}, AtLeast: "0.1"}}
		s.Disclose = []string{"energy_Wh", "population", "count"}
	}, newChunk(0))
	m.fleet("valid: chunks of two sizes", "battery/v1", func(*statement.Statement) {}, newChunk(1), bigChunk(7, 256))
	var many []*zk.Chunk
	for i := range verify.FleetInputs + 2 {
		many = append(many, newChunk(uint32(3*i)))
	}
	m.fleet("valid: a chain of two fleet proofs", "battery/v1", func(*statement.Statement) {}, many...)
	var keys []verify.PublishedKey
	for _, k := range m.published {
		keys = append(keys, verify.NewPublishedKey(k.CircuitID, verify.CeremonySetup(commit.Digest{0xce, 1}), k.Key))
	}
	m.add("valid: keys of a ceremony", m.raw, nil, keys, "")
}

// otherStatements are about the same fleet, and valid too.
var otherStatements = []struct {
	name   string
	change func(*statement.Statement)
}{
	{"valid: nothing claimed, nothing disclosed", func(s *statement.Statement) {
		s.Cohort, s.Valuation, s.Claims, s.Disclose, s.MinimumCoverage, s.Grant = nil, nil, nil, nil, "0", ""
	}},
	{"valid: everything disclosed, four claims", func(s *statement.Statement) {
		s.Valuation.Curves = s.Valuation.Curves[1:]
		s.Disclose = []string{
			"fault_count", "peak_temperature", "count", "value", "population", "state_of_health", "equivalent_full_cycles", "age_days", "remaining_capacity_mAh", "voltage_spread_mV",
		}
		s.Claims = append(s.Claims,
			statement.Claim{Terms: []statement.Term{{Total: "peak_temperature", Coefficient: "-0.5"}, {Total: "count", Coefficient: "20"}}, AtLeast: "-12.5"},
			statement.Claim{Terms: []statement.Term{{Total: "population", Coefficient: "-1"}, {Total: "value", Coefficient: "0.25"}}, AtLeast: "-1000000.5"})
	}},
	{"valid: an offset without a count", func(s *statement.Statement) { s.Disclose = []string{"peak_temperature"} }},
	{"valid: coverage met exactly, key classes accepted", func(s *statement.Statement) {
		s.MinimumCoverage, s.KeyClasses = "90.22", []string{"gateway", "module", "secure_element"}
	}},
	{"valid: text of many kinds", func(s *statement.Statement) {
		s.Purpose, s.Requester, s.Grant = `loan "<42>" & \ ½ 电池 🔋`, "bank é", ""
	}},
	{"valid: steep curves", func(s *statement.Statement) {
		s.Cohort = []statement.Range{{Lane: "peak_temperature", Min: "-0.50", Max: "60.0"}}
		s.Valuation = &statement.Valuation{Price: "10995116277.76", Currency: "XXX", Curves: []statement.Curve{
			{Lane: "peak_temperature", Knots: []statement.Knot{{At: "10", Factor: "10"}, {At: "10.1", Factor: "0"}, {At: "59", Factor: "9.999999"}, {At: "100", Factor: "0.1"}}},
		}}
	}},
}

// fleet adds a bundle about another fleet.
func (m *vectorMaker) fleet(name, schema string, change func(*statement.Statement), chunks ...*zk.Chunk) {
	l := m.other(m.t, schema, chunks...)
	change(l.statement)
	b, _, err := l.prove(&cheat{})
	if err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	m.add(name, marshalled(m.t, b), l.facts, nil, "")
}

// other is another fleet, with the same keys. Its statement asks for no coverage.
func (l *lending) other(t *testing.T, schema string, chunks ...*zk.Chunk) *lending {
	t.Helper()
	out := &lending{keys: l.keys, published: l.published, ring: l.ring, statement: asked(), chunks: chunks}
	out.statement.MinimumCoverage = "0"
	out.facts = &verify.Facts{Ledger: commit.Digest{2}, Fleet: "fleet-a", Owner: "owner", Schema: schema, Epoch: 7}
	for _, c := range chunks {
		f, err := l.factsOf(c)
		if err != nil {
			t.Fatal(err)
		}
		out.facts.Chunks, out.facts.Enrolled = append(out.facts.Chunks, *f), out.facts.Enrolled+uint64(f.Enrolled)
	}
	return out
}

// bigChunk has so many slots, of which the last reports too.
func bigChunk(index uint32, slots int) *zk.Chunk {
	small := newChunk(index)
	c := &zk.Chunk{Index: index, Records: append(small.Records, make([]record.Record, slots-size)...), R: append(small.R, make([]fr.Element, slots-size)...)}
	c.Records[slots-1], c.R[slots-1] = c.Records[0], c.R[1]
	return c
}
