package access

import (
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// Bounds of encoded messages. A text's bound leaves room for the other fields.
const (
	small     = 4 << 10
	reasons   = 32 << 10
	terms     = 256 << 10
	text      = policy.MaxText + small
	question  = statement.MaxBytes + small
	both      = policy.MaxText + statement.MaxBytes + small
	draft     = maxQuery + maxModel + small
	proof     = ledger.MaxBundle + small
	aliveness = 256

	// maxQuery and maxModel bound the texts of a query and of a score's model.
	maxQuery = 64 << 10
	maxModel = 16 << 10
)

var (
	everyone = Roles()
	auditors = []Role{Auditor}
	learners = []Role{Operator, Auditor}
	askers   = []ledger.Role{ledger.RoleFinancier, ledger.RoleRegulator}
	owners   = []ledger.Role{ledger.RoleOwner}
)

// rules is the table.
var rules = map[string]Rule{
	assayv1.FleetService_ListFleets_FullMethodName:  {Roles: everyone, MaxRequest: small},
	assayv1.FleetService_GetFleet_FullMethodName:    {Roles: everyone, MaxRequest: small},
	assayv1.FleetService_GetCoverage_FullMethodName: {Roles: everyone, MaxRequest: small, AtOnce: 2},

	assayv1.PolicyService_PublishPolicy_FullMethodName:  {Roles: []Role{Administrator}, Organisation: owners, MaxRequest: text},
	assayv1.PolicyService_GetPolicy_FullMethodName:      {Roles: everyone, MaxRequest: small},
	assayv1.PolicyService_CheckPolicy_FullMethodName:    {Roles: everyone, MaxRequest: text},
	assayv1.PolicyService_ExplainRequest_FullMethodName: {Roles: everyone, MaxRequest: both},

	assayv1.GrantService_CreateGrant_FullMethodName: {Roles: []Role{Administrator}, Organisation: owners, MaxRequest: terms},
	assayv1.GrantService_GetGrant_FullMethodName:    {Roles: everyone, MaxRequest: small},
	assayv1.GrantService_ListGrants_FullMethodName:  {Roles: everyone, MaxRequest: small},
	assayv1.GrantService_RevokeGrant_FullMethodName: {Roles: []Role{Administrator}, Organisation: owners, MaxRequest: small},

	assayv1.RequestService_CreateRequest_FullMethodName:   {Roles: []Role{Operator}, Organisation: askers, MaxRequest: question},
	assayv1.RequestService_GetRequest_FullMethodName:      {Roles: everyone, Peers: PartyPeers, MaxRequest: small},
	assayv1.RequestService_ListRequests_FullMethodName:    {Roles: everyone, MaxRequest: small},
	assayv1.RequestService_ApproveRequest_FullMethodName:  {Roles: []Role{Operator}, Organisation: owners, MaxRequest: reasons},
	assayv1.RequestService_RefuseRequest_FullMethodName:   {Roles: []Role{Operator}, Organisation: owners, MaxRequest: reasons},
	assayv1.RequestService_WithdrawRequest_FullMethodName: {Roles: []Role{Operator}, Organisation: askers, MaxRequest: small},
	assayv1.RequestService_WatchRequest_FullMethodName:    {Roles: everyone, Peers: PartyPeers, MaxRequest: small, Stream: true},

	assayv1.QueryService_CreateQuery_FullMethodName:    {Roles: []Role{Operator}, Organisation: askers, MaxRequest: draft},
	assayv1.QueryService_GetQuery_FullMethodName:       {Roles: everyone, MaxRequest: small},
	assayv1.QueryService_ListQueries_FullMethodName:    {Roles: everyone, MaxRequest: small},
	assayv1.QueryService_ApproveQuery_FullMethodName:   {Roles: []Role{Operator}, Organisation: owners, MaxRequest: reasons},
	assayv1.QueryService_RefuseQuery_FullMethodName:    {Roles: []Role{Operator}, Organisation: owners, MaxRequest: reasons},
	assayv1.QueryService_WatchQuery_FullMethodName:     {Roles: everyone, MaxRequest: small, Stream: true},
	assayv1.QueryService_GetQueryResult_FullMethodName: {Roles: learners, Organisation: askers, MaxRequest: small},

	assayv1.SessionService_ListSessions_FullMethodName: {Roles: everyone, MaxRequest: small},
	assayv1.SessionService_GetSession_FullMethodName:   {Roles: everyone, MaxRequest: small},
	assayv1.SessionService_FetchItem_FullMethodName:    {Peers: AllPeers, MaxRequest: small, Stream: true, AtOnce: 8},

	assayv1.ProofService_GetProof_FullMethodName:       {Roles: everyone, MaxRequest: small},
	assayv1.ProofService_DownloadBundle_FullMethodName: {Roles: everyone, Peers: PartyPeers, MaxRequest: small, Stream: true, AtOnce: 4},
	assayv1.ProofService_VerifyBundle_FullMethodName:   {Roles: everyone, MaxRequest: proof, AtOnce: 2},

	assayv1.AuditService_ListEntries_FullMethodName: {Roles: auditors, MaxRequest: small},
	assayv1.AuditService_ListAlerts_FullMethodName:  {Roles: auditors, MaxRequest: small},
	assayv1.AuditService_WatchAlerts_FullMethodName: {Roles: auditors, MaxRequest: small, Stream: true},
	assayv1.AuditService_GetEvidence_FullMethodName: {Roles: auditors, MaxRequest: small, Stream: true, AtOnce: 1},

	assayv1.NodeService_GetStatus_FullMethodName: {Roles: everyone, Peers: AllPeers, MaxRequest: small},

	healthv1.Health_Check_FullMethodName: {Roles: everyone, Peers: AllPeers, Anonymous: true, MaxRequest: aliveness},
	healthv1.Health_Watch_FullMethodName: {Roles: everyone, Peers: AllPeers, MaxRequest: aliveness, Stream: true},
	healthv1.Health_List_FullMethodName:  {Roles: everyone, MaxRequest: aliveness},
}
