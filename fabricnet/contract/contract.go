// Package contract holds the rules of the ledger: who may do what, when, and what is checked before it counts. Every function is a pure function of a
// [Tx], a [State] and a [ledger.Call]; two peers that run one call on one state write the same bytes. A driver (package embedded, or chaincode on
// Hyperledger Fabric) gives it identities, time and state, and commits what it writes.
//
// # What is promised
//
//   - A maker and a verifying key come from a regulator, and so does a key's end: it is retired or revoked, never replaced and never active again. Every change is endorsed by
//     a regulator and another organisation that owns nothing ([ledger.Genesis.EndorsementRule]), and these three only with the consent of each that endorses.
//     Anchors are taken under an active SRS, proofs begun and taken under active keys only. A key that names a ceremony is taken only once that ceremony was closed here, for
//     a circuit that it was about, and with the SRS that it made.
//     Its contributions are on the ledger by their signed headers, in their order, none after the end of its stage was recorded.
//   - A device key, and a (maker, serial) pair, has at most one active slot in the consortium in every epoch. A slot is used once. Enrolment and
//     retirement take effect with the next epoch, so who is enrolled in an epoch is settled when it starts.
//   - An anchor is taken within the window after its epoch's end, once, after everything that came before for its chunk, and after every endorser has checked every
//     attestation and has put it into its own store. The attestations are in no write, event or result.
//   - Nothing is answered without a grant of the fleet's owner, whoever asks. A grant rests on a policy text that its owner published, and an answer needs that text, the owner's text
//     in force and the grant's limits to allow it, when it is approved and again when it is proven; by this contract's own evaluation, whatever the owner's node thinks. An approval spends
//     one answer and the question's cost, for good. A revocation holds at once.
//   - What a verdict shows is about at least as many batteries as the grant asks for, and differs from every other verdict about the same fleet and epoch by none or as many, whoever asked:
//     see package policy for what that stops and what it does not. No proof is taken that was not said to be begun; from then on its totals are taken for known, whether a
//     verdict is recorded or not, and what failed is not free to be asked around.
//   - A query over several owners' fleets, or a score, is asked about closed epochs, passes the same grants and policies for every part, and spends of them. What it opens is
//     not to be had by adding and subtracting, as far as package policy says. Its sessions are here: who takes part, what each party committed to, in which order, and that nobody
//     says two things in one round. One sum is named per query, of every input that was recorded, at least three, each from the anchors that the ledger has. A part is paid for when it is
//     approved, once for all sessions, whether its owner then gives an input or declines; who declined gives none later. A query is in the way of others once its sum is named.
//   - A proof is verified with keys pinned on the ledger against the ledger's own anchors, and closes its fleet's epoch: no anchor can be added any more, and an offline
//     verifier that comes later sees the same facts. Without a proof, anyone may settle an epoch.
//   - What was endorsed in an epoch and held back is void once the next epoch is opened, and an anchor once its epoch is closed: calls read keys that
//     are then written. So this holds where a ledger takes a transaction however old. A regulator opens epochs, soon after they begin or nothing is anchored for them; anyone may settle.
//   - A refusal is a *ledger.Refusal and writes nothing.
//
// # What the driver owes
//
// It authenticates the caller, gives a transaction id that is never used twice, discards the writes of calls that fail, commits all of a
// call's writes or none, and only if nothing that was read has changed (including what a Range did not find). It checks Tx.Time against its own clock to
// within the genesis' clock skew: the time is the caller's, and a caller that may choose it anchors whenever it likes. It commits within the genesis' proposal age of
// Tx.Time, or not at all, where it can hold that. It holds the endorsement rule at commit. The contract
// never reads what it wrote in the same call, so a State need not show it.
//
// # What is not promised
//
// That a device exists or measures well: a maker's certificate says so. That the caller who enrols a device holds it: certificates are seen by the
// consortium, and another owner can enrol a retired device first (it cannot attest with it). That an owner
// anchors every chunk: a chunk it leaves out counts as attested 0. That an owner hands out nothing by other ways: it has the records, and it can show a proof to somebody without
// saying that it began one, or begin one that it knows to show too much. That a proof was seen by nobody when it is refused, or held back and then given up: those who were asked to
// endorse it have seen it. That a person approved where a policy wants one: the owner says whether one did, and is taken at its word. That an owner's part of a query's cohort is as large as the query's minimum, or that
// what it encrypted is what its anchors hold: its node sees to that. That a digest in a session is of anything: those who are shown what it is of compare. That a session ends well:
// any member can end it, and whoever's turn it is can let it expire. That a contribution to a ceremony verifies, that a key came out of the ceremony which it names, and that a closing
// value is the hash of the block that it says: the files show it and the blocks, to those who consent to the key. A contributor whose contribution does not verify stops its ceremony, as its
// header stays; another is planned without it.
package contract

import (
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// State is the ledger's key-value state as of the last block. Keys are ASCII, values are never empty.
type State interface {
	// Get returns nil for a key that has no value.
	Get(key string) ([]byte, error)
	Put(key string, value []byte) error
	// Range calls fn for every key with the prefix, in ascending order of bytes.
	Range(prefix string, fn func(key string, value []byte) error) error
	// Event is called at most once in a transaction.
	Event(name string, payload []byte)
}

// Prefetcher is a State that can read many keys at a time, for which Get then costs nothing. What is prefetched is read.
type Prefetcher interface {
	Prefetch(keys ...string) error
}

// Caller is who signed the proposal.
type Caller struct {
	// Org is the id of an organisation in the genesis.
	Org string
	// Attributes are what its certificate says of it, in bounds of package ledger. A request keeps them: policies may look at them.
	Attributes map[string]string
}

// Tx is the transaction that a call runs in.
type Tx struct {
	// ID is 64 lower-case hexadecimal digits.
	ID string
	// Time is the proposal's, checked by the driver. The contract reads whole seconds.
	Time    time.Time
	Caller  Caller
	Ledger  commit.Digest
	Genesis *ledger.Genesis
}

// Environment is what an endorsing peer brings of its own. Nothing that is written depends on it.
type Environment struct {
	// SRS is what attestations are checked against. Its digest must be the one pinned as "srs/v1". Without it anchors are refused.
	SRS *commit.SRS
	// Keep stores attestations that were checked, as ledger.JoinAttestations wrote them, under their Merkle root. It must be durable when it
	// returns and may be called again with the same arguments. It is called for whatever is endorsed, recorded or not, so it bounds what it takes for a place.
	Keep func(place commit.ChunkPlace, root commit.Digest, attestations []byte) error
	// Agree says whether this peer's organisation has looked at a verifying key (by its Pin), a maker (by ledger.RegisterMaker.Digest) or the end of a key
	// (by ledger.SetKeyStatus.Digest) and wants it on the ledger. An endorsement shows that a call keeps to the rules; for these three it must also show
	// consent, or whoever holds the regulator's key decides alone which setup and which makers everybody trusts. Nil agrees to everything: for a ledger
	// whose peers are all one's own.
	Agree func(digest commit.Digest) error
	// Keyrings keeps the pinned keys parsed between calls, if it is not nil.
	Keyrings *KeyringCache
	// Policies keeps policy texts parsed between calls, if it is not nil.
	Policies *PolicyCache
}

// agree is the peer's consent to something that everybody will have to trust.
func (r *run) agree(what string, digest commit.Digest) error {
	if r.env.Agree == nil {
		return nil
	}
	if err := r.env.Agree(digest); err != nil {
		return fmt.Errorf("this peer does not agree to %s %s: %w", what, digest, err)
	}
	return nil
}

// run is one call being executed.
type run struct {
	tx    *Tx
	state State
	env   *Environment
	now   int64
	epoch uint64
	head  **ledger.OpenedEpoch // see opened; nil until it is read
}

type function func(r *run, args []byte, transient map[string][]byte) (result any, err error)

var functions = map[string]function{
	ledger.FnRegisterMaker: plain(registerMaker),
	ledger.FnRegisterFleet: plain(registerFleet),
	ledger.FnEnrol:         plain(enrol),
	ledger.FnRetire:        plain(retire),
	ledger.FnAnchor:        anchorChunk,
	ledger.FnPublishKey:    plain(publishKey),
	ledger.FnRequest:       plain(request),
	ledger.FnDecide:        plain(decide),
	ledger.FnSubmitProof:   plain(submitProof),
	ledger.FnWithdraw:      plain(withdraw),
	ledger.FnOpenEpoch:     plain(openEpoch),
	ledger.FnSettle:        plain(settle),
	ledger.FnPublishPolicy: plain(publishPolicy),
	ledger.FnGrant:         plain(grant),
	ledger.FnRevoke:        plain(revoke),
	ledger.FnStartProof:    plain(startProof),
	ledger.FnFail:          plain(fail),
	ledger.FnPublishNode:   plain(publishNode),
	ledger.FnAlert:         plain(alert),
	ledger.FnAsk:           plain(ask),
	ledger.FnAnswer:        plain(answer),
	ledger.FnBegin:         plain(begin),
	ledger.FnPost:          plain(post),
	ledger.FnSetKeyStatus:  plain(setKeyStatus),

	ledger.FnPlanCeremony:       plain(planCeremony),
	ledger.FnRecordContribution: plain(recordContribution),
	ledger.FnEndCeremonyStage:   plain(endCeremonyStage),
	ledger.FnCloseCeremonyStage: plain(closeCeremonyStage),
}

// callers says who may call what, as far as a role decides it. It is looked at before arguments are, which may be large.
var callers = map[string]ledger.Role{
	ledger.FnRegisterMaker: ledger.RoleRegulator,
	ledger.FnPublishKey:    ledger.RoleRegulator,
	ledger.FnSetKeyStatus:  ledger.RoleRegulator,
	ledger.FnOpenEpoch:     ledger.RoleRegulator,
	ledger.FnRegisterFleet: ledger.RoleOwner,
	ledger.FnEnrol:         ledger.RoleOwner,
	ledger.FnRetire:        ledger.RoleOwner,
	ledger.FnAnchor:        ledger.RoleOwner,
	ledger.FnDecide:        ledger.RoleOwner,
	ledger.FnSubmitProof:   ledger.RoleOwner,
	ledger.FnPublishPolicy: ledger.RoleOwner,
	ledger.FnGrant:         ledger.RoleOwner,
	ledger.FnRevoke:        ledger.RoleOwner,
	ledger.FnStartProof:    ledger.RoleOwner,
	ledger.FnFail:          ledger.RoleOwner,
	ledger.FnAlert:         ledger.RoleRegulator,
	ledger.FnAsk:           ledger.RoleFinancier,
	ledger.FnAnswer:        ledger.RoleOwner,
	ledger.FnBegin:         ledger.RoleFinancier,

	ledger.FnPlanCeremony:       ledger.RoleRegulator,
	ledger.FnEndCeremonyStage:   ledger.RoleRegulator,
	ledger.FnCloseCeremonyStage: ledger.RoleRegulator,
}

// Execute runs a function that changes the ledger and returns the encoding of the record that it wrote (of the event, where
// it wrote several). After an error the state's writes must be discarded.
func Execute(env *Environment, tx *Tx, state State, call ledger.Call) ([]byte, error) {
	f, ok := functions[call.Function]
	if !ok {
		return nil, ledger.Refuse(ledger.Invalid, "function %q is not one that changes the ledger", call.Function)
	}
	r, err := newRun(env, tx, state)
	if err != nil {
		return nil, err
	}
	result, err := r.execute(f, call)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", call.Function, err)
	}
	return ledger.Encode(result), nil
}

func (r *run) execute(f function, call ledger.Call) (any, error) {
	if role, limited := callers[call.Function]; limited && !r.tx.Genesis.HasRole(r.caller(), role) {
		return nil, ledger.Refuse(ledger.Forbidden, "%s does not have the role of %s", r.caller(), role)
	}
	if _, err := r.opened(); err != nil {
		return nil, err
	}
	return f(r, call.Args, call.Transient)
}

func newRun(env *Environment, tx *Tx, state State) (*run, error) {
	if _, err := hexDigest(tx.ID); err != nil {
		return nil, fmt.Errorf("transaction id: %w", err)
	}
	if _, ok := tx.Genesis.Organisation(tx.Caller.Org); !ok {
		return nil, ledger.Refuse(ledger.Forbidden, "%q is not an organisation of this ledger", tx.Caller.Org)
	}
	if err := tx.Caller.check(); err != nil {
		return nil, err
	}
	epoch, err := tx.Genesis.EpochAt(tx.Time)
	if err != nil {
		return nil, ledger.Refuse(ledger.Expired, "transaction time: %v", err)
	}
	return &run{tx: tx, state: state, env: env, now: tx.Time.Unix(), epoch: epoch}, nil
}

// plain wraps a function without transient input. Transient input that nobody checks would be a way to make endorsers disagree about what they saw.
func plain[T, R any](f func(*run, *T) (R, error)) function {
	return func(r *run, args []byte, transient map[string][]byte) (any, error) {
		if len(transient) != 0 {
			return nil, ledger.Refuse(ledger.Invalid, "takes no transient input")
		}
		a, err := decodeArgs[T](args)
		if err != nil {
			return nil, err
		}
		return f(r, a)
	}
}

func decodeArgs[T any](args []byte) (*T, error) {
	a, err := ledger.Decode[T]("arguments", args, ledger.MaxArgs)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	return a, nil
}

func (r *run) caller() string { return r.tx.Caller.Org }

// event puts the call's one event, and returns its payload.
func (r *run) event(name string, p ledger.EventPayload) *ledger.EventPayload {
	p.Organisation = r.caller()
	r.state.Event(name, ledger.Encode(p))
	return &p
}
