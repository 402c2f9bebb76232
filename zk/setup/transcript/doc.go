// Package transcript is what the files of a key ceremony say and who signed them, without the mathematics.
//
// A ceremony (package ceremony) makes the keys that proofs stand on. Its transcript is the [Plan], the signed [Header] of every contribution, and the two
// [Closing]s. From these alone this package tells which ceremony it is, who contributed to what in which order, what it was closed with, and the
// one digest that the keys are named by. It needs no circuits and no curve arithmetic beyond signatures, so a contract and a verifier can use it.
// [File] is all of it in one file of at most [MaxFile] bytes.
//
// # What it promises
//
// A header that a [Chain] takes is of this ceremony and this part, follows the one before, and is signed by a contributor of the plan, who has not
// contributed to the part before. A header names the body's digest and, through the header before, everything that was contributed to the part. A
// closing names the last header of every part of its stage, and [Digest] covers both closings: whoever has that digest has, from a file that
// passes [File.Check], every name, signature and order of the ceremony. What is refused has a [Fault].
//
// # What it does not promise
//
// That a contribution is an update of the one before by somebody who knew it, and that the keys come out of the last one, is mathematics: replaying
// the ceremony's folder shows it. A transcript of signed nonsense passes here. The keys that a file lists are therefore what its maker claims; that
// organisations consented to them on a ledger says that those have looked.
//
// When something happened cannot be seen in a file. A ledger that recorded the headers shows that they were made before a stage's end.
//
// # What the keys' security rests on
//
// On one honest contributor in each stage, for each part that the key stands on: one who drew at random and forgot. It is not meant to rest on the closing values
// being random. Kohlweiss, Maller, Siim and Volkhov (Snarky Ceremonies, ASIACRYPT 2021) prove a ceremony for Groth16's keys secure without a random
// beacon: in their model each phase must have an honest contribution, and an adversary who sees everything contributes before and after it, and ends the phase where it
// likes. They do so in the algebraic group model with a random oracle, for a protocol that simplifies the one of Bowe, Gabizon and Miers, which
// the library follows.
//
// What that means for closing values is a conclusion from the theorem and not a sentence of it. Applying one multiplies the secrets by factors that everybody can
// compute from it, as a last contributor could who then shows what it drew. So a closing value that somebody could choose or foresee gives nobody more than that
// adversary has. And one that nobody could foresee does not replace an honest contributor, since factors that everybody knows hide nothing. What a closing value
// is good for is a mark in time: a stage that was closed with the hash of a block was closed after that block.
//
// Outside the theorem as it stands are these. The circuits' keys have, besides Groth16's, a secret for each commitment inside the circuit, which is
// contributed to in the same way with a proof of knowledge of its own. The SRS behind openings is for another scheme; its chain is like that of the powers of
// tau, with one secret. The proofs of a contribution are made for the state before with a digest of the contribution's place inside. And the library's
// protocol is Bowe, Gabizon and Miers', not its simplification word for word.
package transcript
