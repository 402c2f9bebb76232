package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// takesOneForm brings arguments that say the right thing in another way, and calls that are none.
func (s *suite) takesOneForm(t *testing.T) {
	id := "form-" + random()
	good := ledger.Encode(fleetArgs(id))
	register := call{by: s.owner, function: ledger.FnRegisterFleet, args: good}
	slices.Concat(s.otherForms(id), s.notFunctions(register), s.notTransient(register)).must(t)
	s.cancelled(t, register)
	s.mustSubmit(t, register) // nothing of the above was taken
}

func (s *suite) otherForms(id string) (c checks) {
	good := string(ledger.Encode(fleetArgs(id)))
	for _, args := range []string{
		"", "null", "[]", good + " ", " " + good, good + "{}", good + "\n",
		`{"id":"` + id + `","schema":"battery/v1","chunk_size":64,"owner":"` + s.owner + `"}`,
		`{"id":"` + id + `","id":"` + id + `","schema":"battery/v1","chunk_size":64}`,
		`{"ID":"` + id + `","schema":"battery/v1","chunk_size":64}`,
		`{"schema":"battery/v1","id":"` + id + `","chunk_size":64}`,
		`{"id":"` + id + `","schema":"battery/v1","chunk_size":6.4e1}`,
		`{"id":"` + id + `","schema":"battery/v1"}`,
		"{\"id\":\"" + id + "\xff\",\"schema\":\"battery/v1\",\"chunk_size\":64}",
	} {
		c.add(fmt.Sprintf("arguments %q", args), func() error {
			return s.refused(ledger.Invalid, call{by: s.owner, function: ledger.FnRegisterFleet, args: []byte(args)})
		})
	}
	for _, args := range []string{"", "null", "{} ", `{"a":1}`} {
		c.add(fmt.Sprintf("a query's arguments %q", args), func() error { return s.queryRefused(ledger.Invalid, s.owner, ledger.QueryFleets, []byte(args)) })
	}
	long := slices.Concat([]byte(good), bytes.Repeat([]byte{' '}, ledger.MaxArgsOf(ledger.FnRegisterFleet)))
	c.add("arguments that are too long", func() error {
		return s.refused(ledger.Invalid, call{by: s.owner, function: ledger.FnRegisterFleet, args: long})
	})
	c.add("a query's arguments that are too long", func() error { return s.queryRefused(ledger.Invalid, s.owner, ledger.QueryFleets, long) })
	return c
}

// notFunctions submits what is not to be submitted and evaluates what is not to be evaluated.
func (s *suite) notFunctions(register call) (c checks) {
	for _, function := range []string{"", ledger.QueryFleets, ledger.QueryEpoch, "Anchor", "register_fleets"} {
		c.add(fmt.Sprintf("submitting %q", function), func() error {
			return s.refused(ledger.Invalid, call{by: s.owner, function: function, args: ledger.Nothing{}})
		})
	}
	for _, function := range []string{"", "Fleets"} {
		c.add(fmt.Sprintf("evaluating %q", function), func() error { return s.queryRefused(ledger.Invalid, s.owner, function, ledger.Nothing{}) })
	}
	c.add("evaluating a change", func() error { return s.queryRefused(ledger.Invalid, s.owner, register.function, register.args) })
	return c
}

func (s *suite) notTransient(register call) (c checks) {
	for name, transient := range map[string]map[string][]byte{
		"attestations":  {ledger.TransientAttestations: {0, 1, 1}},
		"anything else": {"more": {1}},
	} {
		attempt := register
		attempt.transient = transient
		c.add("transient input: "+name, func() error { return s.refused(ledger.Invalid, attempt) })
	}
	for name, attestation := range map[string][]byte{"empty": {}, "too long": make([]byte, 1<<16)} {
		c.add("an attestation that is "+name, func() error {
			_, err := s.as(s.owner).Anchor(s.ctx, ledger.AnchorChunk{}, [][]byte{attestation})
			return wrongCode(ledger.Invalid, "anchoring it", err)
		})
	}
	return c
}

// cancelled makes calls that were given up before they began.
func (s *suite) cancelled(t *testing.T, register call) {
	t.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	b := s.as(s.owner)
	_, submitted := b.Submit(ctx, ledger.Call{Function: register.function, Args: encoded(register.args)})
	_, asked := b.Fleets(ctx)
	for what, err := range map[string]error{"call": submitted, "query": asked} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled %s: %v", what, err)
		}
	}
}
