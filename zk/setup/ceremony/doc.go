// Package ceremony makes an SRS and Groth16 key pairs together with others, so that nobody can forge a proof unless every contributor kept what it drew.
//
// The mathematics is the library's: gnark-crypto's multi-party setup for the SRS, and gnark's two phases for the circuits (powers of tau, shared by
// all of them, and each circuit's own secrets, one of them for every commitment inside the circuit). The package adds what makes a ceremony of them:
// files, identities, order, closing values, a transcript (package transcript), and checks where the library has none.
//
// # How it goes
//
// A [transcript.Plan] says who may contribute, to which circuits (by the digests of their constraint systems), how many contributions every part needs, and by
// which rule the closing values will be found. Its digest is the ceremony's id. The ceremony is a folder. Nothing in it is secret; how it gets from
// one organisation to the next is theirs to choose.
//
// It has parts, each a chain of contributions: the SRS and the powers of tau in the first stage, the circuits in the second. [Ceremony.Contribute]
// verifies what was contributed to the open parts and adds one contribution to each. [Ceremony.Finalize] verifies the stage that is open and closes
// it with a [transcript.Beacon]. After the second stage it makes the keys, puts them where [setup.Finished] opens them, and leaves the transcript in the
// folder. That last step draws nothing: anybody who has the folder gets the same keys, byte for byte. [Ceremony.Verify] replays everything.
//
// # What it promises
//
// A contribution is bound to its place. The library hashes the state before into the challenge of the next proofs of knowledge; a state is given, instead
// of the challenge it was made with, a digest of plan, part, number, contributor and the whole chain before. So proofs that were made for
// another ceremony, another circuit, another place or another contributor do not verify, and no one can sign what somebody else contributed.
//
// Bytes are held against the exact layout of their part before the library reads them: lengths, compression, points at infinity. Nothing is
// allocated for a length in a file. What is refused has a [transcript.Fault].
//
// What a circuit's part begins with takes minutes to make. Whoever is first leaves it in the folder as 00.start. It is neither signed nor trusted: every call
// checks it against the closed powers of tau and the circuit, which takes seconds and lets a wrong one pass with probability 2^-128. Package evaluation
// has the argument. So Verify, too, reads it and still trusts nobody.
//
// Checked here because the library does not:
//   - lengths: its readers allocate what they read, and take a challenge that is cut short
//   - points at infinity, which make a secret 0 or leave a value without a basis
//   - a contribution of 1, or of what somebody else is committed to by
//   - one encoding: its readers also take uncompressed points
//   - a ceremony without contributors, whose secrets are the closing value's: every part needs two at least
//   - the closing value: not zero, not the same for both stages
//   - the SRS's generator, at infinity after its own reader: see [commit.NewSRS]
//   - a circuit that commits to a value in no constraint
//   - the domain: a circuit is put on as many powers as it needs and not on all
//
// # What it does not promise
//
// Files cannot show when they were made. That a closing value was unknown when the last contribution was made, and that it is the hash which the plan's
// rule leads to, is for the ledger to show: record contributions when they are made, and compare the value with the block. Nobody can see whether
// a contributor was honest, or that two of them are not one: the plan's keys are the organisations'.
//
// Drawn secrets stay in memory until the process ends; Go gives no way to wipe what the library keeps.
//
// A long step of the library cannot be interrupted in its middle. What is finished stays, so the call can be repeated.
//
// # Cost
//
// A contribution to the powers of tau has 192 bytes, to a circuit 60 to 90 bytes, for each place of the domain, that is the number of constraints
// rounded up to a power of two; a circuit's start has 32 bytes for each place and 160 for each wire. A body is read twice; at most two states are in memory,
// and one circuit's keys: 167 MB for the fleet's circuit with its 32,768 places, 1.1 GB for the 262,144 of chunks of 4,096. Making a start took 148 and 1,050
// processor seconds there, once; a contribution, with the start checked and one before it verified, 18 and 143. TestBenchTable measures it all.
package ceremony
