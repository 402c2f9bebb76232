package datahub_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
)

// chunk is a full chunk of 64 as its owner receives it.
func chunk(t *testing.T) (*committest.Chunk, []datahub.Member, []datahub.Report) {
	t.Helper()
	c := committest.NewChunk(64, commit.Ed25519)
	var members []datahub.Member
	var reports []datahub.Report
	for s, d := range c.Devices {
		members = append(members, datahub.Member{Slot: uint32(s), Key: d.Public, Secret: d.Secret})
		reports = append(reports, datahub.Report{Slot: uint32(s), Record: c.Records[s], Attestation: c.Attestations[s]})
	}
	return c, members, reports
}

func closeChunk(c *committest.Chunk, members []datahub.Member, reports []datahub.Report) (*datahub.Closed, error) {
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		return nil, err
	}
	return datahub.CloseChunk(c.SRS, schema, c.Place, members, reports)
}

// report is what slot 5's device would report of another record.
func report(t *testing.T, c *committest.Chunk, rec record.Record) datahub.Report {
	t.Helper()
	d := c.Devices[5]
	a, err := commit.Attest(c.SRS, c.Place.At(5), rec, d.Secret, d.Key)
	if err != nil {
		t.Fatal(err)
	}
	return datahub.Report{Slot: 5, Record: rec, Attestation: a.Marshal()}
}

func TestCloseChunk(t *testing.T) {
	c, members, reports := chunk(t)
	slices.Reverse(members) // in any order
	slices.Reverse(reports)
	closed, err := closeChunk(c, members, reports)
	if err != nil {
		t.Fatal(err)
	}
	if closed.Checked.Attested != 64 || len(closed.Absent) != 0 || !closed.Commitment.Equal(&c.Commitment) {
		t.Errorf("attested %d, absent %v", closed.Checked.Attested, closed.Absent)
	}
	own, err := closed.Chunk.Commitment(c.SRS)
	if err != nil || !own.Equal(&c.Commitment) {
		t.Errorf("the chunk does not open its commitment: %v", err)
	}
	a := closed.Anchor()
	if a.Attested != 64 || a.Root != closed.Checked.Root || len(a.Commitment) != commit.PointBytes {
		t.Errorf("anchor is %+v", a)
	}
}

// In each case the device of slot 5 is absent for the reason, and the chunk closes with the other 63.
func TestOneBadReportBlocksNoChunk(t *testing.T) {
	c, members, reports := chunk(t)
	lower := c.Records[5]
	lower[1]--
	outside := c.Records[5]
	outside[1] = 15_001
	without := slices.Delete(slices.Clone(reports), 5, 6)
	wrongSignature := slices.Clone(reports[5].Attestation)
	wrongSignature[len(wrongSignature)-1] ^= 1
	for name, test := range map[string]struct {
		reports []datahub.Report
		reason  string
	}{
		"no report":                     {nil, "did not report"},
		"record of another attestation": {[]datahub.Report{{Slot: 5, Record: lower, Attestation: reports[5].Attestation}}, "does not open"},
		"record outside the schema":     {[]datahub.Report{report(t, c, outside)}, "state_of_health"},
		"garbage":                       {[]datahub.Report{{Slot: 5, Record: lower, Attestation: []byte{1, 2}}}, "attestation"},
		"wrong signature":               {[]datahub.Report{{Slot: 5, Record: c.Records[5], Attestation: wrongSignature}}, "signature"},
		"two records":                   {[]datahub.Report{reports[5], report(t, c, lower)}, "two different records"},
		"two that do not check":         {[]datahub.Report{{Slot: 5, Attestation: []byte{1}}, {Slot: 5, Attestation: []byte{2}}}, "attestation"},
	} {
		t.Run(name, func(t *testing.T) {
			closed, err := closeChunk(c, members, append(slices.Clone(without), test.reports...))
			if err != nil {
				t.Fatal(err)
			}
			if closed.Checked.Attested != 63 || closed.Checked.Has(5) || len(closed.Absent) != 1 ||
				closed.Absent[0].Slot != 5 || !strings.Contains(closed.Absent[0].Reason, test.reason) {
				t.Errorf("attested %d, absent %+v, want slot 5 for %q", closed.Checked.Attested, closed.Absent, test.reason)
			}
			if !closed.Chunk.Records[5].Absent() || !closed.Chunk.R[5].IsZero() {
				t.Error("the absent slot is not empty")
			}
		})
	}
}

// What stands beside a device's own report does not harm it.
func TestJunkBesideAReportIsIgnored(t *testing.T) {
	c, members, reports := chunk(t)
	for name, beside := range map[string]datahub.Report{
		"the same again": reports[5],
		"garbage":        {Slot: 5, Attestation: []byte{1}},
		"another slot's": {Slot: 5, Record: c.Records[6], Attestation: c.Attestations[6]},
	} {
		closed, err := closeChunk(c, members, append([]datahub.Report{beside}, reports...))
		if err != nil || closed.Checked.Attested != 64 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCloseChunkOfNobody(t *testing.T) {
	c, members, _ := chunk(t)
	if _, err := closeChunk(c, members, nil); err == nil || !strings.Contains(err.Error(), "none of 64 devices") {
		t.Errorf("got %v", err)
	}
	members[0].Slot = 64
	if _, err := closeChunk(c, members, nil); err == nil || !strings.Contains(err.Error(), "slot 64") {
		t.Errorf("got %v", err)
	}
}
