// Package ledgertest holds implementations of [ledger.Client] to one behaviour. [Run] drives a ledger through everything that the contract's functions do and
// refuse, from the outside, as an organisation's program would. Nothing outside tests may import it.
//
// # What is checked
//
//   - Every function of the contract: its record, its event, and its refusals, each by its code. The texts of refusals are the contract's own tests' concern.
//   - Receipts, heads, heights, events and their order, following and resuming, and the one form of arguments.
//   - Who must endorse, and that attestations are with those who did and in nothing that the ledger shows or stores.
//   - That calls about different things do not get in each other's way, and that of two equal calls one is recorded.
//   - What grants are to stop, attack by attack: without a grant, after revocation or the last use, twice at once, by another organisation, with another policy, purpose or proof.
//   - With proving keys: an answer from the question to the verdict and its bundle, and answers that would set too few batteries apart.
//
// # What it needs
//
// An owner, a financier and a regulator among the organisations, found by their roles; a second owner is used if there is one. Everything that Run puts on the ledger has
// a random name, so it may run on one ledger many times and beside other users, who must leave it to open epochs and to publish the owner's policies. On a ledger whose time is real Run waits for the
// start of three or four epochs and works meanwhile; epochs of eight to fifteen seconds suit it, with an anchor window of most of an epoch.
package ledgertest

import (
	"context"
	"crypto"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
)

// Ledger is a ledger under test, and how the test gets at it.
type Ledger struct {
	Genesis *ledger.Genesis
	// Client opens an organisation's access. Calls go to the peers of exactly the endorsers, or, without any, of those that the implementation chooses. It
	// fails if one of them is no organisation of the ledger, and what it opens it closes when the test ends.
	Client func(t *testing.T, org string, endorsers ...string) (ledger.Client, error)
	// Now is the ledger's clock.
	Now func() time.Time
	// Until returns when the ledger's clock shows the time or a later one.
	Until func(t *testing.T, at time.Time)
	// Agree has every organisation consent to a verifying key or a maker's CA. It is nil where nobody is asked.
	Agree func(t *testing.T, digest commit.Digest)
	// Signer signs with the key that the genesis has of an organisation.
	Signer func(t *testing.T, org string) crypto.Signer
	// Attestations are what an organisation serves under an anchor's root; a NotFound refusal if it keeps none.
	Attestations func(t *testing.T, org string, root commit.Digest) ([][]byte, error)
	// Blocks shows the blocks from the one height to the other as they are stored.
	Blocks func(t *testing.T, from, to uint64, see func(block []byte))
	// SameBlock compares two organisations' copies of a block, where they may differ in more than what everybody agreed on. Nil compares bytes.
	SameBlock func(a, b []byte) bool
	// SRS is what the peers check attestations against.
	SRS *commit.SRS
	// Keys prove, if they are not nil; they are of SRS. Without them no proof that verifies is made.
	Keys *setup.Unsafe
}

// Run drives the ledger. Its scenes build on one another, so it runs as a whole.
func Run(t *testing.T, l Ledger) {
	s := begin(t, l)
	for _, scene := range s.scenes() {
		if !t.Run(scene.name, scene.run) && scene.needed {
			t.Fatalf("without %q the rest cannot be run", scene.name)
		}
	}
}

// scene is a part of a run.
type scene struct {
	name string
	run  func(*testing.T)
	// needed: later scenes cannot do without it.
	needed bool
}

func (s *suite) scenes() []scene {
	scenes := []scene{
		{"consortium", s.consortium, true},
		{"makers", s.registersMakers, true},
		{"keys", s.publishesKeys, true},
		{"fleets", s.registersFleets, true},
		{"policies, grants and nodes", s.grants, true},
		{"arguments", s.takesOneForm, false},
		{"a missed epoch", s.missesAnEpoch, false},
		{"enrolment", s.enrols, true},
		{"calls at once", s.takesCallsAtOnce, false},
		{"an epoch begins", s.beginsAnEpoch, true},
		{"retirement", s.retires, true},
		{"before the epoch is over", s.isTooEarly, false},
		{"anchors", s.anchors, true},
		{"facts", s.tellsFacts, false},
		{"attestations", s.servesAttestations, false},
		{"requests", s.takesRequests, true},
		{"decisions", s.decides, false},
		{"proofs", s.refusesProofs, false},
		{"settling", s.settles, false},
		{"the epoch after", s.anchorsAfterRetirement, false},
		{"too late", s.isTooLate, false},
	}
	scenes = append(scenes, s.attacks()...)
	return append(scenes, []scene{
		{"ends of keys", s.endsKeys, false},
		{"ceremonies", s.recordsCeremonies, false},
		{"pages", s.pages, false},
		{"what was recorded", s.tellsWhatWasRecorded, false},
		{"heads", s.grows, false},
		{"events", s.tellsEvents, false},
		{"following", s.isFollowed, false},
		{"nothing shows attestations", s.showsNoAttestation, false},
	}...)
}

// suite is one run.
type suite struct {
	Ledger
	cast
	names
	t   *testing.T
	ctx context.Context
	log *transcript

	fleet  string // with chunks 0 to 2, of which the last is not anchored for `over`
	closed string // a fleet with one chunk, settled for `over`
	// devices are all that were enrolled, by their keys.
	devices *drawn
	// over is the epoch that the scenes from "anchors" on are about.
	over     uint64
	anchored map[anchorKey]anchored
	asked    asked
}

func begin(t *testing.T, l Ledger) *suite {
	t.Helper()
	s := &suite{Ledger: l, t: t, ctx: t.Context(), devices: newDrawn(), anchored: map[anchorKey]anchored{}}
	s.cast = castOf(t, l.Genesis)
	s.names = newNames()
	s.log = newTranscript(t, l.Genesis)
	s.openClients(t)
	head, err := s.as(s.regulator).Head(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.log.start = head.Height
	return s
}
