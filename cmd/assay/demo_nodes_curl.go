package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// writeCurl writes the same by curl: a shell script, and the bodies that it sends.
func (d *nodesDemo) writeCurl() (string, error) {
	if err := os.MkdirAll(d.at("curl"), 0o755); err != nil {
		return "", err
	}
	bodies, err := d.curlBodies()
	if err != nil {
		return "", err
	}
	for name, body := range bodies {
		if err := os.WriteFile(d.at("curl", name), body, 0o644); err != nil {
			return "", err
		}
	}
	o, l, r := d.nodes[playsOwner], d.nodes[playsLender], d.nodes[playsRegulator]
	script := strings.NewReplacer("{self}", d.self, "{owner}", o.organisation, "{rest_owner}", o.rest, "{rest_lender}", l.rest, "{rest_regulator}", r.rest).Replace(curlScript)
	path := d.at("curl.sh")
	return path, os.WriteFile(path, []byte(script), 0o755)
}

// curlBodies are what is posted. GRANT in them is replaced by a grant's name, so that the script can be run again and again.
func (d *nodesDemo) curlBodies() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, name := range []string{"statement.json", "outside.json"} {
		b, err := os.ReadFile(d.at(name))
		if err != nil {
			return nil, err
		}
		statement := strings.Replace(string(b), fmt.Sprintf("%q", nodesGrant), `"GRANT"`, 1)
		if out[name], err = json.Marshal(map[string]string{"statement": statement}); err != nil {
			return nil, err
		}
	}
	var terms map[string]json.RawMessage
	b, err := os.ReadFile(d.at("terms.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &terms); err != nil {
		return nil, err
	}
	terms["id"] = json.RawMessage(`"GRANT"`)
	if out["terms.json"], err = json.MarshalIndent(terms, "", "  "); err != nil {
		return nil, err
	}
	out["policy.json"], err = json.Marshal(map[string]string{"text": nodesPolicy})
	return out, err
}

const curlScript = `#!/bin/sh
# What the demonstration plays, by curl, while the network and the three nodes run. Each party has a token of its own node's issuer and knows
# its node by the CA in its data folder.
set -eu
cd "$(dirname "$0")"
ASSAY=${ASSAY:-{self}}

token() { "$ASSAY" token --config "$1.yaml" --subject "curl" --role "$2"; }
OWNER=$(token owner administrator)
LENDER=$(token lender operator)
REGULATOR=$(token regulator auditor)

call() { # WHO TOKEN https://ADDRESS/PATH, then what curl takes
  who=$1; token=$2; url=$3; shift 3
  echo "$who: $url" >&2
  curl -sS --fail-with-body --cacert "$who/api/ca.pem" -H "Authorization: Bearer $token" -H "Content-Type: application/json" "$@" "$url"
  echo
}
owner() { path=$1; shift; call owner "$OWNER" "https://{rest_owner}$path" "$@"; }
lender() { path=$1; shift; call lender "$LENDER" "https://{rest_lender}$path" "$@"; }
regulator() { path=$1; shift; call regulator "$REGULATOR" "https://{rest_regulator}$path" "$@"; }
id() { grep -o '"id": *"[0-9a-f]\{64\}"' | head -n 1 | cut -d '"' -f 4; }
body() { sed "s/GRANT/$GRANT/" "curl/$1"; }
GRANT=curl-$(date +%s)

# The owner publishes a policy, and grants the lender answers.
owner /v1/policies -d @curl/policy.json
body terms.json | owner /v1/grants -d @-

# The lender's request within the grant is proven and verified: each step is a line as it comes.
WITHIN=$(body statement.json | lender /v1/requests -H "Idempotency-Key: $GRANT-1" -d @- | id)
lender "/v1/requests/$WITHIN:watch" -N
lender "/v1/proofs/$WITHIN"

# One outside it is refused, with the reasons.
OUTSIDE=$(body outside.json | lender /v1/requests -H "Idempotency-Key: $GRANT-2" -d @- | id)
lender "/v1/requests/$OUTSIDE:watch" -N

# Revocation stops the next.
owner "/v1/grants/$GRANT:revoke" -d '{"reason": "the loan was repaid"}'
AFTER=$(body statement.json | lender /v1/requests -H "Idempotency-Key: $GRANT-3" -d @- | id)
lender "/v1/requests/$AFTER:watch" -N

# The regulator sees all of it.
regulator "/v1/grants/{owner}/$GRANT"
for r in "$WITHIN" "$OUTSIDE" "$AFTER"; do regulator "/v1/requests/$r"; done
regulator /v1/audit/entries
regulator /v1/audit/alerts
`
