// Package verdict checks a bundle against a regulator's export of the ledger and says what came of it in words that need no knowledge of the protocol, as text, JSON and a page to print.
// It is what the program assay-verify does with a bundle, and all that its page does: the program reads files and prints, the page reads files and shows.
//
// # What a verdict says
//
// [Check] takes the bytes of the files, which may come from anybody, and always returns a [Verdict]. Its outcome is one of three. [Holds]: the bundle is a proof, it answers a request on the
// ledger, and every claim holds. [ClaimsFail]: the same, but a claim does not hold. [NotValid]: it proves nothing, with the reason in words and the reason's name.
//
// It checks the export in itself (its signature by a regulator of the genesis in it, the ledger id, every key's digest), compares the ledger id with one from elsewhere if there is one, and
// checks the bundle as zk/verify says. A statement that nobody put on the ledger as a request, or one whose request came to nothing, is refused: a sound proof of a question that its maker
// chose shows little.
//
// # Who made the keys
//
// With the transcript of a ceremony (package transcript) the verdict tells who contributed to the keys, and what that is worth. The transcript is checked in itself; its contributors must be organisations of the
// export's genesis with the keys that they have there; a closing value that is to be a block's hash must name a block of this ledger, no later than the export; and the keys of the proof must be those that the
// transcript names, for its constraint systems and its SRS. A transcript that is not so makes the bundle not valid, whatever the bundle is without it: whoever gives one wants it checked.
// Owners of fleets have proofs made about themselves: if nobody else contributed to a part, the answer is not good without that being said beside it.
//
// # What it does not say
//
// That the ledger is the right one, unless an id was given to compare with. That the export is recent. That devices measured rightly. That the keys come out of what was contributed: that is mathematics, which
// replaying the ceremony from its folder shows and no transcript does. Who endorsed the keys is in the ledger's block and not in an export; the verdict says whom the ledger asks for. A [Document] says each of
// these, where it applies, beside the verdict.
//
// Neither reads a clock, a file or the network. A verdict and its renderings hold nothing that is not in the files, except the time that the caller gives; whatever could steer a terminal
// or a page is taken out of texts.
package verdict
