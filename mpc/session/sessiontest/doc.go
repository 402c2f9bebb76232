// Package sessiontest runs sessions in one process, for tests: a board that keeps the ledger's rules, mail between parties, and a network of them, with faults put in between. Its
// parties, stores and cryptography are the real ones; only the ledger and the wires are in memory.
//
// Nothing in it waits or measures time: its clock stands still until it is set, and parties step in turn.
package sessiontest
