package queuetest

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// Attack does on a worker's connection what no worker should come through with: it has whatever the broker answers sent to JetStream's
// API, to delete and purge streams and the consumer, and to another worker's result and dead letters. When it returns, the broker has
// done all of it that it is going to do. Id is a job's that the other has answered.
func Attack(t testing.TB, nc *nats.Conn, worker, id, other string) {
	t.Helper()
	const jobs = "ASSAY_WORK_" + Queue + "_JOBS"
	own := "assay-work." + Queue + ".result." + id + "." + worker
	info, next := "$JS.API.CONSUMER.INFO."+jobs+".workers", "$JS.API.CONSUMER.MSG.NEXT."+jobs+".workers"
	targets := []string{
		"assay-work." + Queue + ".result." + id + "." + other, "assay-work." + Queue + ".dead." + other, "assay-work." + Queue + ".job." + id + ".7",
		"$JS.API.CONSUMER.DELETE." + jobs + ".workers", "$JS.API.CONSUMER.CREATE." + jobs + ".evil",
	}
	for _, stream := range []string{jobs, "ASSAY_WORK_" + Queue + "_RESULTS", "ASSAY_WORK_" + Queue + "_DEAD"} {
		for _, call := range []string{"PURGE", "DELETE", "UPDATE", "MSG.DELETE"} {
			targets = append(targets, "$JS.API.STREAM."+call+"."+stream)
		}
	}
	for _, target := range targets {
		for _, m := range []nats.Msg{
			{Subject: target},
			{Subject: own, Data: []byte("junk")},
			{Subject: info},
			{Subject: next, Data: []byte(`{"batch":5}`)},
			{Subject: next, Data: []byte(`{"no_wait":true}`)},
			{Subject: "$JS.ACK." + jobs + ".workers.1.1.1.1.0", Data: []byte("+WPI")},
		} {
			m.Reply = target
			if err := nc.PublishMsg(&m); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The API answers in order, and so do the stream of results and the consumer.
	for _, m := range []nats.Msg{{Subject: next, Data: []byte(`{"batch":5}`)}, {Subject: own, Data: []byte("junk")}, {Subject: info}} {
		if _, err := nc.RequestMsg(&m, 10*time.Second); err != nil {
			t.Fatalf("%s: %v", m.Subject, err)
		}
	}
}
