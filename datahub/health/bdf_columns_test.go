package health_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
)

func TestBDFRefused(t *testing.T) {
	long := strings.Repeat("1", 70_000)
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "line 1: the file is empty"},
		{"no current", "test_time_second,voltage_volt\n0,1\n", "required column current_ampere is missing"},
		{"milliamperes", "test_time_second,voltage_volt,current_milliampere\n", `"current_milliampere" has another unit`},
		{"label in mV", "Test Time / s,Voltage / mV,Current / A\n", `"Voltage / mV" has another unit`},
		{"label in ms", "Test Time / ms,Voltage / V,Current / A\n", `"Test Time / ms" has another unit`},
		{"label without unit", "Test Time / s,Voltage,Current / A\n", "required column voltage_volt is missing"},
		{"column twice", "Test Time / s,test_time_second,Voltage / V,Current / A\n", "columns 1 and 2 are both test_time_second"},
		{"long header", long, "longer than 65536 bytes"},
		{"long line", testHeader + "\n" + long + "\n", "line 2: the line is longer"},
		{"many columns", strings.Repeat("a,", 300) + "b\n", "301 columns, at most 256"},
		{"quote in the header", `"test_time_second` + "\n", "the quotes do not match"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := health.Import(context.Background(), strings.NewReader(test.text), bdf())
			var format *health.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want a format error with %q", err, test.want)
			}
			if len(result.Cells) != 0 {
				t.Errorf("%d cells beside an error", len(result.Cells))
			}
		})
	}
}

// The two ways to name columns, a byte order mark and the line ends of Windows all read alike.
func TestBDFHeaders(t *testing.T) {
	plain := newTestFile().String()
	labels := strings.Replace(plain, testHeader, `"Test Time / s",Voltage / V,Current / A,Temperature T1 / degC`, 1)
	for name, text := range map[string]string{
		"labels":                  labels,
		"degrees":                 strings.Replace(labels, "degC", "°C", 1),
		"byte order mark":         "\ufeff" + plain,
		"carriage returns":        strings.ReplaceAll(plain, "\n", "\r\n"),
		"no end of the last line": strings.TrimSuffix(plain, "\n"),
		"empty line at the end":   plain + "\n",
		"spaces":                  strings.ReplaceAll(plain, ",", " , "),
	} {
		t.Run(name, func(t *testing.T) {
			result := importText(t, text, bdf())
			if len(result.Cells) != 1 || result.Cells[0].Record != cleanRecord || len(result.Issues) != 0 {
				t.Errorf("got %+v, want the clean record", result)
			}
		})
	}
}

func TestBDFColumnReport(t *testing.T) {
	f := newTestFile()
	f.header = "test_time_second,voltage_volt,current_ampere,Temperature / degC"
	f.header += ",step_index,Power / kW,Weather"
	for i := range f.rows {
		f.rows[i] += ",1,2,sunny"
	}
	result := importText(t, f.String(), bdf())
	want := []found{
		{1, "Temperature / degC", health.Noted, health.OldColumn},
		{1, "step_index", health.Noted, health.OldColumn},
		{1, "Power / kW", health.Excluded, health.WrongUnit},
		{1, "Weather", health.Noted, health.UnknownColumn},
	}
	if diff := cmp.Diff(want, findings(result.Issues)); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
	if len(result.Cells) != 1 || result.Cells[0].Record != cleanRecord {
		t.Errorf("got %+v, want the clean record", result.Cells)
	}
}
