// Assay-verify checks what a consortium hands out, and prints a verdict that a lawyer can read. It is for those who trust nobody: a small static program that holds no circuit, no prover, no ledger's client and
// no database, and opens no connection; and, built for WebAssembly, what the page does (package page).
//
//	assay-verify [--ledger ID] [--ceremony TRANSCRIPT] [--json] [--html FILE] BUNDLE TRUST
//	assay-verify evidence [--ledger ID] [--channel BLOCK] [--ceremony TRANSCRIPT] [--json] [--html FILE] EVIDENCE
//	assay-verify ledger [--ledger ID] [--channel BLOCK] [--accept-config HASH] [--srs SRS] [--json] [--html FILE] BLOCKS GENESIS|TRUST
//
// The first checks a proof bundle against a regulator's export of the ledger, and the transcript of the ceremony that made the keys (package verdict). The second checks a file of evidence by the ledger's own
// blocks in it, the third all blocks of a Fabric channel (package exhibit): hashes, the signatures of orderers and endorsers, and every call anew. What is checked, what a verdict says and what not, is in these
// packages. The page does the first alone: the others are ten megabytes.
//
// The verdict goes to standard output, as text or as JSON, and with --html also into a page of its own that prints well. The exit code is 0 if the bundle is valid and every claim holds, or evidence or ledger
// are sound; 1 if not; 2 for a call that cannot be carried out as it was written.
package main
