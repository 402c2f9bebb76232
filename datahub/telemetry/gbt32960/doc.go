// Package gbt32960 reads and writes GB/T 32960.3, the protocol in which vehicles report to platforms in China, in the
// editions of 2016 (frames start with 23 23) and 2025 (24 24). Types of blocks changed their meaning between the editions,
// so everything is read by the start bytes of its own frame.
//
// A Reader cuts frames out of a byte stream. Decode and Frame.Encode are for one frame, Frame.Unit and NewFrame for what is
// inside it. Readings, a Joiner and Upload turn reports into the shared model of package telemetry, Reports does the
// reverse, for gateways and simulators.
//
// # Promises
//
//   - What is accepted is written back byte for byte: Frame.Encode after Decode, EncodeUnit after Frame.Unit. Structures hold
//     the raw integers; methods give physical values, as exact integers of the unit in their name, with their Validity.
//   - No length or count of the sender's makes room for more than the bytes that really came.
//   - Of a report nothing is dropped: blocks that cannot be told apart any more are kept as Report.Rest.
//   - Errors and issues name fields, lengths and counts, never values or identities.
//
// # What it does not promise
//
//   - The check byte is one XOR: one false start in 256 passes it. It is no protection against anyone.
//   - An encrypted unit is not opened. It is kept as it came, as an Opaque unit, and Readings says so. The standard does not
//     state whether a signature is made before or after encryption, so nothing is guessed about signatures in them.
//   - Private blocks (80 to FE) are kept as bytes. Some vehicles send them without the length that the standard asks for. Blocks
//     behind a private block therefore count for readings only if the whole report could be read to its end.
//   - A block of an unknown type has no length: it and all that follows is Rest, and a signature among it is not found.
//   - Readings do not verify signatures; a caller who has the vehicle's key calls Signature.Verify.
//   - The blocks for fuel cell stacks, supercapacitors and hydrogen of 2025 rest on a single public implementation.
//
// # Signs, clocks, sentinels
//
// The standard does not say what the sign of a current means. Frames from the field are positive while the battery
// discharges; the methods of blocks keep that (DischargeMicroA), readings have it turned round: positive charges. Times are UTC+8.
// All ones means invalid, one less abnormal; a count with one of these has no entries. A charge state, motor state or total voltage
// that contradicts the rest is common: no value is corrected, but a total voltage of 0 beside a live pack voltage gives way to it. A
// time has full seconds: readings of the same second become one.
package gbt32960
