package federated

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/assay-net/assay/mpc/privacy"
)

// Bounds of a query.
const (
	Version       = "assay-federated-query/v1"
	MaxBytes      = 32 << 10
	MaxName       = 64 // bytes
	MaxLanes      = 32 // with presence
	MaxFigures    = 32
	MaxBands      = 128
	MaxTotals     = 256       // coefficients of a plan
	MaxPopulation = 1 << 32   // records of one owner
	MaxValue      = 1<<47 - 1 // of one battery
	MinOwners     = 3         // parts in a sum that is opened
	MaxOwners     = 16        // parts in a sum
	digestTag     = "assay/" + Version
)

// Query is a question about several owners' fleets at one epoch. Everything in
// it is public.
type Query struct {
	// Version is [Version].
	Version string `json:"version"`
	// Context is a digest, in hex, of what the query is asked under: the request, its
	// grants, the purpose. It is bound and not interpreted here.
	Context string `json:"context,omitempty"`
	Epoch   uint64 `json:"epoch"`
	// Schema names the lanes, such as "battery/v1", and Lanes copies their
	// bounds. Whoever knows the schema has to compare the two.
	Schema string `json:"schema"`
	Lanes  []Lane `json:"lanes"`
	// Cohort says which batteries are counted.
	Cohort Cohort `json:"cohort"`
	// Valuation is behind the quantity [Value]; nil when nothing is valued.
	Valuation *Valuation `json:"valuation,omitempty"`
	Figures   []Figure   `json:"figures"`
	// Population bounds the records of any one owner at the epoch. An owner compares it
	// with a public size of its fleet before it reads a record: see [Plan.Totals].
	Population uint64 `json:"population"`
	// Minimum is how many batteries of the cohort an owner must have to take part; with
	// Privacy it is compared with their noised number.
	Minimum uint64 `json:"minimum_cohort"`
	// Privacy is what the query spends; nil asks for exact totals.
	Privacy *privacy.Budget `json:"privacy,omitempty"`
}

// Lane is a lane's name and its schema's bounds in stored units, both included.
// Lane 0 is presence: 0 marks a slot without a record, 1 one with.
type Lane struct {
	Name string `json:"name"`
	Min  uint32 `json:"min"`
	Max  uint32 `json:"max"`
}

// Presence is lane 0 of every schema.
var Presence = Lane{Name: "presence", Max: 1}

// Cohort is a box: a closed interval for each lane in stored units, within the
// schema's bounds. Index 0 is unused and 0.
type Cohort struct {
	Lo []uint32 `json:"lo"`
	Hi []uint32 `json:"hi"`
}

// Valuation names a model and bounds its values.
type Valuation struct {
	// Model is the model's SHA-256 in hex.
	Model string `json:"model"`
	// Max bounds the value of one battery, in the model's unit: a greater one counts
	// as Max. The least is 0.
	Max uint64 `json:"max"`
}

// Kind is what is asked about a quantity.
type Kind string

// The kinds of figures.
const (
	Count     Kind = "count"
	Sum       Kind = "sum"
	Mean      Kind = "mean"
	Variance  Kind = "variance"
	Histogram Kind = "histogram"
)

// Value is the quantity of a figure over the valuation; no lane may have this name.
const Value = "value"

// Figure is one question.
type Figure struct {
	Kind Kind `json:"kind"`
	// Of is a lane's name or [Value]; "" for a count.
	Of string `json:"of,omitempty"`
	// Edges are a histogram's, ascending: band 0 is everything in the cohort below
	// the first, band j is edge j−1 ≤ x < edge j, the last is everything from the last
	// edge on. So n edges make n+1 bands, and each battery of the cohort is in one.
	Edges []uint64 `json:"edges,omitempty"`
}

// Parse reads the canonical encoding and checks it. Any other encoding of the
// same query is refused.
func Parse(b []byte) (*Query, error) {
	q, err := decode(b)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(q.Canonical(), b) {
		return nil, errors.New("query: not in canonical form")
	}
	return q, nil
}

// ReadQuery reads a query in any JSON layout, from a person, at most [MaxBytes] long.
func ReadQuery(r io.Reader) (*Query, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading query: %w", err)
	}
	return decode(b)
}

func decode(b []byte) (*Query, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("query: longer than %d bytes", MaxBytes)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("query: not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	q := new(Query)
	if err := d.Decode(q); err != nil {
		return nil, fmt.Errorf("query: %.200s", err) // it quotes what others wrote
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("query: trailing data")
	}
	return q, q.Check()
}

// Canonical is the one encoding that is digested: compact JSON, fields in the
// order of the types.
func (q *Query) Canonical() []byte {
	b, err := json.Marshal(q)
	if err != nil {
		panic(fmt.Sprintf("encoding query: %v", err)) // no type in it can fail
	}
	return b
}

// Digest names the query: SHA-256 over a domain tag and the canonical encoding
// behind its length. It binds no ledger or session; who uses it does.
func (q *Query) Digest() [32]byte {
	c := q.Canonical()
	h := sha256.New()
	h.Write([]byte(digestTag))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(c))))
	h.Write(c)
	return [32]byte(h.Sum(nil))
}
