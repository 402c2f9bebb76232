// Package verdict checks a bundle against a regulator's export of the ledger and says what came of it in words that need no knowledge of the protocol, as text, JSON and a page to print.
// It is all that the program assay-verify and its page do: the program reads files and prints, the page reads files and shows.
//
// # What a verdict says
//
// [Check] takes the bytes of two files, which may come from anybody, and always returns a [Verdict]. Its outcome is one of three. [Holds]: the bundle is a proof, it answers a request on the
// ledger, and every claim holds. [ClaimsFail]: the same, but a claim does not hold. [NotValid]: it proves nothing, with the reason in words and the reason's name.
//
// It checks the export in itself (its signature by a regulator of the genesis in it, the ledger id, every key's digest), compares the ledger id with one from elsewhere if there is one, and
// checks the bundle as zk/verify says. A statement that nobody put on the ledger as a request, or one whose request came to nothing, is refused: a sound proof of a question that its maker
// chose shows little.
//
// # What it does not say
//
// That the ledger is the right one, unless an id was given to compare with. That the export is recent. That devices measured rightly. Nor does it replay the ceremony that made the keys. A
// [Document] says each of these, where it applies, beside the verdict.
//
// Neither reads a clock, a file or the network. A verdict and its renderings hold nothing that is not in the two files, except the time that the caller gives; whatever could steer a terminal
// or a page is taken out of texts.
package verdict
