package audit

import (
	"slices"
	"strings"

	"github.com/assay-net/assay/zk/commit"
)

const (
	// Version is the only value of Report.Version.
	Version = "assay-audit/v1"
	// MaxReport bounds an encoded report.
	MaxReport = 64 << 20
	// maxListed bounds each list of a report but that of the requests, which maxRequests bounds; the counts are of all.
	maxListed   = 10_000
	maxRequests = 50_000
	// maxReason bounds each of an owner's reasons.
	maxReason = 256
)

// Report is what an audit found, as JSON. It is about the blocks up to Height and says nothing of later ones.
type Report struct {
	Version string `json:"version"`
	// Ledger is the ledger id: the digest of the consortium's genesis that the channel was held against.
	Ledger    commit.Digest `json:"ledger"`
	Name      string        `json:"name"`
	Channel   string        `json:"channel"`
	Chaincode string        `json:"chaincode"`
	// ChannelGenesis is the hash of block 0, which the auditor trusted.
	ChannelGenesis commit.Digest `json:"channel_genesis"`
	Consensus      string        `json:"consensus"`
	// Height and Hash are the last block's that is as the orderers sealed it. Compare them with ones noted elsewhere: blocks cut off the end leave no trace.
	Height uint64        `json:"height"`
	Hash   commit.Digest `json:"hash"`
	// AttestationsRequired says that an anchor that could not be re-checked is a failure. If not, see Unchecked.
	AttestationsRequired bool `json:"attestations_required"`
	// Accepted are the hashes of the blocks with changes of the channel's configuration that the auditor accepted.
	Accepted []commit.Digest `json:"accepted_configurations"`
	// Sound says that there is no failure among the findings.
	Sound  bool   `json:"sound"`
	Counts Counts `json:"counts"`
	// Requests are in the order in which they were asked, the first of them if there are many.
	Requests []Request `json:"requests"`
	// Invalid lists the transactions that had no effect, the first of them if there are many.
	Invalid []Invalid `json:"invalid"`
	// Unchecked lists the anchors that were not re-checked for want of their attestations, the first of them if there are many.
	Unchecked []UncheckedAnchor `json:"unchecked"`
	// Others counts the valid transactions of other chaincodes by name.
	Others []Other `json:"others"`
	// Findings are in the order of blocks, the first of them if there are many.
	Findings  []Finding `json:"findings"`
	AuditedAt int64     `json:"audited_at"`
	// AuditedBy is the organisation whose key Signature is by. Both are missing in a report that nobody signed.
	AuditedBy string `json:"audited_by,omitempty"`
	Signature []byte `json:"signature,omitempty"`
}

// Counts says how much was checked.
type Counts struct {
	Blocks       uint64 `json:"blocks"`
	Transactions uint64 `json:"transactions"`
	// Signatures counts those that verified: of orderers, creators and endorsers.
	Signatures uint64 `json:"signatures"`
	// Calls counts the contract's valid calls that were run again, by function.
	Calls map[string]uint64 `json:"calls"`
	// Codes counts the transactions that had no effect, by the validation code that was computed.
	Codes map[string]uint64 `json:"codes"`
	// Flags counts the codes of peers that were compared; 0 for blocks of orderers, who record none.
	Flags uint64 `json:"flags"`
	// PeersWord counts the transactions of other chaincodes whose code is a peer's word, as a policy of theirs is not evaluated.
	PeersWord uint64 `json:"peers_word"`
	// Anchors were re-checked with all their attestations, of Devices devices; AnchorsUnchecked in their form alone.
	Anchors          uint64 `json:"anchors"`
	Devices          uint64 `json:"devices"`
	AnchorsUnchecked uint64 `json:"anchors_unchecked"`
	Proofs           uint64 `json:"proofs"`
	Requests         uint64 `json:"requests"`
	Failures         uint64 `json:"failures"`
	Notices          uint64 `json:"notices"`
}

// Request is a request with what followed, as the blocks have it.
type Request struct {
	ID        commit.Digest `json:"id"`
	Requester string        `json:"requester"`
	Owner     string        `json:"owner"`
	Fleet     string        `json:"fleet"`
	Epoch     uint64        `json:"epoch"`
	// Grant is the one that it named, which need not exist.
	Grant     string        `json:"grant,omitempty"`
	Asked     Step          `json:"asked"`
	Decided   *DecisionStep `json:"decided,omitempty"`
	Withdrawn *Step         `json:"withdrawn,omitempty"`
	Proving   *Step         `json:"proving,omitempty"`
	Failed    *FailureStep  `json:"failed,omitempty"`
	Verified  *VerdictStep  `json:"verified,omitempty"`
}

// Step is one transaction on the way of a request.
type Step struct {
	Height uint64 `json:"height"`
	TxID   string `json:"tx_id"`
	Time   int64  `json:"time"`
}

// DecisionStep is the owner's decision.
type DecisionStep struct {
	Step
	Approved bool `json:"approved"`
	// Reasons are the owner's, each cut to its beginning.
	Reasons []string `json:"reasons"`
	// Policies are the texts that allowed an approval, Cost what it spent of the grant's budget, in units.
	Policies []commit.Digest `json:"policies,omitempty"`
	Cost     string          `json:"cost,omitempty"`
}

// FailureStep is the owner's giving up.
type FailureStep struct {
	Step
	// Reasons are the owner's, each cut to its beginning.
	Reasons []string `json:"reasons"`
}

// VerdictStep is a proof that the audit verified again.
type VerdictStep struct {
	Step
	Holds bool `json:"holds"`
	// Bundle is the SHA-256 of the bundle.
	Bundle commit.Digest `json:"bundle"`
}

// Invalid is a transaction that had no effect.
type Invalid struct {
	Block  uint64 `json:"block"`
	Index  int    `json:"index"`
	TxID   string `json:"tx_id"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// UncheckedAnchor is an anchor whose attestations were not to be had.
type UncheckedAnchor struct {
	Block  uint64        `json:"block"`
	TxID   string        `json:"tx_id"`
	Fleet  string        `json:"fleet"`
	Chunk  uint32        `json:"chunk"`
	Epoch  uint64        `json:"epoch"`
	Root   commit.Digest `json:"root"`
	Reason string        `json:"reason"`
}

// Other is another chaincode.
type Other struct {
	Chaincode    string `json:"chaincode"`
	Transactions uint64 `json:"transactions"`
}

func newReport(c *Config) *Report {
	return &Report{
		Version: Version, Ledger: c.Genesis.ID(), Name: c.Genesis.Name, Chaincode: c.Chaincode, Sound: true,
		AttestationsRequired: !c.WithoutAttestations, Accepted: []commit.Digest{},
		Counts: Counts{Calls: map[string]uint64{}, Codes: map[string]uint64{}}, Requests: []Request{}, Invalid: []Invalid{}, Unchecked: []UncheckedAnchor{},
		Others: []Other{}, Findings: []Finding{},
	}
}

func (r *Report) countOther(chaincode string) {
	i, found := slices.BinarySearchFunc(r.Others, chaincode, func(o Other, name string) int { return strings.Compare(o.Chaincode, name) })
	if !found {
		r.Others = slices.Insert(r.Others, i, Other{Chaincode: chaincode})
	}
	r.Others[i].Transactions++
}
