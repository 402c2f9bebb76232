package ledger

import (
	"slices"

	"github.com/assay-net/assay/zk/commit"
)

// Names of events. Every call that changes the ledger puts exactly one.
const (
	EventMakerRegistered = "maker_registered"
	EventFleetRegistered = "fleet_registered"
	EventEnrolled        = "enrolled"
	EventRetired         = "retired"
	EventAnchored        = "anchored"
	EventKeyPublished    = "key_published"
	EventRequested       = "requested"
	EventDecided         = "decided"
	EventVerified        = "verified"
	EventWithdrawn       = "withdrawn"
	EventEpochOpened     = "epoch_opened"
	EventSettled         = "settled"
	EventPolicyPublished = "policy_published"
	EventGranted         = "granted"
	EventRevoked         = "revoked"
	EventProving         = "proving"
	EventFailed          = "failed"
	EventNodePublished   = "node_published"
	EventAlerted         = "alerted"
	EventQueryAsked      = "query_asked"
	EventQueryAnswered   = "query_answered"
	EventSessionBegun    = "session_begun"
	EventPosted          = "posted"
	EventKeyStatusSet    = "key_status_set"
	EventCeremonyPlanned = "ceremony_planned"
	EventContributed     = "contributed"
	EventStageEnded      = "stage_ended"
	EventStageClosed     = "stage_closed"
)

var eventNames = []string{
	EventMakerRegistered, EventFleetRegistered, EventEnrolled, EventRetired, EventAnchored, EventKeyPublished,
	EventRequested, EventDecided, EventVerified, EventWithdrawn, EventEpochOpened, EventSettled,
	EventPolicyPublished, EventGranted, EventRevoked, EventProving, EventFailed, EventNodePublished,
	EventAlerted, EventQueryAsked, EventQueryAnswered, EventSessionBegun, EventPosted, EventKeyStatusSet,
	EventCeremonyPlanned, EventContributed, EventStageEnded, EventStageClosed,
}

// IsEvent reports whether a name is one of the contract's events. A contract service has one more of its own, EventFounded.
func IsEvent(name string) bool { return slices.Contains(eventNames, name) }

// Event tells that a call changed the ledger.
type Event struct {
	Height  uint64       `json:"height"`
	TxID    string       `json:"tx_id"`
	Name    string       `json:"name"`
	Payload EventPayload `json:"payload"`
}

// EventPayload is what a listener needs in order to decide whether to look; the record has the rest. Fields that do not apply are left out.
type EventPayload struct {
	// Organisation called.
	Organisation string         `json:"organisation"`
	Maker        string         `json:"maker,omitempty"`
	Fleet        string         `json:"fleet,omitempty"`
	Owner        string         `json:"owner,omitempty"`
	Requester    string         `json:"requester,omitempty"`
	Chunk        *uint32        `json:"chunk,omitempty"`
	Epoch        *uint64        `json:"epoch,omitempty"`
	Devices      int            `json:"devices,omitempty"`
	CircuitID    string         `json:"circuit_id,omitempty"`
	Digest       *commit.Digest `json:"digest,omitempty"`
	Request      *commit.Digest `json:"request,omitempty"`
	// Grant is the id of the owner's grant that it is about, or that the request names.
	Grant string `json:"grant,omitempty"`
	// Query and Session are those of a homomorphic query, Round the session's that the caller posted in.
	Query   *commit.Digest `json:"query,omitempty"`
	Session *commit.Digest `json:"session,omitempty"`
	Round   Round          `json:"round,omitempty"`
	// Ceremony is the one that it is about, Part that of a contribution, which Digest names, Stage the one that was ended or closed.
	Ceremony *commit.Digest `json:"ceremony,omitempty"`
	Part     string         `json:"part,omitempty"`
	Stage    int            `json:"stage,omitempty"`
	// Approved is set by a decision, Holds by a verdict.
	Approved *bool `json:"approved,omitempty"`
	Holds    *bool `json:"holds,omitempty"`
}

// MaxEventPayload bounds an encoded payload.
const MaxEventPayload = 4 << 10
