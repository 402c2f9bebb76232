package mpc_test

import (
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/measure"
)

var benchTable = flag.String("bench-table", "", "measure queries and write the figures to this file")

// benchRuns are averaged.
const benchRuns = 5

// TestBenchTable measures whole queries, all parties' work one after the other in one process, their stores on disk, beside the same in the clear and beside lattigo's own operations.
// Nothing is asserted about time.
func TestBenchTable(t *testing.T) {
	if *benchTable == "" {
		t.Skip("run by make bench-mpc")
	}
	table := measure.NewTable(os.Stdout)
	t.Run("sessions", func(t *testing.T) { benchSessions(t, table) })
	t.Run("federated", func(t *testing.T) { benchFederated(t, table) })
	t.Run("score", func(t *testing.T) { benchScore(t, table) })
	if err := table.Write(*benchTable); err != nil {
		t.Fatal(err)
	}
}

// counted counts what parties show one another.
func counted(n *sessiontest.Network) *atomic.Int64 {
	var bytes atomic.Int64
	n.Mail.Interpose(func(_ sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
		shown, err := answer()
		bytes.Add(int64(len(shown)))
		return shown, err
	})
	return &bytes
}

// benchSessions are keys and a whole session of 17 totals, as many owners opening as a majority.
func benchSessions(t *testing.T, table *measure.Table) {
	for _, owners := range []int{3, 5, 9} {
		var keys, whole time.Duration
		var keyBytes, bytes int64
		threshold := owners/2 + 1
		for range benchRuns {
			n := sessiontest.New(t, owners, threshold, func(o *transcript.Opening) { o.Used = 17 })
			sent := counted(n)
			began := time.Now()
			n.Start()
			n.Play(n.In(transcript.Input))
			keys += time.Since(began)
			keyBytes = sent.Load()
			n.Play(n.Over)
			whole += time.Since(began)
			bytes = sent.Load()
		}
		name := fmt.Sprintf("session_%d_owners", owners)
		library := newLibrary(owners, threshold).session()
		table.Add(name+"_lattigo_operations", library.Seconds(), "s", "", 0)
		table.Add(name+"_keys", (keys / benchRuns).Seconds(), "s", "", 0)
		table.Add(name, (whole / benchRuns).Seconds(), "s", name+"_lattigo_operations", whole.Seconds()/benchRuns/library.Seconds())
		table.Add(name+"_keys_bytes", float64(keyBytes), "B", "", 0)
		table.Add(name+"_bytes", float64(bytes), "B", "", 0)
	}
}

// benchFederated is a sum and a histogram of 16 bands over a million batteries of three owners, from the records in memory.
func benchFederated(t *testing.T, table *measure.Table) {
	fleets := []fleet{newFleet(1, 500_000), newFleet(2, 300_000), newFleet(3, 200_000)}
	q := question(500_000)
	var sent *atomic.Int64
	var ready, done, began time.Time
	result := play(t, q, 2, func(n *sessiontest.Network) {
		sent = counted(n)
		began = time.Now()
		n.Start()
		n.Play(func() bool { return n.Recorded(transcript.Ready) == len(n.Names()) })
		ready = time.Now()
	}, fleets...)
	done = time.Now()
	clearBegan := time.Now()
	want := clearly(q, fleets...)
	inClear := time.Since(clearBegan)
	wrong := 0.0
	for i, got := range append([]*big.Int{result.Answers[0].Value.Num()}, result.Answers[1].Bands...) {
		wrong = max(wrong, math.Abs(float64(got.Int64()-want[i])))
	}
	table.Add("federated_1000000_batteries_clear", inClear.Seconds(), "s", "", 0)
	table.Add("federated_1000000_batteries", done.Sub(ready).Seconds(), "s", "2 s", done.Sub(ready).Seconds()/2)
	table.Add("federated_1000000_batteries_with_keys", done.Sub(began).Seconds(), "s", "federated_1000000_batteries_clear", done.Sub(began).Seconds()/inClear.Seconds())
	table.Add("federated_1000000_batteries_bytes", float64(sent.Load()), "B", "", 0)
	table.Add("federated_error", wrong, "of a total", "", 0)
}

// benchScore is a logistic score of degree 3 with 8 features over 100,000 batteries.
func benchScore(t *testing.T, table *measure.Table) {
	model, lanes, records := scored(100_000)
	owner := &score.Owner{Lanes: lanes, Least: 1_000}
	began := time.Now()
	request, secret, err := score.Seal(model, score.Context{})
	if err != nil {
		t.Fatal(err)
	}
	asked := must(request.MarshalBinary())(t)
	got := must(score.ParseRequest(asked))(t)
	moments := must(owner.Collect(got.Shape, records))(t)
	answered := must(must(owner.Answer(got, score.Context{}, moments))(t).MarshalBinary())(t)
	result := must(secret.Open(must(score.ParseAnswer(answered))(t)))(t)
	took := time.Since(began)
	began = time.Now()
	twin := must(model.Clear(lanes, records))(t)
	inClear := time.Since(began)
	table.Add("score_100000_batteries_clear", inClear.Seconds(), "s", "", 0)
	table.Add("score_100000_batteries", took.Seconds(), "s", "20 s", took.Seconds()/20)
	table.Add("score_100000_batteries_overhead", took.Seconds(), "s", "score_100000_batteries_clear", took.Seconds()/inClear.Seconds())
	table.Add("score_request_bytes", float64(len(asked)), "B", "", 0)
	table.Add("score_answer_bytes", float64(len(answered)), "B", "", 0)
	table.Add("score_error", math.Abs(result.Mean-twin.Mean)*1e9, "10^-9 of 1", "score_error_stated", math.Abs(result.Mean-twin.Mean)/result.MeanError)
	table.Add("score_error_stated", result.MeanError*1e9, "10^-9 of 1", "", 0)
}

// scored is a model over eight lanes, and a fleet.
func scored(batteries int) (*score.Model, []score.Lane, score.Records) {
	model := &score.Model{Kind: score.Logistic, Degree: 3, Interval: 8, Intercept: -2}
	var lanes []score.Lane
	for i := range 8 {
		name := fmt.Sprintf("lane_%d", i)
		lanes = append(lanes, score.Lane{Name: name, High: 10_000})
		model.Features = append(model.Features, score.Weighted{Feature: score.Feature{Lane: name, High: 10_000}, Weight: float64(i-3) / 10_000})
	}
	f := newFleet(4, batteries)
	return model, lanes, func(yield func([]uint32, error) bool) {
		values := make([]uint32, len(lanes))
		for i := 0; i < len(f); i += 3 {
			for j := range values {
				values[j] = (f[i+1] + uint32(j)*f[i+2]) % 10_001
			}
			if !yield(values, nil) {
				return
			}
		}
	}
}
