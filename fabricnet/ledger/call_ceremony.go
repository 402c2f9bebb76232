package ledger

import "github.com/assay-net/assay/zk/commit"

// Functions that record a ceremony, see package zk/setup/transcript, and what each takes as arguments.
const (
	FnPlanCeremony       = "plan_ceremony"        // PlanCeremony
	FnRecordContribution = "record_contribution"  // RecordContribution
	FnEndCeremonyStage   = "end_ceremony_stage"   // EndCeremonyStage
	FnCloseCeremonyStage = "close_ceremony_stage" // CloseCeremonyStage
)

// Queries about ceremonies, and what each takes as arguments and gives.
const (
	QueryCeremonies = "ceremonies" // CeremoniesQuery → CeremoniesPage
	QueryCeremony   = "ceremony"   // CeremonyRef → Ceremony
)

// Bounds of what is recorded of a ceremony, before it is encoded in base64.
const (
	maxCeremonyPlan = 64 << 10
	// maxCeremonyArgs is that of the longest, a plan.
	maxCeremonyArgs = maxCeremonyPlan/3*4 + 64
)

// PlanCeremony puts a ceremony's plan on the ledger.
type PlanCeremony struct {
	// Plan is the plan as transcript.ParsePlan reads it.
	Plan []byte `json:"plan"`
}

// RecordContribution puts a contribution on the ledger by its header, whoever brings it: the signature in it says whose it is.
type RecordContribution struct {
	// Header is what transcript.ParseHeader reads.
	Header []byte `json:"header"`
}

// EndCeremonyStage ends a stage of a ceremony: no contribution to its parts is taken any more. The hash of the block that it is recorded in closes the stage.
type EndCeremonyStage struct {
	Ceremony commit.Digest `json:"ceremony"`
	// Stage is 1 or 2.
	Stage int `json:"stage"`
}

// CloseCeremonyStage closes a stage that was ended.
type CloseCeremonyStage struct {
	// Closing is what transcript.ParseClosing reads. Its source is what BlockSource writes.
	Closing []byte `json:"closing"`
}

// CeremonyRef names a ceremony by its plan's digest.
type CeremonyRef struct {
	Ceremony commit.Digest `json:"ceremony"`
}

// CeremoniesQuery asks for ceremonies in the order of their ids.
type CeremoniesQuery struct {
	// After is the Next of the page before, or empty.
	After string `json:"after"`
	// Limit is 0 for DefaultPage, and at most MaxPage.
	Limit int `json:"limit"`
}

// CeremoniesPage is a part of the ceremonies, as a RequestsPage is of requests.
type CeremoniesPage struct {
	Entries []Ceremony `json:"entries"`
	Next    string     `json:"next"`
}
