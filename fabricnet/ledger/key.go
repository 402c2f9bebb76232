package ledger

import (
	"encoding/hex"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// State keys. There is one key per thing and no list or counter of several things among them, so that calls about different things never conflict. Four are meant to: opening
// an epoch, with what was endorsed before it; what a grant has spent, with approvals under the same grant; what is answered about a fleet at an epoch, with approvals and
// proofs about the same; and which queries are pooled there, with the beginnings and the sums of such queries. Every part is an
// id, fixed-width hexadecimal or a hexadecimal digest: no part holds a '/', so no two things share a key and no prefix reaches into another's.
// Fixed width keeps numbers in order.
const (
	MakerPrefix   = "maker/"
	FleetPrefix   = "fleet/"
	KeyPrefix     = "key/"
	RequestPrefix = "request/"
	GrantPrefix   = "grant/"
	NodePrefix    = "node/"
	AlertPrefix   = "alert/"
	// OpenedKey holds the last OpenedEpoch.
	OpenedKey = "epoch"
)

// OpenedEpochKey holds the OpenedEpoch of one epoch.
func OpenedEpochKey(epoch uint64) string { return "opened/" + fmt.Sprintf("%016x", epoch) }

// MakerKey holds a Maker.
func MakerKey(id string) string { return MakerPrefix + id }

// MakerAuthorityKey holds the id of the maker whose CA has this public key.
func MakerAuthorityKey(publicKey commit.Digest) string { return "authority/" + publicKey.String() }

// FleetKey holds a Fleet.
func FleetKey(id string) string { return FleetPrefix + id }

// ChunkPrefix is the prefix of a fleet's chunks.
func ChunkPrefix(fleet string) string { return "chunk/" + fleet + "/" }

// ChunkKey holds a Chunk.
func ChunkKey(fleet string, chunk uint32) string { return ChunkPrefix(fleet) + hex32(chunk) }

// SlotPrefix is the prefix of a chunk's slots.
func SlotPrefix(fleet string, chunk uint32) string { return "slot/" + fleet + "/" + hex32(chunk) + "/" }

// SlotKeyOf holds a Slot.
func SlotKeyOf(fleet string, chunk, slot uint32) string {
	return SlotPrefix(fleet, chunk) + hex32(slot)
}

// DeviceKey holds the Position of a device key's last enrolment.
func DeviceKey(id commit.DeviceID) string { return "device/" + id.String() }

// SerialKey holds the Position of a (maker, serial) pair's last enrolment.
func SerialKey(maker, serial string) string {
	return "serial/" + maker + "/" + hex.EncodeToString([]byte(serial))
}

// AnchorPrefix is the prefix of a fleet's anchors for an epoch.
func AnchorPrefix(fleet string, epoch uint64) string {
	return "anchor/" + fleet + "/" + fmt.Sprintf("%016x", epoch) + "/"
}

// AnchorKey holds an Anchor.
func AnchorKey(fleet string, epoch uint64, chunk uint32) string {
	return AnchorPrefix(fleet, epoch) + hex32(chunk)
}

// AnchorHeadKey holds an AnchorHead.
func AnchorHeadKey(fleet string, chunk uint32) string { return "head/" + fleet + "/" + hex32(chunk) }

// ClosingKey holds a Closing.
func ClosingKey(fleet string, epoch uint64) string {
	return "closing/" + fleet + "/" + fmt.Sprintf("%016x", epoch)
}

// PublishedKeyKey holds a verify.PublishedKey. Circuit ids hold a '/', so they are spelt in hexadecimal.
func PublishedKeyKey(circuitID string) string {
	return KeyPrefix + hex.EncodeToString([]byte(circuitID))
}

// RequestKey holds a Request.
func RequestKey(id commit.Digest) string { return RequestPrefix + id.String() }

// AskedPrefix is the prefix of the requests about a fleet at an epoch.
func AskedPrefix(fleet string, epoch uint64) string {
	return "asked/" + fleet + "/" + fmt.Sprintf("%016x", epoch) + "/"
}

// AskedKey holds an Asked.
func AskedKey(fleet string, epoch uint64, request commit.Digest) string {
	return AskedPrefix(fleet, epoch) + request.String()
}

// NonceKey holds a NonceUse. A statement's nonce is fixed-width hexadecimal.
func NonceKey(requester, nonce string) string { return "nonce/" + requester + "/" + nonce }

// DecisionKey holds a Decision.
func DecisionKey(request commit.Digest) string { return "decision/" + request.String() }

// WithdrawalKey holds a Withdrawal.
func WithdrawalKey(request commit.Digest) string { return "withdrawal/" + request.String() }

// VerdictKey holds a ProofVerdict.
func VerdictKey(request commit.Digest) string { return "verdict/" + request.String() }

// ProvingKey holds a Proving.
func ProvingKey(request commit.Digest) string { return "proving/" + request.String() }

// FailureKey holds a Failure.
func FailureKey(request commit.Digest) string { return "failure/" + request.String() }

// PolicyPrefix is the prefix of the policies that an owner published.
func PolicyPrefix(owner string) string { return "policy/" + owner + "/" }

// PolicyKey holds a PolicyRecord.
func PolicyKey(owner string, digest commit.Digest) string {
	return PolicyPrefix(owner) + digest.String()
}

// PolicyHeadKey holds the PolicyHead of an owner.
func PolicyHeadKey(owner string) string { return "policyhead/" + owner }

// GrantKey holds a GrantRecord.
func GrantKey(owner, id string) string { return GrantPrefix + owner + "/" + id }

// SpentKey holds what a grant has Spent.
func SpentKey(owner, id string) string { return "spent/" + owner + "/" + id }

// RevokedKey holds the Revocation of a grant.
func RevokedKey(owner, id string) string { return "revoked/" + owner + "/" + id }

// AnsweredPrefix is the prefix of what was approved about a fleet at an epoch.
func AnsweredPrefix(fleet string, epoch uint64) string {
	return "answered/" + fleet + "/" + fmt.Sprintf("%016x", epoch) + "/"
}

// AnsweredKey holds an Answered.
func AnsweredKey(fleet string, epoch uint64, request commit.Digest) string {
	return AnsweredPrefix(fleet, epoch) + request.String()
}

// NodeKey holds a NodeRecord.
func NodeKey(organisation string) string { return NodePrefix + organisation }

// NodeAuthorityKey holds the id of the organisation whose node's CA has this public key.
func NodeAuthorityKey(publicKey commit.Digest) string {
	return "nodeauthority/" + publicKey.String()
}

// AlertKey holds an AlertRecord. Alerts are in the order of their times.
func AlertKey(at int64, txID string) string {
	return AlertPrefix + fmt.Sprintf("%016x", uint64(at)) + "/" + txID
}

func hex32(n uint32) string { return fmt.Sprintf("%08x", n) }
