package verify_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

func TestKeyStatesGoOneWay(t *testing.T) {
	states := []verify.KeyState{verify.StateActive, verify.StateRetired, verify.StateRevoked, "", "lost"}
	var ways []string
	for _, from := range states {
		for _, to := range states {
			if from.May(to) {
				ways = append(ways, string(from+" "+to))
			}
		}
	}
	if diff := cmp.Diff([]string{"active retired", "active revoked", "retired revoked"}, ways); diff != "" {
		t.Error(diff)
	}
}

func TestKeyStatusText(t *testing.T) {
	for want, s := range map[string]verify.KeyStatus{
		"active": {},
		"retired since 2026-11-12T00:00:00Z: replaced": {State: verify.StateRetired, Reason: "replaced", Time: 1_794_441_600},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// An active key is written as keys always were, and consented to by its digest where nothing else is said of it.
func TestPublishedKeyIsWrittenAsBefore(t *testing.T) {
	k := madeUpKeys(t)[1]
	var fields map[string]any
	if err := json.Unmarshal(marshalJSON(t, k), &fields); err != nil || len(fields) != 4 {
		t.Errorf("%v: %v", fields, err)
	}
	if k.Pin() != k.Digest {
		t.Error("the pin is not the digest")
	}
	pins := map[commit.Digest]bool{k.Digest: true}
	for _, change := range []func(*verify.PublishedKey){
		func(k *verify.PublishedKey) { k.SRS = commit.Digest{1} }, func(k *verify.PublishedKey) { k.Circuit = commit.Digest{1} },
		func(k *verify.PublishedKey) { k.SRS, k.Circuit = commit.Digest{1}, commit.Digest{1} },
	} {
		changed := k
		change(&changed)
		pins[changed.Pin()] = true
	}
	if len(pins) != 4 {
		t.Errorf("%d pins of 4 keys", len(pins))
	}
	ended := k
	ended.Status = verify.KeyStatus{State: verify.StateRetired, Reason: "r", Time: 1}
	if ended.Pin() != k.Pin() || verify.CheckKey(ended) != nil {
		t.Error("a key's end changes its pin, or its digest")
	}
}
