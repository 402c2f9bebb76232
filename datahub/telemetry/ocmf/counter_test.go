package ocmf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func page(t *testing.T, page, meter, tariff string) *Record {
	t.Helper()
	return mustParse(t, fmt.Sprintf(`OCMF|{"PG":%q,"MS":%q,"TT":%q}|{"SD":"01"}`, page, meter, tariff))
}

func TestCounter(t *testing.T) {
	c := NewCounter()
	for i, test := range []struct {
		page, meter, tariff string
		want                Step
	}{
		{"T5", "M1", "", Step{First, 0}},
		{"T6", "M1", "", Step{Next, 0}},
		{"F6", "M1", "", Step{First, 0}}, // a counter for each letter
		{"T6", "M2", "", Step{First, 0}}, // and for each meter
		{"T9", "M1", "", Step{Gap, 2}},
		{"T9", "M1", "", Step{Repeat, 0}},
		{"T6", "M1", "", Step{Repeat, 0}},
		{"T9", "M1", "another", Step{Conflict, 0}},
		{"T6", "M1", "another", Step{Conflict, 0}},
		{"T10", "M1", "", Step{Next, 0}},
		{"T1", "M1", "", Step{Reset, 0}},
		{"T2", "M1", "", Step{Next, 0}},
		{"T5", "M1", "after the reset", Step{Gap, 2}},
		{"F7", "M1", "", Step{Next, 0}},
		{"T999999999999999999", "M1", "", Step{Gap, 999999999999999999 - 6}},
		{"X1", "M1", "", Step{Unnumbered, 0}},
		{"T-1", "M1", "", Step{Unnumbered, 0}},
		{"T9999999999999999999", "M1", "", Step{Unnumbered, 0}},
		{"T1", "", "", Step{Unnumbered, 0}},
		{"T1", strings.Repeat("M", MaxName+1), "", Step{Unnumbered, 0}},
	} {
		got, err := c.Add(page(t, test.page, test.meter, test.tariff))
		if got != test.want || err != nil {
			t.Errorf("step %d, %s of %s: %v %d, %v; want %v %d", i, test.page, test.meter, got.Continuity, got.Missing, err, test.want.Continuity, test.want.Missing)
		}
	}
}

func TestCounterGoesOnAfterARestart(t *testing.T) {
	c := NewCounter()
	for _, p := range []string{"T1", "T2", "F8"} {
		if _, err := c.Add(page(t, p, "M1", "")); err != nil {
			t.Fatal(err)
		}
	}
	again := NewCounter(c.Last()...)
	if d := cmp.Diff(c.Last(), again.Last()); d != "" || len(c.Last()) != 2 {
		t.Error(d)
	}
	for _, test := range []struct {
		page string
		want Continuity
	}{{"T2", Repeat}, {"T4", Gap}, {"F9", Next}} {
		if got, _ := again.Add(page(t, test.page, "M1", "")); got.Continuity != test.want {
			t.Errorf("%s: %s", test.page, got.Continuity)
		}
	}
}

func TestCounterIsBounded(t *testing.T) {
	c := NewCounter()
	for i := range MaxSeries {
		if _, err := c.Add(page(t, "T1", fmt.Sprint(i), "")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Add(page(t, "T1", "one more", "")); err == nil {
		t.Error("one more series was taken")
	}
	for i := range 3 * remembered {
		if _, err := c.Add(page(t, fmt.Sprintf("T%d", i+2), "0", "")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.series[seriesName{"0", 'T'}]); n != remembered {
		t.Error(n)
	}
}

func TestPageWithZerosInFront(t *testing.T) {
	r := page(t, "T007", "M1", "")
	if r.Page.Number != 7 || !hasIssue(r, "zeros in front") {
		t.Error(r.Page, r.Issues)
	}
}
