package store_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/store"
)

func quarantined(n int, reason, payload string) store.Quarantined {
	return store.Quarantined{Fleet: "alpha", Device: device(n), Subject: "assay.v1.x.up", Epoch: 7, Received: noon, Reason: reason,
		Detail: "a sentence", Size: len(payload), Payload: []byte(payload)}
}

func TestQuarantineIsListedMarkedAndDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		b := &store.Batch{Quarantine: []store.Quarantined{quarantined(1, "signature", "a"), quarantined(2, "clock", "b"), quarantined(1, "clock", "c")}}
		b.Quarantine[1].Fleet = ""
		mustCommit(t, s, b)
		all := b.Quarantine
		list := func(what string, f store.Filter, want ...store.Quarantined) {
			t.Helper()
			got, err := s.QuarantineList(t.Context(), f)
			must(t, err)
			equal(t, what, got, want)
		}
		one := device(1)
		list("all", store.Filter{}, all...)
		list("of a device", store.Filter{Device: &one}, all[0], all[2])
		list("for a reason", store.Filter{Reason: "clock"}, all[1], all[2])
		list("of a device for a reason", store.Filter{Device: &one, Reason: "clock"}, all[2])
		list("of a fleet", store.Filter{Fleet: "alpha"}, all[0], all[2])
		list("the first", store.Filter{Limit: 1}, all[0])
		list("after the first", store.Filter{After: all[0].ID, Limit: 1}, all[1])
		list("by ID", store.Filter{IDs: []string{all[2].ID, all[0].ID, "none"}}, all[0], all[2])

		// Another process marks them.
		if n, err := e.open(t).QuarantineMark(t.Context(), store.Filter{Reason: "clock"}); err != nil || n != 2 {
			t.Fatalf("marked %d, %v", n, err)
		}
		all[1].Replay, all[2].Replay = true, true
		list("marked", store.Filter{Marked: true}, all[1], all[2])
		if n, err := s.QuarantineDelete(t.Context(), []string{all[1].ID, "none"}); err != nil || n != 1 {
			t.Fatalf("deleted %d, %v", n, err)
		}
		list("what is left", store.Filter{}, all[0], all[2])
	})
}

func TestQuarantineIsBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		registry := prometheus.NewRegistry()
		e.options.QuarantinePerDevice, e.options.QuarantineTotal, e.options.Metrics = 3, 7, registry
		s := e.open(t)
		flood := &store.Batch{}
		for i := range 10 {
			flood.Quarantine = append(flood.Quarantine, quarantined(1, "signature", fmt.Sprint(i)))
		}
		mustCommit(t, s, flood)
		mustCommit(t, s, &store.Batch{Quarantine: []store.Quarantined{quarantined(1, "signature", "10"), quarantined(2, "clock", "x")}})
		payloads := func() (out []string) {
			got, err := s.QuarantineList(t.Context(), store.Filter{})
			must(t, err)
			for _, q := range got {
				out = append(out, string(q.Payload))
			}
			return out
		}
		equal(t, "the newest of the flood, and the other's", payloads(), []string{"8", "9", "10", "x"})
		for n := range 5 {
			mustCommit(t, s, &store.Batch{Quarantine: []store.Quarantined{quarantined(3+n, "clock", fmt.Sprint("y", n))}})
		}
		equal(t, "the newest of all", payloads(), []string{"10", "x", "y0", "y1", "y2", "y3", "y4"})
		if got := gathered(t, registry, "assay_store_quarantine_dropped_total"); got != 10 {
			t.Errorf("%v dropped are counted, must be 10", got)
		}
	})
}

// What is acknowledged is nowhere else: others do not push it out, nor do its own successors. Room tells when there is no place for more.
func TestAcknowledgedFramesStayInTheQuarantine(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		e.options.QuarantinePerDevice, e.options.QuarantineTotal = 3, 2
		s := e.open(t)
		room, err := s.QuarantineRoom(t.Context())
		must(t, err)
		kept := quarantined(1, "refused", "kept")
		kept.Acknowledged, kept.Plain = true, true
		for i := range 5 {
			if took := room.Take(kept.Device); took != (i < 3) {
				t.Errorf("place %d of a device: %v", i, took)
			}
		}
		mustCommit(t, s, &store.Batch{Quarantine: []store.Quarantined{kept}})
		for n := range 6 {
			mustCommit(t, s, &store.Batch{Quarantine: []store.Quarantined{quarantined(1, "envelope", fmt.Sprint(n)), quarantined(10+n, "unknown", fmt.Sprint("s", n))}})
		}
		got, err := s.QuarantineList(t.Context(), store.Filter{})
		must(t, err)
		if len(got) != 3 || string(got[0].Payload) != "kept" || !got[0].Acknowledged || !got[0].Plain || got[1].Acknowledged || got[1].Plain || string(got[2].Payload) != "s5" {
			t.Errorf("the quarantine has %+v", got)
		}
		if room, err = s.QuarantineRoom(t.Context()); err != nil {
			t.Fatal(err)
		}
		taken := 0
		for n := range 30 {
			for room.Take(device(n)) {
				taken++
			}
		}
		if taken != 19 { // ten times the total, but for the one that is there
			t.Errorf("%d places, must be 19", taken)
		}
	})
}

func gathered(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	must(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func TestQuarantineIsMarkedBesideALoad(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		s, other := e.open(t), e.open(t)
		putWriterDevices(t, s)
		l := startLoad(t, s)
		l.advance(t, 2)
		for range 30 {
			if n, err := other.QuarantineMark(t.Context(), store.Filter{Reason: "clock"}); err != nil || n == 0 {
				t.Fatalf("marked %d, %v", n, err)
			}
			if q, err := other.QuarantineList(t.Context(), store.Filter{Marked: true}); err != nil || len(q) == 0 {
				t.Fatalf("%d are marked, %v", len(q), err)
			}
		}
		l.finish(t)
	})
}

func TestFilterWithTooManyIDsIsRefused(t *testing.T) {
	s := sqliteEnv(t).open(t)
	f := store.Filter{IDs: make([]string, store.MaxIDs+1)}
	if _, err := s.QuarantineList(t.Context(), f); err == nil {
		t.Error("listed")
	}
	if _, err := s.QuarantineMark(t.Context(), f); err == nil {
		t.Error("marked")
	}
	f.IDs = f.IDs[1:]
	_, err := s.QuarantineList(t.Context(), f)
	must(t, err)
}

func TestQuarantineTakesAnyText(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		q := quarantined(1, "reason", "payload")
		q.Subject, q.Detail = "not UTF-8: \xff, NUL: \x00", string(make([]byte, 5000))
		mustCommit(t, s, &store.Batch{Quarantine: []store.Quarantined{q}})
		got, err := s.QuarantineList(t.Context(), store.Filter{})
		must(t, err)
		if len(got) != 1 || got[0].Subject != "not UTF-8: \uFFFD, NUL: \uFFFD" || string(got[0].Payload) != "payload" {
			t.Errorf("got %+v", got)
		}
	})
}
