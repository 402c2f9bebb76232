// Package datahub is the data owner's domain: what a fleet's owner does between
// its devices and the ledger. It closes epochs ([CloseChunk]) and answers
// statements ([Owner]).
//
// An owner knows its devices' enrolment secrets. That is what lets it check, before
// it anchors, that every record opens the commitment its device signed and lies
// within the schema; a device that fails either counts as absent, with the
// reason, because one such record would leave the whole chunk without a proof.
// The secrets let it do no more than that: the signature is the device's, and
// the commitment binds.
package datahub
