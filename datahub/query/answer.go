package query

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// AnswerVersion is the version of an Answer.
const AnswerVersion = "assay-query-answer/v1"

// MaxAnswer bounds an answer's encoding, in bytes.
const MaxAnswer = 256 << 10

// Answer is what a requester learned from a query: its node's alone. All numbers are decimal text. What rounding and noise leave of it is said beside each figure.
type Answer struct {
	Version string           `json:"version"`
	Query   commit.Digest    `json:"query"`
	Session commit.Digest    `json:"session"`
	Kind    ledger.QueryKind `json:"kind"`
	// Owners are those whose fleets are in it, in ascending order.
	Owners []string          `json:"owners"`
	Schema string            `json:"schema"`
	Epoch  uint64            `json:"epoch"`
	Cohort []statement.Range `json:"cohort,omitempty"`
	// MinimumCohort is the fewest batteries with which an owner is in it: of totals with noise by its noised count, of a score no fewer than its shape needs.
	MinimumCohort uint64 `json:"minimum_cohort"`
	// Epsilon and Delta are what each owner's noise was made for. Without them all is exact.
	Epsilon string `json:"epsilon,omitempty"`
	Delta   string `json:"delta,omitempty"`
	// Figures are in the order of their kinds.
	Figures []Figure `json:"figures"`
	// Totals are what a federated query opened, in the document's terms and stored units: the figures are functions of these alone.
	Totals []Total `json:"totals,omitempty"`
	// Misfit is how far a logistic score's polynomial is from the logistic function.
	Misfit *Misfit `json:"misfit,omitempty"`
}

// FigureKind says what a Figure is.
type FigureKind string

// The kinds of figures, in their order.
const (
	FigureCount     FigureKind = "count"
	FigureSum       FigureKind = "sum"
	FigureMean      FigureKind = "mean"
	FigureVariance  FigureKind = "variance" // of the cohort as a whole population
	FigureHistogram FigureKind = "histogram"
	// Of a score: its mean over the cohort, and its standard deviation.
	FigureScore     FigureKind = "score"
	FigureDeviation FigureKind = "score_deviation"
)

// Figure is one number that a query asked for, or a histogram's.
type Figure struct {
	Kind FigureKind `json:"kind"`
	// Of is a lane's name or "value"; not of a count or a score.
	Of   string `json:"of,omitempty"`
	Unit string `json:"unit,omitempty"`
	// Value is rounded to its last place, half away from zero, if it is a mean or a variance. It is left out of a histogram, of a mean or a variance of no batteries (by the noised count), and of a
	// score's deviation where the variance is below zero, by noised sums or those of an owner that is not honest.
	Value string `json:"value,omitempty"`
	Bands []Band `json:"bands,omitempty"`
	// Error bounds how far Value may be from what exact arithmetic gives, noise aside, which comes on top: of a value's sum and mean, which are never above that, and its variance; of a score. It is
	// above 0 and not reached, and left out where the figure is exact but for the rounding of its last place.
	Error string `json:"error,omitempty"`
	// Noise is the standard deviation of the noise in Value, or in each band. Of a score it is not below that.
	Noise string `json:"noise,omitempty"`
}

// Band is how many batteries are in one interval: From ≤ x < Below, in a histogram's unit. The last has no Below: it goes to the cohort's end.
type Band struct {
	From  string `json:"from"`
	Below string `json:"below,omitempty"`
	Count string `json:"count"`
}

// Total is one opened total.
type Total struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Noise string `json:"noise,omitempty"` // standard deviation
}

// Misfit is the largest difference of a score's polynomial from the logistic function, within the interval that it is fitted on and over all that a battery can have.
type Misfit struct {
	Within   string `json:"within"`
	Anywhere string `json:"anywhere"`
}

// Encode writes what ParseAnswer reads.
func (a *Answer) Encode() []byte { return ledger.Encode(a) }

// ParseAnswer reads an answer as another node encoded it: its version and its form, not whether it is true.
func ParseAnswer(b []byte) (*Answer, error) {
	a, err := ledger.Decode[Answer]("answer", b, MaxAnswer)
	if err != nil {
		return nil, err
	}
	if a.Version != AnswerVersion {
		return nil, fmt.Errorf("answer: version is %.40q, want %q", a.Version, AnswerVersion)
	}
	return a, nil
}
