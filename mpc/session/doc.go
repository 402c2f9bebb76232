// Package session runs one query of several owners' encrypted data: from a roster that the ledger recorded to totals that one receiver learns, and nobody else. Each
// party of the roster runs a [Party] of it, over three things that it is given: a [Board], which is the ledger; a [Mail], which is the other parties; and a [Store], which is its
// own durable memory. The cryptography is package collective's; which entries the ledger may record, and when, is package transcript's: read its table first.
//
// # The protocol
//
//  1. Each party makes its secret and commits to what follows from it: owners and the regulator to their part of the collective public key, with a proof that they know
//     what is behind it, each owner also to the share of its part that it deals to every other owner, the receiver to the key that the result is switched to. The common
//     reference string is the hash of the block after the one that records the opening. The receiver does not need it, and so its entry makes that block where nothing else does:
//     who can choose among blocks chooses among strings, each as if it were drawn at random, of which a weak one is not to be found.
//  2. When all have committed, all reveal, each thing to those it is for; each checks what it was shown against the commitment, and what it is against its proof, stores
//     what it needs of it, and records that it is ready, with a digest of the two keys. From here on no party needs another's key material.
//  3. Each owner encrypts the number 1 and its totals, commits to the ciphertexts and names the anchor they came from; or declines.
//  4. The receiver closes: when all owners have answered, or the time for inputs is over and there are enough. Only then inputs are shown, to everyone.
//  5. The receiver checks and adds all of them, and names the digest of the sum and the owners who are to open it, as many as the threshold, from those who answer. It
//     hands the inputs on from here, so that owners who are not active may be gone.
//  6. Each active owner and the regulator check and add the inputs themselves, compare, make their share of the switch to the receiver's key, for this sum and this set of
//     owners, commit to it and show it to the receiver.
//  7. The receiver opens, sees that the first number is the number of inputs, and records a salted digest of the result.
//
// # What is promised
//
// One share of one key for one sum. What a party makes in a round it stores first, records then, and shows last; and what it stored it makes no second time. A
// party whose own entry is on the ledger and not in its store, or not the same, is a restored backup or one of two copies: it destroys its part and refuses the
// session for good, and says nothing more in its name, as it no longer knows what it has said. Two processes with one store are one party: the first to store wins. A
// set of active owners or a roster is never changed: that is a new session, with new keys.
//
// Who holds one owner's node learns the totals of that owner, and the keys of fewer than the threshold. Who holds the receiver's node learns totals over all inputs, and
// chooses neither the inputs, beyond waiting for the time for inputs to be over, nor, of the owners who answer, more than which of them open. All owners together open
// nothing without the regulator; the regulator opens nothing without as many owners as the threshold. Whoever holds the receiver and all owners but one learns the
// last owner's totals: a sum of which all others' parts are known is no secret. Against that stand the smallest cohort that the owner's own policy allows, and noise.
//
// A wrong share, or a wrong dealing, is noticed when the sum is opened (see package collective), and ends the session; whose it was is not known. Everything else that is not what it has
// to be ends the session with a reason on the ledger that names who committed to it.
//
// Bytes of others are asked for with the one length that they can have, and compared with a recorded commitment before they are decoded.
//
// # What is not promised
//
// That a query is answered: any party can end a session by an abort, and anyone whose turn it is by doing nothing until it expires. Up to the threshold, owners
// may vanish from the time that they are ready, if they gave no input, and from the activation, if they did and are not active. Who vanishes in between stops this session, and no other.
//
// That an input is of the records its anchor names, and is no lie: that is [Config.CheckInput]'s place. What an owner encrypted, it can show later to the regulator: see
// [Party.Disclose]; it keeps that until the session expires.
//
// That what is destroyed cannot be found on a disk: files are removed, and the keys that they were sealed with destroyed, each slot's with the slot. So a backup of a store opens as far as
// the sealer's keys are left, or were backed up: neither belongs in a backup. Whoever gathers what the regulator and as many owners as the threshold had stored can open every
// single input of the session.
package session
