package ledgertest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// grantOf is the grant of this run that an organisation asks under.
func (n *names) grantOf(org string) string { return "of-" + n.run + "-" + org }

// text is a policy text that is this run's alone.
func (n *names) text(rule string) []byte { return []byte("// run " + n.run + "\n" + rule) }

// Policies of a run.
const (
	permit  = "@id(\"anything\")\npermit (principal, action, resource);\n"
	forbid  = "@id(\"closed\")\nforbid (principal, action, resource);\n"
	persons = "@id(\"persons\")\n@approval(\"person\")\npermit (principal, action, resource);\n"
)

func digestOf(text []byte) commit.Digest { return sha256.Sum256(text) }

// terms are of a grant to an organisation that covers what statements of the run ask about its fleets.
func (s *suite) terms(id, grantee string, change func(*policy.Terms)) policy.Terms {
	t := contracttest.Terms(s.fleet, s.closed)
	t.ID, t.Grantee, t.Policy = id, grantee, digestOf(s.text(permit)).String()
	// The run's fleets are small.
	t.MinimumCohort = 2
	if change != nil {
		change(&t)
	}
	t.Sort()
	return t
}

// publishes puts a policy text of the owner's in force.
func (s *suite) publishes(t *testing.T, rule string) {
	t.Helper()
	text := s.text(rule)
	digest, r, err := s.as(s.owner).PublishPolicy(s.ctx, text)
	if err != nil {
		t.Fatal(err)
	}
	got := must[ledger.PolicyRecord](t)(s.as(s.financier).Policy(s.ctx, s.owner, nil))
	want := ledger.PolicyRecord{Owner: s.owner, Digest: digestOf(text), Text: text, Version: got.Version, Time: got.Time, TxID: r.TxID}
	if diff := cmp.Diff(want, got); diff != "" || digest != want.Digest {
		t.Errorf("the policy in force: %s", diff)
	}
}

// grants has the owner publish a policy and make the grants under which the run asks.
func (s *suite) grants(t *testing.T) {
	s.policyRefusals(t).must(t)
	s.publishes(t, permit)
	checks{{"publishing what is in force", func() error {
		return s.refused(ledger.Conflict, s.publishCall(s.owner, s.text(permit)))
	}}}.must(t)
	s.grantRefusals().must(t)
	for _, org := range []string{s.financier, s.regulator} {
		terms := s.terms(s.grantOf(org), org, nil)
		r := s.mustSubmit(t, call{by: s.owner, function: ledger.FnGrant, args: ledger.Grant{Terms: terms}})
		got := result[ledger.GrantRecord](t, r)
		if diff := cmp.Diff(ledger.GrantRecord{Owner: s.owner, Terms: terms, Time: got.Time, TxID: r.TxID}, got); diff != "" {
			t.Error(diff)
		}
		e := must[ledger.GrantEntry](t)(s.as(org).GrantEntry(s.ctx, s.owner, terms.ID))
		if diff := cmp.Diff(ledger.GrantEntry{Grant: got, Status: ledger.GrantActive}, e); diff != "" {
			t.Error(diff)
		}
	}
	checks{{"the same grant again", func() error {
		return s.refused(ledger.Conflict, s.grantCall(s.owner, s.terms(s.grantOf(s.financier), s.financier, nil)))
	}}}.must(t)
	s.listsGrants(t)
	s.publishesNodes(t)
}

func (s *suite) publishCall(by string, text []byte) call {
	return call{by: by, function: ledger.FnPublishPolicy, args: ledger.PublishPolicy{Text: text}}
}

func (s *suite) grantCall(by string, terms policy.Terms) call {
	return call{by: by, function: ledger.FnGrant, args: ledger.Grant{Terms: terms}}
}

func (s *suite) policyRefusals(*testing.T) (c checks) {
	for _, org := range s.withoutRole(ledger.RoleOwner) {
		c.add(org+" is no owner", func() error { return s.refused(ledger.Forbidden, s.publishCall(org, s.text(permit))) })
	}
	for name, text := range map[string]string{
		"nothing": "", "no id": "permit (principal, action, resource);", "garbage": "@id(\"a\") permit (", "unknown attribute": "@id(\"a\") permit (principal, action, resource) when { context.weather };",
	} {
		c.add("policy: "+name, func() error { return s.refused(ledger.Invalid, s.publishCall(s.owner, []byte(text))) })
	}
	c.add("a policy that nobody published", func() error {
		return s.queryRefused(ledger.NotFound, s.financier, ledger.QueryPolicy, ledger.PolicyRef{Owner: s.owner, Digest: &commit.Digest{1}})
	})
	c.add("policies of nobody", func() error {
		return s.queryRefused(ledger.NotFound, s.financier, ledger.QueryPolicies, ledger.PoliciesOf{Owner: "nobody-" + s.run})
	})
	return c
}

func (s *suite) grantRefusals() (c checks) {
	add := func(name string, code ledger.Code, by string, change func(*policy.Terms)) {
		c.add(name, func() error { return s.refused(code, s.grantCall(by, s.terms("refused-"+s.run, s.financier, change))) })
	}
	same := func(*policy.Terms) {}
	for _, org := range s.but(s.owner) {
		add(org+" does not own the fleet", ledger.Forbidden, org, same)
	}
	add("no such fleet", ledger.NotFound, s.owner, func(t *policy.Terms) { t.Fleets = []string{"none-" + s.run} })
	add("a grantee that is not there", ledger.NotFound, s.owner, func(t *policy.Terms) { t.Grantee = "nobody-" + s.run })
	add("a policy that is not published", ledger.NotFound, s.owner, func(t *policy.Terms) { t.Policy = digestOf(s.text(forbid)).String() })
	add("over before it begins", ledger.Expired, s.owner, func(t *policy.Terms) { t.NotAfter = 1 })
	add("no cohort is too small", ledger.Invalid, s.owner, func(t *policy.Terms) { t.MinimumCohort = 0 })
	add("an id with a separator", ledger.Invalid, s.owner, func(t *policy.Terms) { t.ID = "a/b" })
	add("an owner as grantee", ledger.Invalid, s.owner, func(t *policy.Terms) { t.Grantee = s.owner })
	for _, org := range s.but(s.owner) {
		code := ledger.NotFound // it has made no such grant
		if !s.Genesis.HasRole(org, ledger.RoleOwner) {
			code = ledger.Forbidden
		}
		c.add(org+" revokes another's grant", func() error {
			return s.refused(code, call{by: org, function: ledger.FnRevoke, args: ledger.Revoke{Grant: s.grantOf(s.financier), Reason: "mine"}})
		})
	}
	c.add("revoking what is not there", func() error {
		return s.refused(ledger.NotFound, call{by: s.owner, function: ledger.FnRevoke, args: ledger.Revoke{Grant: "none-" + s.run, Reason: "no"}})
	})
	c.add("a grant that is not there", func() error {
		return s.queryRefused(ledger.NotFound, s.financier, ledger.QueryGrant, ledger.GrantRef{Owner: s.owner, Grant: "none-" + s.run})
	})
	return c
}

// listsGrants pages through the grants in ways that must come to the same.
func (s *suite) listsGrants(t *testing.T) {
	for _, q := range []ledger.GrantsQuery{{Limit: 1}, {Owner: s.owner}, {Grantee: s.financier, Limit: 2}} {
		var found []string
		for _, e := range must[[]ledger.GrantEntry](t)(s.as(s.regulator).Grants(s.ctx, q)) {
			found = append(found, e.Grant.Owner+"/"+e.Grant.Terms.ID)
			if q.Grantee != "" && e.Grant.Terms.Grantee != q.Grantee {
				t.Errorf("%+v lists a grant to %s", q, e.Grant.Terms.Grantee)
			}
		}
		if !slices.IsSorted(found) || !slices.Contains(found, s.owner+"/"+s.grantOf(s.financier)) {
			t.Errorf("%+v lists %v", q, found)
		}
	}
	var c checks
	for name, q := range map[string]ledger.GrantsQuery{"limit": {Limit: ledger.MaxPage + 1}, "less than nothing": {Limit: -1}, "position": {After: "a/b/c"}, "control": {After: "\x00"}} {
		c.add("a page: "+name, func() error { return s.queryRefused(ledger.Invalid, s.owner, ledger.QueryGrants, q) })
	}
	c.must(t)
}

// publishesNodes says where nodes are.
func (s *suite) publishesNodes(t *testing.T) {
	ca := contracttest.NewMaker("node-" + s.run)
	leaf := ca.Certify(ca.ID, "x", commit.Module, committest.NewDevice(commit.P256).Key.Public())
	by := func(org, url string, certificate []byte) call {
		args := ca.Node(s.Genesis.ID(), org, url)
		args.Certificate = certificate
		return call{by: org, function: ledger.FnPublishNode, args: args}
	}
	const url = "https://node.example:8443"
	var c checks
	for _, bad := range []string{"", "http://node.example", "https://", "https://a@node.example", "https://node.example/?a", "https://node.example#a", "https://NODE.example/%7e a", "node.example"} {
		c.add(fmt.Sprintf("url %q", bad), func() error { return s.refused(ledger.Invalid, by(s.owner, bad, ca.Cert.Raw)) })
	}
	for name, bad := range map[string][]byte{"none": nil, "of a device": leaf, "garbage": []byte("certificate"), "too long": make([]byte, ledger.MaxNodeCertificate+1)} {
		c.add("certificate: "+name, func() error { return s.refused(ledger.Invalid, by(s.owner, url, bad)) })
	}
	stolen := by(s.owner, url, ca.Cert.Raw)
	stolen.by = s.regulator
	c.add("another's CA, as its endorsers see it", func() error { return s.refused(ledger.Invalid, stolen) })
	c.must(t)
	r := s.mustSubmit(t, by(s.owner, url, ca.Cert.Raw))
	want := ledger.NodeRecord{Organisation: s.owner, URL: url, Certificate: ca.Cert.Raw, Time: result[ledger.NodeRecord](t, r).Time, TxID: r.TxID}
	nodes := must[[]ledger.NodeRecord](t)(s.as(s.financier).Nodes(s.ctx))
	i := slices.IndexFunc(nodes, func(n ledger.NodeRecord) bool { return n.Organisation == s.owner })
	if i < 0 {
		t.Fatalf("the owner's node is not among %+v", nodes)
	}
	if diff := cmp.Diff(want, nodes[i]); diff != "" {
		t.Error(diff)
	}
	checks{
		{"another's CA", func() error { return s.refused(ledger.Conflict, by(s.regulator, url, ca.Cert.Raw)) }},
		{"another place", func() error { return s.done(by(s.owner, url+"/api", ca.Cert.Raw)) }},
	}.must(t)
}
