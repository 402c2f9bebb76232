package ledger

import "github.com/assay-net/assay/zk/commit"

// What a contract service on Fabric does besides the contract.
const (
	// FnFound takes the canonical genesis and puts it on the channel under GenesisKey, once.
	FnFound = "found"
	// QueryAttestations takes AttestationsRef and gives what the answering organisation keeps under it, as JoinAttestations writes it. It is evaluated at one
	// organisation's peers, and not submitted.
	QueryAttestations = "attestations"
	// GenesisKey is the state key of the genesis.
	GenesisKey = "genesis"
	// EventFounded is the event of FnFound. Its payload names the organisation that called.
	EventFounded = "founded"
	// RefusedStatus is the status of a response whose message is the JSON of a Refusal.
	RefusedStatus = 400
)

// AttestationsRef names the attestations of an anchor.
type AttestationsRef struct {
	Root commit.Digest `json:"root"`
}
