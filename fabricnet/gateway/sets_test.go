package gateway

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// wider is a consortium with two regulators, three lenders and an owner, of which one regulator and two others endorse.
func wider() *ledger.Genesis {
	g := consortium()
	g.Organisations = nil
	for id, role := range map[string]ledger.Role{
		"owner": ledger.RoleOwner, "reg-a": ledger.RoleRegulator, "reg-b": ledger.RoleRegulator,
		"len-a": ledger.RoleFinancier, "len-b": ledger.RoleFinancier, "len-c": ledger.RoleFinancier,
	} {
		g.Organisations = append(g.Organisations, ledger.Organisation{ID: id, Roles: []ledger.Role{role}})
	}
	slices.SortFunc(g.Organisations, func(a, b ledger.Organisation) int { return int(a.ID[0]) - int(b.ID[0]) })
	g.Quorum = ledger.Quorum{Regulators: 1, Others: 2}
	return g
}

func TestSetsMeetTheRule(t *testing.T) {
	g, now := wider(), time.Now()
	for _, own := range []string{"owner", "reg-a", "len-b"} {
		s, used := newSets(g, own, nil), map[string]int{}
		for range 30 {
			set := s.choose(now)
			if err := g.EndorsementRule().Check(g, set); err != nil || len(set) != 3 || slices.Contains(set, "owner") {
				t.Fatalf("%s asks %v: %v", own, set, err)
			}
			if own != "owner" && !slices.Contains(set, own) {
				t.Errorf("%s does not ask its own peer: %v", own, set)
			}
			for _, id := range set {
				used[id]++
			}
		}
		if len(used) != 5 {
			t.Errorf("%s always asks %v", own, used)
		}
	}
}

func TestSetsAvoidWhoDoesNotAnswer(t *testing.T) {
	g, now := wider(), time.Now()
	s := newSets(g, "owner", nil)
	s.unreachable(now, []string{"reg-a", "len-b"})
	for range 10 {
		if diff := cmp.Diff([]string{"len-a", "len-c", "reg-b"}, s.choose(now)); diff != "" {
			t.Error(diff)
		}
	}
	s.unreachable(now, []string{"len-a", "len-c", "reg-b"})
	if set := s.choose(now); g.EndorsementRule().Check(g, set) != nil {
		t.Errorf("with all away: %v", set)
	}
	if set := s.choose(now.Add(2 * avoidance)); len(set) != 3 {
		t.Errorf("later: %v", set)
	}
}

func TestFixedSet(t *testing.T) {
	s := newSets(wider(), "owner", []string{"owner"})
	s.unreachable(time.Now(), []string{"owner"})
	if diff := cmp.Diff([]string{"owner"}, s.choose(time.Now())); diff != "" {
		t.Error(diff)
	}
}

func TestPlacesAreBounded(t *testing.T) {
	p := newPlaces(3)
	for i, id := range []string{"a", "b", "a", "c", "d", "e"} {
		p.put(id, uint64(i))
	}
	for id, want := range map[string]bool{"a": false, "b": false, "c": true, "d": true, "e": true} {
		if _, found := p.get(id); found != want {
			t.Errorf("%s: %t", id, found)
		}
	}
	if len(p.height) != 3 {
		t.Errorf("%d are kept", len(p.height))
	}
}
