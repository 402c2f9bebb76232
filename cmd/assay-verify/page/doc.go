// Package page makes the page on which a regulator, a lender or a lawyer verifies a bundle in a browser: one HTML file, with the program assay-verify as WebAssembly in it. Open it from a disk or
// from any server, drop a bundle and an export of the ledger on it, and the transcript of a ceremony if there is one, and read, print or save the verdict.
//
// # What leaves the browser
//
// Nothing. Everything is in the one file, so that its Content-Security-Policy can forbid every source: 'none' for all, but for its own style sheet and scripts, named by their SHA-256, and the
// compiling of WebAssembly. The browser then refuses whatever would fetch, send, embed, submit or load anything, from the page's own server too. Texts are set as text: the policy also forbids to
// make markup or scripts of a string. A policy cannot forbid a script to leave for another address; the scripts are those that are named, and do not.
//
// # What is in the file
//
// The program is compressed with LZMA, which takes a third off what gzip leaves, and nothing that browsers unpack themselves comes near; lzma.js unpacks it, in some hundred lines that can be
// read. The file is the same, byte for byte, for the same sources and releases of Go and xz.
//
// [Build] needs the go command, the module's sources, and xz.
package page
