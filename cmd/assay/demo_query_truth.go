package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/record"
)

// Lanes of battery/v1 that the demonstration asks about.
const (
	laneHealth = 1
	laneAge    = 3
)

// readRecords reads what the anchors of the epoch commit to from every owner's own store. Nobody has all of it: the demonstration has, to compare.
func (d *queryDemo) readRecords(ctx context.Context) error {
	for _, role := range queryOwners {
		config, err := readConfig(d.nodes[role].config)
		if err != nil {
			return err
		}
		storage, err := node.OpenStorage(ctx, config, node.StorageOptions{Existing: true})
		if err != nil {
			return err
		}
		records, err := storage.Records(ctx, d.nodes[role].fleet, d.epoch)
		if closed := storage.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
		for _, r := range records {
			if r[record.Presence] == 1 {
				d.records[role] = append(d.records[role], r)
			}
		}
	}
	return nil
}

// queryEdges are of the histogram, in stored units and as text.
var (
	queryEdges     = []uint32{8000, 9000, 9500}
	queryEdgesText = "80.00,90.00,95.00"
)

// queryTruth is what is known in the open: how far a figure of an answer may be from it is said beside the figure.
type queryTruth struct {
	text    string
	figures map[query.FigureKind]float64
	bands   []int
}

// truth counts, adds up and sorts the records of all owners.
func (d *queryDemo) truth() *queryTruth {
	batteries, health, bands := 0, 0, make([]int, len(queryEdges)+1)
	for _, role := range queryOwners {
		for _, r := range d.records[role] {
			batteries++
			health += int(r[laneHealth])
			band := 0
			for band < len(queryEdges) && r[laneHealth] >= queryEdges[band] {
				band++
			}
			bands[band]++
		}
	}
	mean := float64(health) / float64(batteries) / 100
	return &queryTruth{
		text:    fmt.Sprintf("%d batteries, mean state of health %.4f %%, %v in the bands", batteries, mean, bands),
		figures: map[query.FigureKind]float64{query.FigureCount: float64(batteries), query.FigureMean: mean, query.FigureSum: float64(health) / 100},
		bands:   bands,
	}
}

// mostDeviations is how many standard deviations noise may reach: a larger one is drawn once in many millions of times.
const mostDeviations = 12

// agrees says whether an answer is the truth, as far as it says itself.
func (t *queryTruth) agrees(a *query.Answer) error {
	for _, f := range a.Figures {
		if f.Kind == query.FigureHistogram {
			for i, b := range f.Bands {
				if i >= len(t.bands) || b.Count != fmt.Sprint(t.bands[i]) {
					return fmt.Errorf("band %d of %s is %s: %s", i, f.Of, b.Count, t.text)
				}
			}
			continue
		}
		got, noise, off := number(f.Value), number(f.Noise), number(f.Error)
		rounding := math.Pow10(-len(f.Value) + strings.IndexByte(f.Value+".", '.') + 1)
		if want, known := t.figures[f.Kind]; !known || math.Abs(got-want) > mostDeviations*noise+off+rounding {
			return fmt.Errorf("%s %s is %s (noise %s, error %s): %s", f.Kind, f.Of, f.Value, f.Noise, f.Error, t.text)
		}
	}
	return nil
}

// number reads decimal text; nothing is 0.
func number(text string) float64 {
	f, _ := strconv.ParseFloat(text, 64)
	return f
}

// queryModel is the lender's secret: a logistic score of health and age.
const queryModel = `{
  "format": "assay-score/1",
  "kind": "logistic",
  "intercept": -5.5,
  "degree": 3,
  "interval": 4,
  "features": [
    {"lane": "state_of_health", "low": 5000, "high": 10000, "weight": 0.00085},
    {"lane": "age_days", "low": 0, "high": 3650, "weight": -0.0004}
  ]
}
`

// scored is what the model says of an owner's fleet in the open.
func (d *queryDemo) scored(role string) (*queryTruth, error) {
	m, err := score.ParseModel([]byte(queryModel))
	if err != nil {
		return nil, err
	}
	lanes, err := query.Lanes("battery/v1", nil)
	if err != nil {
		return nil, err
	}
	clear, err := m.Clear(lanes, func(yield func([]uint32, error) bool) {
		for _, r := range d.records[role] {
			if !yield(r[record.Presence+1:], nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return &queryTruth{
		text:    fmt.Sprintf("mean score %.9f over %d batteries", clear.Mean, clear.Batteries),
		figures: map[query.FigureKind]float64{query.FigureScore: clear.Mean},
	}, nil
}
