// Package assayv1 is the interface of a node, generated from datahub/api/proto by `make proto`: messages, gRPC services, and a REST gateway over them. Only this
// file, openapi.go and changes.go are written by hand.
//
// Bounds on fields are annotations in the descriptors; the server holds every message to them. Within the version, fields and methods are added and never
// changed or taken away, to which `make lint` holds the sources by comparing them with the image of the last release.
package assayv1
