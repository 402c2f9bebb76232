package embedded

import (
	"context"
	"crypto"
	"errors"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// ceremony has the owner, the lender and the regulator make keys, and gives what they signed.
func (n *network) ceremony(name string) *contracttest.Ceremony {
	n.t.Helper()
	signers := map[string]crypto.Signer{}
	for _, org := range []string{operator, lender, regulator} {
		signers[org] = ok[crypto.Signer](n.t)(n.Signer(org))
	}
	c := contracttest.NewCeremony(contracttest.CeremonyPlan(n.Genesis(), name, operator, lender, regulator), signers)
	n.done(n.book(regulator).PlanCeremony(context.Background(), ledger.Encode(c.Plan)))
	return c
}

// stage takes a stage from its first contribution to its closing.
func (n *network) stage(c *contracttest.Ceremony, stage int) {
	n.t.Helper()
	n.stageClosed(c, stage, func(*transcript.Closing) {})
}

// stageClosed closes a stage otherwise than it should be.
func (n *network) stageClosed(c *contracttest.Ceremony, stage int, change func(*transcript.Closing)) {
	n.t.Helper()
	ctx := context.Background()
	for _, part := range c.Plan.Parts(stage) {
		for _, org := range []string{lender, operator, regulator} {
			n.done(n.book(org).RecordContribution(ctx, c.Contribute(c.Next(part, org))))
		}
	}
	end := ok[ledger.Receipt](n.t)(n.book(regulator).EndCeremonyStage(ctx, ledger.EndCeremonyStage{Ceremony: c.ID(), Stage: stage}))
	number, hash, err := n.book(lender).BlockOf(ctx, end.TxID)
	if err != nil || number != end.Height {
		n.t.Fatalf("the end is in block %d, its receipt says %d: %v", number, end.Height, err)
	}
	closing := c.Closing(stage, number, hash)
	change(closing)
	n.done(n.book(regulator).CloseCeremonyStage(ctx, c.Close(closing)))
}

func TestCeremony(t *testing.T) {
	n := newNetwork(t)
	ctx := context.Background()
	c := n.ceremony("keys")
	n.stage(c, transcript.FirstStage)
	n.stage(c, transcript.SecondStage)
	got := ok[ledger.Ceremony](t)(n.book(operator).Ceremony(ctx, c.ID()))
	if got.Transcript != c.Transcript() {
		t.Errorf("the transcript is %s, must be %s", got.Transcript, c.Transcript())
	}
	for stage, want := range map[int]*transcript.Closing{1: c.First, 2: c.Second} {
		number, hash, err := n.book(lender).BlockOf(ctx, got.End(stage).TxID)
		closing := ok[*transcript.Closing](t)(transcript.ParseClosing(got.Closing(stage).Closing))
		if err != nil || closing.Beacon != hash || closing.Source != ledger.BlockSource(n.ID(), number) || want.Beacon != hash {
			t.Errorf("stage %d: %+v, its end is in block %d, %s: %v", stage, closing, number, hash, err)
		}
	}
	if all := ok[[]ledger.Ceremony](t)(n.book(lender).Ceremonies(ctx)); len(all) != 1 || all[0].ID != c.ID() {
		t.Errorf("%+v", all)
	}
	if _, _, err := n.book(lender).BlockOf(ctx, commit.Digest{1}.String()); ledger.CodeOf(err) != ledger.NotFound {
		t.Error(err)
	}
	n.reopen()
	n.done(n.book(regulator).PublishKey(ctx, contracttest.FromCeremony(contracttest.SRSKey(n.srs), c.Transcript())))
	ok[Report](t)(n.Verify())
}

// Who does not have a regulator and another that owns nothing changes nothing about a ceremony and its keys, whatever their peers sign.
func TestCeremoniesAreChangedByNobody(t *testing.T) {
	for name, peers := range map[string][]string{
		"the regulator alone": {regulator}, "a lender alone": {lender}, "an owner alone": {operator}, "an owner and a lender": {lender, operator}, "the regulator and an owner": {operator, regulator},
	} {
		for what, forge := range map[string]func(*network, *contracttest.Ceremony) []write{
			"another transcript": func(_ *network, c *contracttest.Ceremony) []write {
				return []write{{Key: ledger.TranscriptKey(commit.Digest{1}), Value: ledger.Encode(c.ID())}}
			},
			"another key": func(n *network, c *contracttest.Ceremony) []write {
				k := contracttest.FromCeremony(contracttest.FleetKey(n.srs), c.Transcript())
				return []write{{Key: ledger.PublishedKeyKey(k.CircuitID), Value: ledger.Encode(k)}}
			},
			"a contribution dropped": func(_ *network, c *contracttest.Ceremony) []write {
				part := ledger.CeremonyPart{Part: transcript.SRSPart, Headers: [][]byte{}}
				return []write{{Key: ledger.CeremonyPartKey(c.ID(), part.Part), Value: ledger.Encode(part)}}
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				n := newNetwork(t)
				c := n.ceremony("keys")
				n.stage(c, transcript.FirstStage)
				n.stage(c, transcript.SecondStage)
				refusedBoth(t, n, n.rewritten(operator, forge(n, c), peers...), "not_endorsed")
			})
		}
	}
}

// The keys of a ceremony are pinned as both who consent to them have them from their own folders, or not at all.
func TestKeysOfACeremonyNeedConsent(t *testing.T) {
	n := newNetwork(t)
	ctx := context.Background()
	c := n.ceremony("keys")
	n.stage(c, transcript.FirstStage)
	n.stage(c, transcript.SecondStage)
	of := c.Transcript()
	srs, good, forged := contracttest.FromCeremony(contracttest.SRSKey(n.srs), of), contracttest.FromCeremony(contracttest.FleetKey(n.srs), of), contracttest.FromCeremony(contracttest.FleetKey(n.srs), of)
	n.done(n.book(regulator).PublishKey(ctx, srs))
	accomplice := ""
	n.consent = func(org string, digest commit.Digest) error {
		if digest == good.Pin() || org == accomplice {
			return nil
		}
		return ledger.Refuse(ledger.NotEndorsed, "not what the folder of %s gives", org)
	}
	refused := func(name string, b ledger.Book, k verify.PublishedKey, code ledger.Code) {
		t.Helper()
		if _, err := b.PublishKey(ctx, k); ledger.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	refused("by nobody's consent", n.endorsedBy(regulator, lender, regulator), forged, ledger.NotEndorsed)
	for _, accomplice = range []string{regulator, lender, operator} {
		refused("with the consent of "+accomplice, n.endorsedBy(regulator, lender, regulator), forged, ledger.NotEndorsed)
	}
	refused("by the owner", n.endorsedBy(operator, lender, regulator), forged, ledger.Forbidden)
	refused("endorsed by the owner", n.endorsedBy(regulator, operator, regulator), good, ledger.NotEndorsed)
	refused("of a transcript that is not here", n.endorsedBy(regulator, lender, regulator), contracttest.FromCeremony(good, commit.Digest{1}), ledger.NotFound)
	n.done(n.endorsedBy(regulator, lender, regulator).PublishKey(ctx, good))
	refused("in its place", n.endorsedBy(regulator, lender, regulator), good, ledger.Conflict)
}

// What the contract cannot see, whoever verifies the ledger sees: a stage that is closed with another value than the hash of the block in which it ended.
func TestClosingValuesThatAreNoBlocks(t *testing.T) {
	none := func(*network, *transcript.Closing) {}
	for name, test := range map[string]struct {
		first, second func(*network, *transcript.Closing)
		stage         string
	}{
		"a value of one's own": {func(_ *network, c *transcript.Closing) { c.Beacon[0] ^= 1 }, none, "stage 1"},
		"in the second stage":  {none, func(_ *network, c *transcript.Closing) { c.Beacon[0] ^= 1 }, "stage 2"},
		"another number":       {none, func(n *network, c *transcript.Closing) { c.Source = ledger.BlockSource(n.ID(), 3) }, "stage 2"},
		"another block": {none, func(n *network, c *transcript.Closing) {
			hash, err := n.book(lender).BlockHash(context.Background(), 3)
			if err != nil {
				n.t.Fatal(err)
			}
			c.Source, c.Beacon = ledger.BlockSource(n.ID(), 3), hash
		}, "stage 2"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			good, c := n.ceremony("good"), n.ceremony("bad") // the one does not hide the other
			n.stageClosed(c, transcript.FirstStage, func(x *transcript.Closing) { test.first(n, x) })
			n.stage(good, transcript.FirstStage)
			n.stageClosed(c, transcript.SecondStage, func(x *transcript.Closing) { test.second(n, x) })
			n.stage(good, transcript.SecondStage)
			var damage *Damage
			if _, err := n.Verify(); !errors.As(err, &damage) || !strings.Contains(err.Error(), test.stage+" of ceremony "+c.ID().String()+" is closed with") {
				t.Errorf("got %v, want %s of %s", err, test.stage, c.ID())
			}
		})
	}
}

// Endorsers who write what no contract would do not get around it.
func TestForgedClosings(t *testing.T) {
	for name, test := range map[string]struct {
		want  string
		forge func(*network, *contracttest.Ceremony) []write
	}{
		"without an end": {"has not ended", func(n *network, c *contracttest.Ceremony) []write {
			made := &transcript.Closing{Ceremony: c.ID(), Stage: 1, Beacon: commit.Digest{1}, Source: ledger.BlockSource(n.ID(), 1)}
			return []write{{Key: ledger.CeremonyClosingKey(c.ID(), 1), Value: ledger.Encode(ledger.CeremonyClosing{Closing: ledger.Encode(made)})}}
		}},
		"with the end": {"is closed with", func(n *network, c *contracttest.Ceremony) []write {
			made := &transcript.Closing{Ceremony: c.ID(), Stage: 1, Beacon: commit.Digest{1}, Source: ledger.BlockSource(n.ID(), 2)}
			return []write{
				{Key: ledger.CeremonyClosingKey(c.ID(), 1), Value: ledger.Encode(ledger.CeremonyClosing{Closing: ledger.Encode(made)})},
				{Key: ledger.CeremonyEndKey(c.ID(), 1), Value: ledger.Encode(ledger.CeremonyEnd{Stage: 1})},
			}
		}},
		"of another stage": {"is of stage 2", func(n *network, c *contracttest.Ceremony) []write {
			made := &transcript.Closing{Ceremony: c.ID(), Stage: 2}
			return []write{{Key: ledger.CeremonyClosingKey(c.ID(), 1), Value: ledger.Encode(ledger.CeremonyClosing{Closing: ledger.Encode(made)})}}
		}},
		"of nothing": {"closing", func(_ *network, c *contracttest.Ceremony) []write {
			return []write{{Key: ledger.CeremonyClosingKey(c.ID(), 1), Value: []byte("{}")}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			c := n.ceremony("keys")
			if err := n.committed(n.rewritten(operator, test.forge(n, c), lender, regulator)); err != nil {
				t.Fatal(err)
			}
			var damage *Damage
			if _, err := n.Verify(); !errors.As(err, &damage) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
