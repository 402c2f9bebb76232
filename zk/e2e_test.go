package zk_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func TestE2E(t *testing.T) {
	logger.Disable()
	keys, err := setup.UnsafeSingleParty("/tmp/assaycache", func(s string) { t.Log(s) })
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{64, 256, 1024} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			recs := make([]record.Record, n)
			rs := make([]fr.Element, n)
			att := 0
			for i := range recs {
				if rng.IntN(10) == 0 {
					continue
				}
				recs[i] = record.Record{1, uint32(6000 + rng.IntN(4000)), uint32(rng.IntN(9000)), uint32(rng.IntN(3000)), uint32(rng.IntN(200000)), uint32(rng.IntN(100)), uint32(400 + rng.IntN(300)), uint32(rng.IntN(4))}
				rs[i].SetRandom()
				att++
			}
			ch := &zk.Chunk{Index: 3, Records: recs, R: rs}
			c, err := ch.Commitment(keys.SRS())
			if err != nil {
				t.Fatal(err)
			}
			cb := c.Bytes()
			s := &statement.Statement{Version: statement.Version, Fleet: "f", Epoch: 7, Schema: "battery/v1",
				Cohort:    []statement.Range{{Lane: "state_of_health", Min: "70.00"}, {Lane: "fault_count", Max: "2"}},
				Valuation: &statement.Valuation{Price: "1000.00", Currency: "EUR", Curves: []statement.Curve{{Lane: "state_of_health", Knots: []statement.Knot{{"70.00", "0.2"}, {"80.00", "0.6"}, {"100.00", "1"}}}, {Lane: "age_days", Knots: []statement.Knot{{"0", "1"}, {"3650", "0.5"}}}}},
				Claims:    []statement.Claim{{Terms: []statement.Term{{"count", "1"}}, AtLeast: "10"}, {Terms: []statement.Term{{"state_of_health", "1"}, {"count", "-85"}}, AtLeast: "0"}},
				Disclose:  []string{"value", "count", "state_of_health", "age_days"}, MinimumCoverage: "50.00", Requester: "lender", Purpose: "loan", Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			facts := &verify.Facts{Ledger: commit.Digest{1}, Fleet: "f", Owner: "o", Schema: "battery/v1", Epoch: 7, Enrolled: uint64(n), Chunks: []verify.ChunkFacts{{Index: 3, Size: uint32(n), Enrolled: uint32(n), Classes: map[string]uint32{"module": uint32(n)}, Anchored: true, Attested: uint32(att), Commitment: cb[:]}}}
			pub, err := keys.Published(n)
			if err != nil {
				t.Fatal(err)
			}
			ring, err := verify.NewKeyring(pub)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				t0 := time.Now()
				b, err := zk.Prove(context.Background(), keys, s, facts, func(context.Context, *verify.ChunkFacts) (*zk.Chunk, error) { return ch, nil }, func(d, n int) { t.Log(d, n, time.Since(t0)) })
				if err != nil {
					t.Fatal(err)
				}
				raw, err := b.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				t1 := time.Now()
				v, err := verify.VerifyBundle(raw, facts, ring)
				if err != nil {
					t.Fatal(err)
				}
				p, _ := s.Parameters()
				t.Logf("prove %v verify %v bytes %d %+v %+v native %+v", t1.Sub(t0), time.Since(t1), len(raw), v.Claims, v.Disclosed, p.Sum(recs).Vector())
			}
		})
	}
}
