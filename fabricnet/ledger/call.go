package ledger

import (
	"crypto/sha256"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// Functions that change the ledger, and what each takes as arguments.
const (
	FnRegisterMaker = "register_maker" // RegisterMaker
	FnRegisterFleet = "register_fleet" // RegisterFleet
	FnEnrol         = "enrol"          // Enrol
	FnRetire        = "retire"         // Retire
	FnAnchor        = "anchor"         // AnchorChunk, and TransientAttestations
	FnPublishKey    = "publish_key"    // verify.PublishedKey
	FnRequest       = "request"        // Ask
	FnDecide        = "decide"         // Decide
	FnSubmitProof   = "submit_proof"   // SubmitProof
	FnWithdraw      = "withdraw"       // RequestRef
	FnOpenEpoch     = "open_epoch"     // OpenEpoch
	FnSettle        = "settle"         // EpochRef
	FnPublishPolicy = "publish_policy" // PublishPolicy
	FnGrant         = "grant"          // Grant
	FnRevoke        = "revoke"         // Revoke
	FnStartProof    = "start_proof"    // RequestRef
	FnFail          = "fail"           // Fail
	FnPublishNode   = "publish_node"   // PublishNode
	FnAlert         = "alert"          // Alert
	FnSetKeyStatus  = "set_key_status" // SetKeyStatus
)

// Queries, and what each takes as arguments and gives.
const (
	QueryGenesis       = "genesis"       // Nothing → Genesis
	QueryOrganisations = "organisations" // Nothing → []Organisation
	QueryEpoch         = "epoch"         // Nothing → EpochInfo
	QueryMakers        = "makers"        // Nothing → []Maker
	QueryFleets        = "fleets"        // Nothing → []Fleet
	QueryFleet         = "fleet"         // FleetRef → Fleet
	QueryChunks        = "chunks"        // FleetRef → []ChunkEntry
	QuerySlots         = "slots"         // ChunkRef → []SlotEntry
	QueryAnchors       = "anchors"       // EpochRef → []AnchorEntry
	QueryFacts         = "facts"         // EpochRef → FactsEntry
	QueryKeys          = "keys"          // Nothing → []verify.PublishedKey
	QueryRequests      = "requests"      // RequestsQuery → RequestsPage
	QueryAsked         = "asked"         // EpochRef → []TrustRequest
	QueryRequest       = "request_entry" // RequestRef → RequestEntry
	QueryAssess        = "assess"        // Assess → Assessment
	QueryPolicies      = "policies"      // PoliciesOf → []PolicyEntry
	QueryPolicy        = "policy"        // PolicyRef → PolicyRecord
	QueryGrants        = "grants"        // GrantsQuery → GrantsPage
	QueryGrant         = "grant_entry"   // GrantRef → GrantEntry
	QueryNodes         = "nodes"         // Nothing → []NodeRecord
	QueryAlerts        = "alerts"        // AlertsQuery → AlertsPage
)

// Bounds of encoded arguments and transient input.
const (
	// MaxChunks is the number of chunks a fleet may have. Indices are below it.
	MaxChunks = 1 << 16
	// MaxBundle bounds a proof bundle. In base64 it stays below the 10 MB that orderers take by default.
	MaxBundle = 6 << 20

	maxSmallArgs  = 64 << 10
	maxEnrolArgs  = commit.MaxSize * (commit.MaxCertificate/3*4 + commit.SignatureBytes/3*4 + 88)
	maxAskArgs    = statement.MaxBytes/3*4 + 64
	maxPolicyArgs = policy.MaxText/3*4 + 64
	maxBundleArgs = MaxBundle/3*4 + 256
	// MaxArgs bounds the arguments of every function; MaxArgsOf is closer.
	MaxArgs = maxBundleArgs
)

// MaxArgsOf bounds a function's encoded arguments.
func MaxArgsOf(function string) int {
	switch function {
	case FnEnrol:
		return maxEnrolArgs
	case FnRequest:
		return maxAskArgs
	case FnSubmitProof:
		return maxBundleArgs
	case FnPublishPolicy:
		return maxPolicyArgs
	case FnPlanCeremony:
		return maxCeremonyArgs
	}
	return maxSmallArgs
}

// RegisterMaker registers a device maker's CA.
type RegisterMaker struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Certificate []byte `json:"certificate"`
}

// Digest is what peers consent to: it covers the maker's id and name with its CA.
func (a *RegisterMaker) Digest() commit.Digest {
	return sha256.Sum256(Tagged("assay/v1/maker", []byte(a.ID), []byte(a.Name), a.Certificate))
}

// RegisterFleet registers a fleet of the caller's.
type RegisterFleet struct {
	ID        string `json:"id"`
	Schema    string `json:"schema"`
	ChunkSize uint32 `json:"chunk_size"`
}

// Enrol puts devices into slots that were never used, with effect from the next epoch.
type Enrol struct {
	Fleet string `json:"fleet"`
	Chunk uint32 `json:"chunk"`
	// Devices come in ascending order of slot, 1 to the chunk's size.
	Devices []EnrolDevice `json:"devices"`
}

// EnrolDevice is one device to enrol.
type EnrolDevice struct {
	Slot uint32 `json:"slot"`
	// Certificate is the maker's certificate for the device, X.509 in DER.
	Certificate []byte `json:"certificate"`
	// Possession is the device's signature over ledger, fleet, chunk, slot and Until, the last epoch in which it serves:
	// commit.SignPossession.
	Possession []byte `json:"possession"`
	Until      uint64 `json:"possession_until"`
}

// Retire ends enrolments with the current epoch.
type Retire struct {
	Fleet string `json:"fleet"`
	Chunk uint32 `json:"chunk"`
	// Slots come in ascending order.
	Slots  []uint32 `json:"slots"`
	Reason string   `json:"reason"`
}

// AnchorChunk anchors a chunk for an epoch that is over. The attestations travel as transient input. Every field is what the
// endorsers compute from them, so that all endorsed the same.
type AnchorChunk struct {
	Fleet      string        `json:"fleet"`
	Chunk      uint32        `json:"chunk"`
	Epoch      uint64        `json:"epoch"`
	Commitment []byte        `json:"commitment"`
	Attested   uint32        `json:"attested"`
	Bitmap     []byte        `json:"bitmap"`
	Root       commit.Digest `json:"root"`
}

// Ask requests a proof of a statement, given in its canonical encoding.
type Ask struct {
	Statement []byte `json:"statement"`
}

// Decide approves or refuses a request. A refusal has at least one reason.
type Decide struct {
	Request commit.Digest `json:"request"`
	Approve bool          `json:"approve"`
	Reasons []string      `json:"reasons"`
	// Automatic says that no person made the decision. Such an approval is refused where a policy wants a person.
	Automatic bool `json:"automatic,omitempty"`
}

// SubmitProof answers an approved request.
type SubmitProof struct {
	Request commit.Digest `json:"request"`
	Bundle  []byte        `json:"bundle"`
}

// OpenEpoch records that the current epoch has begun. Regulators only.
type OpenEpoch struct {
	Epoch uint64 `json:"epoch"`
}

// Nothing is the argument of queries that take none.
type Nothing struct{}

// FleetRef names a fleet.
type FleetRef struct {
	Fleet string `json:"fleet"`
}

// ChunkRef names a chunk.
type ChunkRef struct {
	Fleet string `json:"fleet"`
	Chunk uint32 `json:"chunk"`
}

// EpochRef names a fleet at an epoch.
type EpochRef struct {
	Fleet string `json:"fleet"`
	Epoch uint64 `json:"epoch"`
}

// RequestRef names a request.
type RequestRef struct {
	Request commit.Digest `json:"request"`
}

// EpochInfo tells the ledger's time.
type EpochInfo struct {
	Epoch uint64 `json:"epoch"`
	Now   int64  `json:"now"`
	// Start and End bound the current epoch: Start ≤ Now < End.
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Opened is the last epoch that was opened on the ledger, or null.
	Opened *uint64 `json:"opened"`
}

// ChunkEntry is a chunk with its index.
type ChunkEntry struct {
	Index uint32 `json:"index"`
	From  uint64 `json:"from"`
	// Anchored is the last epoch it was anchored for, or null.
	Anchored *uint64 `json:"anchored"`
}

// SlotEntry is an enrolment with its slot number.
type SlotEntry struct {
	Slot      uint32 `json:"slot"`
	Enrolment Slot   `json:"enrolment"`
}

// AnchorEntry is an anchor with its chunk.
type AnchorEntry struct {
	Chunk  uint32 `json:"chunk"`
	Anchor Anchor `json:"anchor"`
}

// FactsEntry is what the ledger says about a fleet at an epoch.
type FactsEntry struct {
	Facts verify.Facts `json:"facts"`
	// Final says that no anchor can be proposed any more: every chunk is anchored, or the window is over and what was proposed in it has had its time to arrive. Proofs are
	// taken from then on.
	Final bool `json:"final"`
	// Closed says that a verdict or a settlement closed the epoch: what was held back, however long, is void too.
	Closed bool `json:"closed"`
}
