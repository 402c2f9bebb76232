// Assay-verify checks a proof bundle against a regulator's export of the ledger and prints a verdict. It is for those who trust nobody: a small static program that holds no circuit, no prover,
// no ledger's client and opens no connection, and, built for WebAssembly, what the page does (package page). What is checked, what a verdict says and what not, is in package verdict.
//
//	assay-verify [--ledger ID] [--json] [--html FILE] BUNDLE TRUST
//
// The verdict goes to standard output, as text or as JSON, and with --html also into a page of its own that prints well. The exit code is 0 if the bundle is valid and every claim holds, 1 if
// not, 2 for a call that cannot be carried out as it was written.
//
// It does not read evidence (package evidence): that rests on the ledger's own blocks, whose readers bring a database and, for Fabric's messages, network code. 'assay verify --evidence' does.
package main
