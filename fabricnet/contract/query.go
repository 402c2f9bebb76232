package contract

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
)

type queryFunction func(r *run, args []byte) (any, error)

var queries = map[string]queryFunction{
	ledger.QueryGenesis:       asking(queryGenesis),
	ledger.QueryOrganisations: asking(queryOrganisations),
	ledger.QueryEpoch:         asking(queryEpoch),
	ledger.QueryMakers:        asking(queryMakers),
	ledger.QueryFleets:        asking(queryFleets),
	ledger.QueryFleet:         asking(queryFleet),
	ledger.QueryChunks:        asking(queryChunks),
	ledger.QuerySlots:         asking(querySlots),
	ledger.QueryAnchors:       asking(queryAnchors),
	ledger.QueryFacts:         asking(queryFacts),
	ledger.QueryKeys:          asking(queryKeys),
	ledger.QueryRequests:      asking(queryRequests),
	ledger.QueryAsked:         asking(queryAsked),
	ledger.QueryRequest:       asking(queryRequest),
	ledger.QueryAssess:        asking(queryAssess),
	ledger.QueryPolicies:      asking(queryPolicies),
	ledger.QueryPolicy:        asking(queryPolicy),
	ledger.QueryGrants:        asking(queryGrants),
	ledger.QueryGrant:         asking(queryGrant),
	ledger.QueryNodes:         asking(queryNodes),
	ledger.QueryAlerts:        asking(queryAlerts),
	ledger.QueryQuery:         asking(queryQuery),
	ledger.QueryQueries:       asking(queryQueries),
	ledger.QuerySession:       asking(querySession),
	ledger.QueryAssessQuery:   asking(queryAssessQuery),
	ledger.QueryCeremonies:    asking(queryCeremonies),
	ledger.QueryCeremony:      asking(queryCeremony),
}

// Query runs a function that changes nothing and returns its encoded result. Every organisation of the ledger may ask for everything on it: what must
// not be seen is not on it. Of the environment it uses the caches alone.
func Query(env *Environment, tx *Tx, state State, function string, args []byte) ([]byte, error) {
	f, ok := queries[function]
	if !ok {
		return nil, ledger.Refuse(ledger.Invalid, "%q is not a query", function)
	}
	r, err := newRun(env, tx, state)
	if err != nil {
		return nil, err
	}
	result, err := f(r, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", function, err)
	}
	return ledger.Encode(result), nil
}

// IsQuery reports whether Query knows the function. Execute knows the others.
func IsQuery(function string) bool {
	_, ok := queries[function]
	return ok
}

func asking[T, R any](f func(*run, *T) (R, error)) queryFunction {
	return func(r *run, args []byte) (any, error) {
		a, err := decodeArgs[T](args)
		if err != nil {
			return nil, err
		}
		return f(r, a)
	}
}

func queryGenesis(r *run, _ *ledger.Nothing) (*ledger.Genesis, error) { return r.tx.Genesis, nil }

func queryOrganisations(r *run, _ *ledger.Nothing) ([]ledger.Organisation, error) {
	return r.tx.Genesis.Organisations, nil
}

func queryEpoch(r *run, _ *ledger.Nothing) (*ledger.EpochInfo, error) {
	g := r.tx.Genesis
	e := &ledger.EpochInfo{Epoch: r.epoch, Now: r.now, Start: g.EpochStart(r.epoch).Unix(), End: g.EpochEnd(r.epoch).Unix()}
	o, err := r.opened()
	if o != nil {
		e.Opened = &o.Epoch
	}
	return e, err
}

func queryMakers(r *run, _ *ledger.Nothing) ([]ledger.Maker, error) {
	return list[ledger.Maker](r.state, ledger.MakerPrefix)
}

func queryFleets(r *run, _ *ledger.Nothing) ([]ledger.Fleet, error) {
	return list[ledger.Fleet](r.state, ledger.FleetPrefix)
}

func queryFleet(r *run, a *ledger.FleetRef) (*ledger.Fleet, error) { return fleet(r.state, a.Fleet) }

func queryChunks(r *run, a *ledger.FleetRef) ([]ledger.ChunkEntry, error) {
	f, err := fleet(r.state, a.Fleet)
	if err != nil {
		return nil, err
	}
	out := []ledger.ChunkEntry{}
	err = scan(r.state, ledger.ChunkPrefix(f.ID), func(rest string, c *ledger.Chunk) error {
		index, err := parseIndex(rest)
		if err != nil {
			return err
		}
		entry := ledger.ChunkEntry{Index: index, From: c.From}
		head, err := get[ledger.AnchorHead](r.state, ledger.AnchorHeadKey(f.ID, index))
		if head != nil {
			entry.Anchored = &head.Epoch
		}
		out = append(out, entry)
		return err
	})
	return out, err
}

func querySlots(r *run, a *ledger.ChunkRef) ([]ledger.SlotEntry, error) {
	f, err := fleet(r.state, a.Fleet)
	if err != nil {
		return nil, err
	}
	out := []ledger.SlotEntry{}
	err = scan(r.state, ledger.SlotPrefix(f.ID, a.Chunk), func(rest string, s *ledger.Slot) error {
		slot, err := parseIndex(rest)
		out = append(out, ledger.SlotEntry{Slot: slot, Enrolment: *s})
		return err
	})
	return out, err
}

func queryAnchors(r *run, a *ledger.EpochRef) ([]ledger.AnchorEntry, error) {
	f, err := fleet(r.state, a.Fleet)
	if err != nil {
		return nil, err
	}
	out := []ledger.AnchorEntry{}
	err = scan(r.state, ledger.AnchorPrefix(f.ID, a.Epoch), func(rest string, anchor *ledger.Anchor) error {
		chunk, err := parseIndex(rest)
		out = append(out, ledger.AnchorEntry{Chunk: chunk, Anchor: *anchor})
		return err
	})
	return out, err
}

// queryFacts refuses an epoch that has not begun: who is enrolled in it is not settled.
func queryFacts(r *run, a *ledger.EpochRef) (*ledger.FactsEntry, error) {
	f, err := fleet(r.state, a.Fleet)
	if err != nil {
		return nil, err
	}
	if a.Epoch > r.epoch {
		return nil, ledger.Refuse(ledger.Expired, "epoch %d has not begun: it is epoch %d", a.Epoch, r.epoch)
	}
	return r.facts(f, a.Epoch)
}

func queryKeys(r *run, _ *ledger.Nothing) (any, error) { return publishedKeys(r.state) }

func list[T any](s State, prefix string) ([]T, error) {
	out := []T{}
	err := scan(s, prefix, func(_ string, record *T) error {
		out = append(out, *record)
		return nil
	})
	return out, err
}
