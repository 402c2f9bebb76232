package ledger

import (
	"maps"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// PolicyRecord is a text that an owner published, under its digest, when it did so first. It is never changed.
type PolicyRecord struct {
	Owner string `json:"owner"`
	// Digest is the SHA-256 of Text, which is Cedar.
	Digest commit.Digest `json:"digest"`
	Text   []byte        `json:"text"`
	// Version counts the owner's publications from 1.
	Version uint64 `json:"version"`
	Time    int64  `json:"time"`
	TxID    string `json:"tx_id"`
}

// PolicyHead says which of an owner's texts is in force, and since when. An owner may put an earlier text in force again.
type PolicyHead struct {
	Digest  commit.Digest `json:"digest"`
	Version uint64        `json:"version"`
	Time    int64         `json:"time"`
	TxID    string        `json:"tx_id"`
}

// GrantRecord is an owner's permission. It is never changed; a Revocation ends it.
type GrantRecord struct {
	Owner string       `json:"owner"`
	Terms policy.Terms `json:"terms"`
	Time  int64        `json:"time"`
	TxID  string       `json:"tx_id"`
}

// Revocation ends a grant at once: nothing is approved under it any more, and what was approved is not proven.
type Revocation struct {
	Reason string `json:"reason"`
	Time   int64  `json:"time"`
	TxID   string `json:"tx_id"`
}

// Spent is what was used of a grant. An approval spends, whatever comes of it.
type Spent struct {
	Answers uint32 `json:"answers"`
	// Units are millionths of the budget, Deltas 10^-12 of the delta budget, by fleet. A fleet of which no delta was spent is not in Deltas.
	Units  map[string]uint64 `json:"units"`
	Deltas map[string]uint64 `json:"deltas,omitempty"`
}

// Of is what counts for a question about a fleet.
func (s *Spent) Of(fleet string) policy.Spent {
	return policy.Spent{Answers: s.Answers, Units: s.Units[fleet], Delta: s.Deltas[fleet]}
}

// With is what was spent once it is this of a fleet.
func (s *Spent) With(fleet string, of policy.Spent) *Spent {
	out := &Spent{Answers: of.Answers, Units: map[string]uint64{}, Deltas: map[string]uint64{}}
	maps.Copy(out.Units, s.Units)
	maps.Copy(out.Deltas, s.Deltas)
	out.Units[fleet] = of.Units
	if of.Delta > 0 {
		out.Deltas[fleet] = of.Delta
	}
	return out
}

// Answered is a cohort of a fleet at an epoch that an approved request is about.
type Answered struct {
	Cohort policy.Cohort `json:"cohort"`
	// Minimum is the least cohort of the grant.
	Minimum uint64 `json:"minimum"`
	// Shown says that the verdict shows the count, Count what it shows.
	Shown bool    `json:"shown"`
	Count *uint64 `json:"count,omitempty"`
	// Expiry is the request's. Started says that a proof was begun, which others may have seen since, Verified that it was recorded in time, Failed that none will be.
	Expiry   int64 `json:"expiry"`
	Started  bool  `json:"started,omitempty"`
	Verified bool  `json:"verified,omitempty"`
	Failed   bool  `json:"failed,omitempty"`
}

// Counts reports whether the cohort bears on others: for ever once anything was told of it, and only as long as it may yet be answered if it was approved and nothing was
// done about it.
func (a *Answered) Counts(now int64) bool {
	return a.Started || a.Verified || a.Failed || now < a.Expiry
}

// Pending reports whether a verdict may yet be recorded.
func (a *Answered) Pending(now int64) bool { return !a.Verified && !a.Failed && now < a.Expiry }

// Proving says that the owner has begun to prove.
type Proving struct {
	Time int64  `json:"time"`
	TxID string `json:"tx_id"`
}

// Failure is the end of an approved request that its owner cannot, or must not, answer.
type Failure struct {
	Reasons []string `json:"reasons"`
	Time    int64    `json:"time"`
	TxID    string   `json:"tx_id"`
}

// NodeRecord says where an organisation's node is, in its own words.
type NodeRecord struct {
	Organisation string `json:"organisation"`
	URL          string `json:"url"`
	// Certificate is the CA, X.509 in DER, that signs the node's TLS certificates.
	Certificate []byte `json:"certificate"`
	Time        int64  `json:"time"`
	TxID        string `json:"tx_id"`
}

// AlertRecord is a regulator's notice that what it finds of a request, or of a query, is not what the ledger says.
type AlertRecord struct {
	Organisation string        `json:"organisation"`
	Request      commit.Digest `json:"request,omitzero"`
	Query        commit.Digest `json:"query,omitzero"`
	Text         string        `json:"text"`
	// Digest is the SHA-256 of what the regulator has to show for it.
	Digest commit.Digest `json:"digest"`
	Time   int64         `json:"time"`
	TxID   string        `json:"tx_id"`
}

// PublishPolicy puts a policy text of the caller's in force.
type PublishPolicy struct {
	Text []byte `json:"text"`
}

// Grant gives a permission about fleets of the caller's.
type Grant struct {
	Terms policy.Terms `json:"terms"`
}

// Revoke ends a grant of the caller's.
type Revoke struct {
	Grant  string `json:"grant"`
	Reason string `json:"reason"`
}

// Fail ends an approved request about a fleet of the caller's without an answer.
type Fail struct {
	Request commit.Digest `json:"request"`
	Reasons []string      `json:"reasons"`
}

// PublishNode says where the caller's node is.
type PublishNode struct {
	URL         string `json:"url"`
	Certificate []byte `json:"certificate"`
	// Possession is the CA's signature that SignNode makes: the CA's certificate alone is known to everybody who calls the node.
	Possession []byte `json:"possession"`
}

// Alert raises an alert about a request or about a query. Regulators only.
type Alert struct {
	Request commit.Digest `json:"request,omitzero"`
	Query   commit.Digest `json:"query,omitzero"`
	Text    string        `json:"text"`
	Digest  commit.Digest `json:"digest"`
}

// Bounds of what is published.
const (
	// MaxURL bounds a node's URL, MaxNodeCertificate its CA.
	MaxURL             = 256
	MaxNodeCertificate = 8 << 10
	// MaxAlert bounds an alert's text.
	MaxAlert = 2 << 10
	// MaxAttributes bounds how many attributes of a caller's certificate are looked at, MaxAttributeName and MaxAttribute each of them.
	MaxAttributes    = 16
	MaxAttributeName = 64
	MaxAttribute     = 256
)

// Assess asks whether a request may be approved or, once it is approved, still answered: with what the answer would show, if that is known.
type Assess struct {
	Request commit.Digest `json:"request"`
	Shown   *Shown        `json:"shown,omitempty"`
}

// Assessment is what the contract would say now, of a request or of a part of a query.
type Assessment struct {
	// Request is the request's id, or the query's.
	Request commit.Digest `json:"request"`
	// Grant is the one that it names, GrantStatus where it stands; empty if there is none by that name.
	Grant       string      `json:"grant"`
	GrantStatus GrantStatus `json:"grant_status"`
	Allowed     bool        `json:"allowed"`
	// Wait says that nothing is in the way but other requests that are being answered: it may be allowed later.
	Wait bool `json:"wait,omitempty"`
	// Approval is policy.Person if a person must approve.
	Approval string `json:"approval,omitempty"`
	// Reasons say what is in the way, for people; nothing if it is allowed.
	Reasons []string `json:"reasons"`
	// Policies are the texts that were asked: the grant's and the one in force. PolicyIDs are the policies in them that decided.
	Policies  []commit.Digest `json:"policies"`
	PolicyIDs []string        `json:"policy_ids"`
	// Cost is what an approval spends of the budget, in units.
	Cost string `json:"cost"`
}

// GrantStatus is where a grant stands.
type GrantStatus string

// The statuses of a grant, in the order in which the first that applies is given.
const (
	GrantRevoked GrantStatus = "revoked"
	GrantExpired GrantStatus = "expired"
	GrantUsedUp  GrantStatus = "used_up"
	GrantPending GrantStatus = "pending"
	GrantActive  GrantStatus = "active"
)

// StatusAt is where the grant stands at a time. Whether a budget is used up depends on the question.
func (g *GrantRecord) StatusAt(now int64, revoked bool, s Spent) GrantStatus {
	switch {
	case revoked:
		return GrantRevoked
	case now > g.Terms.NotAfter:
		return GrantExpired
	case s.Answers >= g.Terms.Answers:
		return GrantUsedUp
	case now < g.Terms.NotBefore:
		return GrantPending
	}
	return GrantActive
}

// GrantEntry is a grant with what became of it.
type GrantEntry struct {
	Grant      GrantRecord `json:"grant"`
	Status     GrantStatus `json:"status"`
	Revocation *Revocation `json:"revocation,omitempty"`
	Spent      Spent       `json:"spent"`
}

// GrantRef names a grant.
type GrantRef struct {
	Owner string `json:"owner"`
	Grant string `json:"grant"`
}

// PoliciesOf names an owner.
type PoliciesOf struct {
	Owner string `json:"owner"`
}

// PolicyRef names a policy of an owner's: the one in force if it has no digest.
type PolicyRef struct {
	Owner  string         `json:"owner"`
	Digest *commit.Digest `json:"digest,omitempty"`
}

// PolicyEntry is a published policy without its text.
type PolicyEntry struct {
	Digest  commit.Digest `json:"digest"`
	Version uint64        `json:"version"`
	Time    int64         `json:"time"`
	TxID    string        `json:"tx_id"`
	InForce bool          `json:"in_force"`
}
