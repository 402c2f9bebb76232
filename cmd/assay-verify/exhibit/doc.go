// Package exhibit checks files of evidence (package evidence), and all blocks of a Fabric channel (package audit), and says what came of it in words that need no knowledge of the protocol, as text, JSON and a
// page to print. It is what 'assay-verify evidence' and 'assay-verify ledger' do.
//
// # What an exhibit shows
//
// [Check] takes the bytes of a file, which may come from anybody, and always returns an [Exhibit]. The file holds the ledger's own blocks, of an embedded ledger or of a Fabric channel, so that
// what was recorded, by whom and when, and who endorsed it, rests on nobody's word. Every line of it stands under one of three headings: what is shown, whose word it is, and what does not hold.
// If nothing is under the third, it is [Sound]. If the file holds a proof, the proof is verified, and the verdict is in it. The transcript of the ceremony that made the keys may be checked with it, as package
// verdict does.
//
// All that stands on the ledger's id and, for a Fabric channel, on its first block, which says who speaks for each organisation and which the id does not cover. Unless the caller names both, whoever handed over the
// file could have made up the blocks: then it may be sound, but its answer is not good, and it says whose word it is. The same goes for a channel's blocks, whose last block a regulator's export may name instead.
//
// # What a channel shows
//
// [CheckChannel] reads a file of blocks from the first and goes through them as package audit does, against the consortium's genesis, or against a regulator's export and up to the block that it names. The
// attestations behind anchors are not in blocks: an anchor is checked in its form, and counted. A channel on which an SRS is pinned needs that.
//
// # What it does not show
//
// What package evidence says of itself: above all, that nothing was left out. A [verdict.Document] says so.
//
// It reads no clock and no network, and no file but what it is given. It is not in the verifier's page: evidence takes the decision again, by the owner's policy, and reads Fabric's messages, which would double the page.
package exhibit
