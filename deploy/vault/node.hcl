# What a node of Assay needs of Vault, and no more: see README.md. Change "transit", "secret" and "assay" where the node's configuration names
# other engines or another prefix.

# Wrapping keys: made when they are first used, and deleted when their period is shredded. Only these may be deleted; none may be made
# exportable or be backed up.
path "transit/encrypt/assay-wrap-*" {
  capabilities = ["create", "update"]
}
path "transit/decrypt/assay-wrap-*" {
  capabilities = ["update"]
}
path "transit/keys/assay-wrap-*" {
  capabilities = ["read", "update", "delete"]
  allowed_parameters = {
    "type"             = ["aes256-gcm96"]
    "deletion_allowed" = [true]
  }
}

# Derivation secrets: made once, never deleted.
path "transit/hmac/assay-derive-*" {
  capabilities = ["update"]
}
path "transit/keys/assay-derive-*" {
  capabilities = ["read", "update"]
  allowed_parameters = {
    "type"     = ["hmac"]
    "key_size" = ["32"]
  }
}

# The organisation's signing key: made once, never deleted.
path "transit/sign/assay-sign-*" {
  capabilities = ["update"]
}
path "transit/keys/assay-sign-*" {
  capabilities = ["read", "update"]
  allowed_parameters = {
    "type" = ["ed25519"]
  }
}

# Secret shares.
path "secret/data/assay/shares/*" {
  capabilities = ["create", "read", "update"]
}
path "secret/metadata/assay/shares/*" {
  capabilities = ["create", "read", "update"]
}

# Its own token.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
