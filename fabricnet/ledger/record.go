package ledger

import (
	"encoding/json"

	"github.com/assay-net/assay/zk/commit"
)

// MaxRecord bounds one record of the state, which the contract itself wrote.
const MaxRecord = 16 << 20

// Maker is a device maker. Devices come with certificates of its CA.
type Maker struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Certificate is the CA certificate, X.509 in DER.
	Certificate []byte `json:"certificate"`
	Time        int64  `json:"time"`
	TxID        string `json:"tx_id"`
}

// Fleet is a set of devices with one owner and one schema, cut into chunks of one size.
type Fleet struct {
	ID        string `json:"id"`
	Owner     string `json:"owner"`
	Schema    string `json:"schema"`
	ChunkSize uint32 `json:"chunk_size"`
	Time      int64  `json:"time"`
	TxID      string `json:"tx_id"`
}

// Chunk exists from the epoch after its first enrolment, for ever.
type Chunk struct {
	// From is the first epoch at whose start the chunk is listed.
	From uint64 `json:"from"`
}

// Slot is one device's enrolment. A slot is used once; a device that comes back gets another.
type Slot struct {
	Device commit.DeviceID `json:"device"`
	// Key is the device's public key, PKIX in DER.
	Key    []byte `json:"key"`
	Maker  string `json:"maker"`
	Serial string `json:"serial"`
	// Class says where the key lives, as the maker's certificate has it: one of Classes.
	Class string `json:"class"`
	// From is the first epoch in which the device may attest. Until, when not 0, is the first in which it may no longer.
	From  uint64 `json:"from"`
	Until uint64 `json:"until"`
	// Reason is why the slot was retired.
	Reason string `json:"reason,omitempty"`
}

// Active reports whether the slot's device is enrolled at the epoch's start.
func (s *Slot) Active(epoch uint64) bool {
	return s.From <= epoch && (s.Until == 0 || epoch < s.Until)
}

// RetiredSince reports whether the slot was active in the epoch before and is no longer.
func (s *Slot) RetiredSince(epoch uint64) bool {
	return s.Until == epoch && s.From < s.Until
}

// Position points to the slot that a device or a serial was last enrolled in.
type Position struct {
	Fleet string `json:"fleet"`
	Chunk uint32 `json:"chunk"`
	Slot  uint32 `json:"slot"`
}

// Classes are where a device's key may live, in the order in which Anchor.Classes counts them.
var Classes = [4]string{string(commit.SecureElement), string(commit.Module), string(commit.Gateway), string(commit.Software)}

// Anchor is a chunk's commitment for an epoch. With a chunk of 4,096 its encoding stays below 1 KiB.
type Anchor struct {
	// Commitment is the sum of the attested commitments, a compressed point.
	Commitment []byte `json:"commitment"`
	Attested   uint32 `json:"attested"`
	// Enrolled is the number of slots active at the epoch's start, Retired that of the slots retired since the epoch before.
	Enrolled uint32 `json:"enrolled"`
	Retired  uint32 `json:"retired"`
	// Classes splits Enrolled by where the devices' keys live.
	Classes [len(Classes)]uint32 `json:"classes"`
	// Bitmap has a bit per slot, least significant first, 1 where the device attested.
	Bitmap []byte `json:"bitmap"`
	// Root is the RFC 6962 tree head over the attestations in slot order.
	Root commit.Digest `json:"root"`
	Time int64         `json:"time"`
	TxID string        `json:"tx_id"`
}

// MaxAnchor bounds an encoded Anchor.
const MaxAnchor = 1 << 10

// AnchorHead is the last epoch a chunk was anchored for.
type AnchorHead struct {
	Epoch uint64 `json:"epoch"`
}

// OpenedEpoch says that a regulator opened an epoch on the ledger, and when.
type OpenedEpoch struct {
	Epoch uint64 `json:"epoch"`
	Time  int64  `json:"time"`
	TxID  string `json:"tx_id"`
}

// Closing says that a fleet's epoch is closed: a proof about it was verified, or somebody settled it.
type Closing struct {
	Time int64  `json:"time"`
	TxID string `json:"tx_id"`
}

// Request is a statement that an organisation asked an owner to prove. Its id is the statement's digest on this ledger, in hexadecimal.
type Request struct {
	// Statement is the canonical statement.
	Statement []byte `json:"statement"`
	Requester string `json:"requester"`
	Owner     string `json:"owner"`
	Fleet     string `json:"fleet"`
	Epoch     uint64 `json:"epoch"`
	// Expiry is the first second at which nothing is accepted for the request any more.
	Expiry int64 `json:"expiry"`
	// Attributes are those of the certificate under which it was asked, as far as policies may look at them.
	Attributes map[string]string `json:"attributes,omitempty"`
	Time       int64             `json:"time"`
	TxID       string            `json:"tx_id"`
}

// Asked lists a request by what it is about.
type Asked struct {
	Requester string `json:"requester"`
}

// NonceUse marks a nonce as used by a requester.
type NonceUse struct {
	Request string `json:"request"`
}

// Decision is the owner's answer to a request.
type Decision struct {
	Approved bool     `json:"approved"`
	Reasons  []string `json:"reasons"`
	// Automatic says that no person made it. That a person made the others is the owner's word.
	Automatic bool `json:"automatic,omitempty"`
	// Of an approval: the grant it is under, the policy texts that allowed it (the grant's and the one in force), the ids of the policies in them that decided, what it
	// spent of the budget in units, and policy.Person if a person had to approve.
	Grant     string          `json:"grant,omitempty"`
	Policies  []commit.Digest `json:"policies,omitempty"`
	PolicyIDs []string        `json:"policy_ids,omitempty"`
	Cost      string          `json:"cost,omitempty"`
	Approval  string          `json:"approval,omitempty"`
	Time      int64           `json:"time"`
	TxID      string          `json:"tx_id"`
}

// Withdrawal is the requester's change of mind.
type Withdrawal struct {
	Time int64  `json:"time"`
	TxID string `json:"tx_id"`
}

// ProofVerdict records that the ledger verified a proof, with its own keys and anchors.
type ProofVerdict struct {
	// Bundle is the SHA-256 of the bundle, which the transaction's arguments hold.
	Bundle commit.Digest `json:"bundle"`
	// Holds is true when every claim of the statement holds.
	Holds bool `json:"holds"`
	// Verdict is the verify.Verdict.
	Verdict json.RawMessage `json:"verdict"`
	Time    int64           `json:"time"`
	TxID    string          `json:"tx_id"`
}
