// Package telemetry is what devices say about themselves, in one model whatever format it came in. The formats are in the
// packages below: frame is Assay's own signed frame, which also carries the others; gbt32960 the national standard of Chinese
// vehicles; ocpp and ocmf are for charging piles.
//
// Values are integers of the unit in their name, as in package health; a value that was not sent, or sent as invalid, is not Known.
package telemetry
