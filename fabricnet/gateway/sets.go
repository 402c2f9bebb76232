package gateway

import (
	"slices"
	"sync"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// avoidance is how long an organisation whose peer could not be reached is asked only if there is no other.
const avoidance = 30 * time.Second

// sets chooses the organisations that endorse a call: as many as the rule asks for, and none that does not count. The own one comes first, being the
// nearest; the others take turns.
type sets struct {
	genesis *ledger.Genesis
	own     string
	fixed   []string

	mu    sync.Mutex
	turn  int
	avoid map[string]time.Time // until when
}

func newSets(g *ledger.Genesis, own string, fixed []string) *sets {
	return &sets{genesis: g, own: own, fixed: fixed, avoid: map[string]time.Time{}}
}

// choose returns ids in ascending order.
func (s *sets) choose(now time.Time) []string {
	if len(s.fixed) > 0 {
		return s.fixed
	}
	rule := s.genesis.EndorsementRule()
	candidates := s.ranked(now, rule)
	var chosen []string
	for _, id := range candidates {
		if len(chosen) < rule.Regulators && s.genesis.HasRole(id, ledger.RoleRegulator) {
			chosen = append(chosen, id)
		}
	}
	for _, id := range candidates {
		if len(chosen) < rule.Regulators+rule.Others && !slices.Contains(chosen, id) {
			chosen = append(chosen, id)
		}
	}
	slices.Sort(chosen)
	return chosen
}

// ranked lists who counts, best first.
func (s *sets) ranked(now time.Time, rule ledger.EndorsementRule) []string {
	var all []string
	for i := range s.genesis.Organisations {
		if id := s.genesis.Organisations[i].ID; id != s.own && !slices.Contains(rule.Excluded, id) {
			all = append(all, id)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(all); n > 0 {
		s.turn = (s.turn + 1) % n
		all = append(slices.Clone(all[s.turn:]), all[:s.turn]...)
	}
	if !slices.Contains(rule.Excluded, s.own) {
		all = append([]string{s.own}, all...)
	}
	slices.SortStableFunc(all, func(a, b string) int { return s.rank(now, a) - s.rank(now, b) })
	return all
}

func (s *sets) rank(now time.Time, id string) int {
	if now.Before(s.avoid[id]) {
		return 1
	}
	return 0
}

// unreachable notes organisations to be avoided for a while.
func (s *sets) unreachable(now time.Time, orgs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range orgs {
		s.avoid[id] = now.Add(avoidance)
	}
}
