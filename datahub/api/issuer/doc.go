// Package issuer is a small issuer of tokens, for a demonstration and for organisations that have no identity provider. It signs what package
// access verifies, and publishes its public keys the way OpenID Connect does, so that the verifier is the same as for any provider.
//
// # What it promises
//
// A token names one subject, one audience, its roles, when it was made and when it ends, at most an hour later, and carries an id of its own. It is
// signed with ECDSA on P-256 (ES256). The private keys are in one file of the issuer's folder, mode 0600, which is replaced as a whole; a file that
// others may read is refused. After [Issuer.Rotate] the former key is published until the last token that it signed has ended, and then dropped.
//
// # What it does not
//
// Nobody signs in here. There is no password form, no token endpoint and no refresh: whoever can read the folder on the node's machine can mint, by
// `assay token`, and nobody else can. A token cannot be taken back before it ends; [Issuer.Revoke] drops every key at once, and with them every
// token: at the node that it is part of within a few seconds, and a few more for streams, and elsewhere once the keys are fetched again, which may take ten minutes.
package issuer
