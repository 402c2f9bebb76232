package ledgertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// anchorKey names an anchor.
type anchorKey struct {
	fleet string
	epoch uint64
	chunk uint32
}

// anchored is an anchor that was recorded.
type anchored struct {
	args         ledger.AnchorChunk
	attestations [][]byte
	receipt      ledger.Receipt
}

// prepared are the attestations of the chunks of an epoch.
type prepared map[anchorKey][][]byte

func (s *suite) prepare(t *testing.T, epoch uint64) prepared {
	t.Helper()
	out := prepared{}
	for _, e := range enrolment {
		fleet := s.fleet
		if e.closed {
			fleet = s.closed
		}
		key := anchorKey{fleet, epoch, e.chunk}
		out[key] = s.attested(t, key.fleet, key.chunk, key.epoch)
	}
	return out
}

// tooLate reports whether something expired that should not have: a slow machine left the window.
func tooLate(failures []error) bool {
	return slices.ContainsFunc(failures, func(err error) bool { return ledger.CodeOf(err) == ledger.Expired })
}

// anchors is in the window of the epoch that then is over. If a slow machine leaves the window before it is done, it goes on with the next epoch.
func (s *suite) anchors(t *testing.T) {
	for attempt := 1; ; attempt++ {
		var ready prepared
		next := s.nextEpoch(t, func(next uint64) { ready = s.prepare(t, next-1) })
		s.over = next - 1
		s.beforeOpening(t, ready)
		s.opensAtOnce(t, next)
		failures := slices.Concat(s.anchorsChunks(t, ready), s.anchorRefusals(t, ready).run())
		if !tooLate(failures) || attempt == 3 {
			report(t, failures)
			return
		}
		t.Logf("the window of epoch %d was over too soon: %v", s.over, failures)
	}
}

// beforeOpening is in an epoch that nobody opened: the one before is over by the clock alone.
func (s *suite) beforeOpening(t *testing.T, ready prepared) {
	key := anchorKey{s.fleet, s.over, 0}
	var c checks
	c.add("anchoring before an epoch is opened", func() error {
		return s.refused(ledger.Expired, s.anchorCall(key.fleet, key.chunk, key.epoch, ready[key]))
	})
	c.add("settling before an epoch is opened", func() error {
		return s.refused(ledger.Expired, call{by: s.financier, function: ledger.FnSettle, args: ledger.EpochRef{Fleet: s.closed, Epoch: s.over}})
	})
	c.must(t)
	if f := must[ledger.FactsEntry](t)(s.as(s.financier).Facts(s.ctx, s.closed, s.over)); f.Final || f.Closed {
		t.Errorf("facts before an epoch is opened: %+v", f)
	}
}

// anchorsChunks anchors all chunks but the fleet's last: one without some of its devices, endorsed by whom the implementation chooses, and the others by just enough.
func (s *suite) anchorsChunks(t *testing.T, ready prepared) []error {
	attempts := []struct {
		key       anchorKey
		left      int
		endorsers []string
	}{
		{key: anchorKey{s.fleet, s.over, 0}, left: 2},
		{key: anchorKey{s.fleet, s.over, 1}, endorsers: s.quorum()},
		{key: anchorKey{s.closed, s.over, 0}, endorsers: s.quorum()},
	}
	results := make([]anchored, len(attempts))
	var c checks
	for i, a := range attempts {
		attestations := ready[a.key]
		attestations = append(attestations[:1:1], attestations[1+a.left:]...)
		args := contracttest.Anchor(s.place(a.key.fleet, a.key.chunk, a.key.epoch), attestations)
		c.add(fmt.Sprintf("anchoring chunk %d of %s", a.key.chunk, a.key.fleet), func() error {
			call := s.anchorWith(args, attestations)
			call.endorsers = a.endorsers
			r, err := s.submit(call)
			results[i] = anchored{args: args, attestations: attestations, receipt: r}
			return err
		})
	}
	failures := c.run()
	for i, a := range attempts {
		if results[i].receipt.TxID != "" {
			s.anchored[a.key] = results[i]
			if set := a.endorsers; set != nil && !slices.Equal(slices.Sorted(slices.Values(set)), results[i].receipt.Endorsers) {
				t.Errorf("%v were asked to endorse, %v did", set, results[i].receipt.Endorsers)
			}
		}
	}
	return failures
}

// anchorRefusals are about the chunk that is not anchored, but for the one about doing it again.
func (s *suite) anchorRefusals(t *testing.T, ready prepared) (c checks) {
	key, whole := anchorKey{s.fleet, s.over, 2}, anchorKey{s.fleet, s.over, 0}
	good := ready[key]
	args := contracttest.Anchor(s.place(key.fleet, key.chunk, key.epoch), good)
	refused := func(name string, code ledger.Code, attempt call) {
		c.add(name, func() error { return s.refused(code, attempt) })
	}
	refused("anchoring again, with the missing devices", ledger.Conflict, s.anchorCall(whole.fleet, whole.chunk, whole.epoch, ready[whole]))
	for _, org := range s.but(s.owner) {
		attempt := s.anchorWith(args, good)
		attempt.by = org
		refused("not the fleet's owner", ledger.Forbidden, attempt)
	}
	for _, set := range s.tooFew() {
		attempt := s.anchorWith(args, good)
		attempt.endorsers = set
		refused("endorsed by "+strings.Join(set, " and "), ledger.NotEndorsed, attempt)
	}
	if s.over >= 2 {
		refused("two epochs late", ledger.Expired, s.anchorCall(s.fleet, 2, s.over-2, good))
	}
	refused("no such fleet", ledger.NotFound, s.anchorCall("none-"+s.run, 2, s.over, nil))
	for name, transient := range s.badTransient(good) {
		attempt := s.anchorWith(args, good)
		attempt.transient = transient
		refused("transient input: "+name, ledger.Invalid, attempt)
	}
	for name, attestations := range s.forged(t, key, good, ready[whole]) {
		a := args
		if name != "garbage" {
			a = contracttest.Anchor(s.place(key.fleet, key.chunk, key.epoch), attestations)
		}
		refused("attestation "+name, ledger.Invalid, s.anchorWith(a, attestations))
	}
	return slices.Concat(c, s.otherFields(key, good, s.anchored[whole].args))
}

// otherFields claims something else than what the attestations say.
func (s *suite) otherFields(key anchorKey, good [][]byte, another ledger.AnchorChunk) (c checks) {
	for name, change := range map[string]func(*ledger.AnchorChunk){
		"another commitment":         func(a *ledger.AnchorChunk) { p := s.SRS.G1(3); b := p.Bytes(); a.Commitment = b[:] },
		"commitment to nothing":      func(a *ledger.AnchorChunk) { a.Commitment = append([]byte{0x40}, make([]byte, 31)...) },
		"commitment of another size": func(a *ledger.AnchorChunk) { a.Commitment = a.Commitment[:31] },
		"one device more":            func(a *ledger.AnchorChunk) { a.Attested++ },
		"another bitmap":             func(a *ledger.AnchorChunk) { a.Bitmap[7] = 1 },
		"bitmap of another size":     func(a *ledger.AnchorChunk) { a.Bitmap = a.Bitmap[:7] },
		"another root":               func(a *ledger.AnchorChunk) { a.Root[0] ^= 1 },
		"chunk out of range":         func(a *ledger.AnchorChunk) { a.Chunk = ledger.MaxChunks },
		"another chunk's fields":     func(a *ledger.AnchorChunk) { *a = another; a.Fleet, a.Chunk, a.Epoch = key.fleet, key.chunk, key.epoch },
	} {
		a := contracttest.Anchor(s.place(key.fleet, key.chunk, key.epoch), good)
		change(&a)
		c.add(name, func() error { return s.refused(ledger.Invalid, s.anchorWith(a, good)) })
	}
	return c
}

func (s *suite) badTransient(good [][]byte) map[string]map[string][]byte {
	blob := ledger.JoinAttestations(good)
	return map[string]map[string][]byte{
		"none":            nil,
		"under a name":    {"more": blob},
		"and more":        {ledger.TransientAttestations: blob, "more": {1}},
		"cut short":       {ledger.TransientAttestations: blob[:len(blob)-1]},
		"empty":           {ledger.TransientAttestations: {}},
		"of other length": {ledger.TransientAttestations: append(slices.Clone(blob), 0)},
		"too long":        {ledger.TransientAttestations: make([]byte, ledger.MaxTransient+1)},
	}
}
