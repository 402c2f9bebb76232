// Package ocpp reads what a charging station says about its meters in OCPP 2.0.1: TransactionEvent and MeterValues requests, bare or as
// RPC calls
//
//	[2,"message id","MeterValues",{…}]
//
// lorenzodonini/ocpp-go is not used, because it reads a meter's value as float64, refuses a negative multiplier, an empty
// signingMethod and an empty publicKey, which are right, and takes the measurand Temperature, which is not one.
//
// # What it promises
//
// A message is held against the JSON schema of OCPP 2.0.1 FINAL: every required field, type, length and enumeration, and no field that
// is not in it, but for what stands in customData. Beyond the schema, ids and sequence numbers are not negative, as its descriptions
// say. Text is bounded before it is decoded (MaxMessage, MaxMeterValues, MaxSamples, MaxSigned), a name may not be there twice, and a Message keeps its
// bytes. Values stay the decimal text that they are; a register finer than 1 mWh is rounded to it, and an issue says so, since stations
// compute with floating point; a meter's signed value is never rounded.
//
// Where a sampled value carries an OCMF record, the record's reading takes its place, whatever the unsigned value says. A record whose
// signature is not valid takes the unsigned value with it. Options says which keys count.
//
// # Meterings
//
// A metering's Meter is the EVSE, "evse/1", whether its value is signed or not, so that one register has one name. The station's main
// meter (EVSE 0) measures no vehicle and is left out, as are values per phase and those not measured at the outlet or the cable. Only
// the import register, active power and the state of charge have a place in the model; other measurands are passed over.
//
// Stations name the EVSE in a transaction's first event, and may leave it out later; events come late, when they happened offline; and
// registers may be reset. So decode with a Station, which remembers a pile's running transactions. Meterings, which remembers nothing,
// leaves the register out where the EVSE is not named: under another name it would be counted a second time.
//
// # What it does not promise
//
// It is no central system: it answers nothing, and knows no other message. Who sent a message is not its business.
package ocpp
