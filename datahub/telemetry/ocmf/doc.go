// Package ocmf reads and verifies records of the Open Charge Metering Format 1.0 to 1.4, with which a charging pile's meter says,
// signed, what it delivered:
//
//	OCMF|{payload}|{signature}
//
// # What it promises
//
// A Record keeps the bytes that it was parsed from, and the signature is checked over exactly those between the pipes: nothing is
// ever written anew. The payload's end is found by reading JSON, since a text in it may hold a pipe. A number stays the text that it
// was written as and becomes an integer without rounding, or not at all.
//
// Only what is no record is an error: a wrong header, a section that is missing or too many (a fourth was once the public key), a
// section that is not one JSON object by RFC 8259, or one of the bounds MaxRecord, MaxMembers and MaxReadings. Whatever is wrong
// with a field's value is reported in Record.Issues and costs that value only. Neither errors nor issues say a value.
//
// In a reading, a key that is left out has the value of the reading before. RV and CL have it only while RI is left out too: a
// reading that names a register anew without a value reports an event, and the other register's value would be an invented one.
//
// # Signatures
//
// All seven algorithms of the format are verified: secp256r1 and secp384r1 by the standard library, secp256k1 by decred's library,
// secp192k1, brainpool256r1 and brainpool384r1 by Proton's, and secp192r1 by the standard library's general arithmetic. The last
// four take 4 to 12 ms each, and are refused where FIPS 140-3 mode forbids them, as is secp256k1. A 192-bit curve
// is as strong as a 96-bit key, which is little. Record.Verify takes DER with long or unsigned forms, and bare r‖s.
//
// Whoever sees a signature can make a second valid one for the same bytes. So records are told apart by Record.Digest, which is over
// the signed bytes, and never by signature: the twin is a repeat to a Counter, not a second record.
//
// # What it does not promise
//
// A valid signature says that the key's holder signed; it does not say that the key belongs to the meter, nor that no record is
// missing, which is a Counter's to find. Billable applies the format's rules, not a country's law or a tariff.
package ocmf
