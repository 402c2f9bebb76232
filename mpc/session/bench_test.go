package session_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// BenchmarkSession plays whole sessions, all parties' work one after the other, with their stores on disk, and counts the bytes that parties show each other.
func BenchmarkSession(b *testing.B) {
	for _, c := range []struct{ owners, threshold, used int }{{3, 2, 3}, {5, 3, 3}, {9, 5, 3}, {3, 2, 17}} {
		b.Run(fmt.Sprintf("owners=%d/totals=%d", c.owners, c.used), func(b *testing.B) {
			var bytes atomic.Int64
			for b.Loop() {
				n := sessiontest.New(b, c.owners, c.threshold, func(o *transcript.Opening) { o.Used = c.used })
				n.Mail.Interpose(func(_ sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
					shown, err := answer()
					bytes.Add(int64(len(shown)))
					return shown, err
				})
				n.Start()
				n.Play(n.Over)
				n.WantResult(n.Opening.Roster.Owners...)
			}
			b.ReportMetric(float64(bytes.Load())/float64(b.N), "sent-B/op")
		})
	}
}
