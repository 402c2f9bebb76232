package query

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/assay-net/assay/zk/statement"
)

// Text prints the answer for people, a line for each figure. An answer may come from another node: what a terminal would obey is replaced.
func (a *Answer) Text() string {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		b.WriteString(strings.Map(printable, fmt.Sprintf("%-11s ", label)+fmt.Sprintf(format, args...)) + "\n")
	}
	line("Query", "%s", a.Query)
	line("Session", "%s", a.Session)
	line("About", "the fleets of %s at epoch %d (%s)", strings.Join(a.Owners, ", "), a.Epoch, a.Schema)
	line("Cohort", "%s, at least %d of each owner", cohortText(a.Cohort), a.MinimumCohort)
	for _, f := range a.Figures {
		f.print(line)
	}
	if a.Misfit != nil {
		line("Polynomial", "differs from the logistic function by up to %s within its interval, %s over all that a device can have", a.Misfit.Within, a.Misfit.Anywhere)
	}
	switch {
	case a.Epsilon == "":
		line("Noise", "none")
	case a.Delta == "":
		line("Noise", "of each owner, for epsilon %s", a.Epsilon)
	default:
		line("Noise", "of each owner, for epsilon %s and delta %s", a.Epsilon, a.Delta)
	}
	return b.String()
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

var labels = map[FigureKind]string{
	FigureCount: "Count", FigureSum: "Sum", FigureMean: "Mean", FigureVariance: "Variance", FigureHistogram: "Histogram", FigureScore: "Score", FigureDeviation: "Deviation",
}

func (f *Figure) print(line func(label, format string, args ...any)) {
	label, of := labels[f.Kind], ""
	if f.Of != "" {
		of = " of " + f.Of
	}
	if f.Kind == FigureHistogram {
		line(label, "%s in %s%s", strings.TrimPrefix(of, " "), f.Unit, f.doubt())
		for _, band := range f.Bands {
			line("", "%s", band.text())
		}
		return
	}
	value := f.Value
	if value == "" {
		value = "not defined: " + f.undefined()
	}
	line(label, "%s%s%s", strings.TrimSpace(value+" "+f.Unit), of, f.doubt())
}

// undefined is why there is no value.
func (f *Figure) undefined() string {
	switch {
	case f.Kind != FigureDeviation:
		return "there are no devices, by the noised count"
	case f.Noise != "":
		return "the variance is below zero, by the noised sums"
	}
	return "the variance is below zero, which is so of no devices"
}

// doubt is what is to be known beside a value. Nothing is exact that has noise.
func (f *Figure) doubt() string {
	exact, noise := ", exact to ", "with standard deviation"
	if f.Noise != "" {
		exact = ", and an error below "
	}
	if f.Kind == FigureScore || f.Kind == FigureDeviation {
		noise = "with a standard deviation of at most"
	}
	var out string
	if f.Noise != "" {
		out += fmt.Sprintf(", noise %s %s", noise, f.Noise)
	}
	if f.Error != "" {
		out += exact + f.Error
	}
	return out
}

func (b *Band) text() string {
	if b.Below == "" {
		return fmt.Sprintf("from %s: %s", b.From, b.Count)
	}
	return fmt.Sprintf("from %s to below %s: %s", b.From, b.Below, b.Count)
}

func cohortText(cohort []statement.Range) string {
	if len(cohort) == 0 {
		return "every device that reported"
	}
	parts := make([]string, len(cohort))
	for i, r := range cohort {
		parts[i] = r.Lane
		if r.Min != "" {
			parts[i] += " at least " + r.Min
		}
		if r.Min != "" && r.Max != "" {
			parts[i] += " and"
		}
		if r.Max != "" {
			parts[i] += " at most " + r.Max
		}
	}
	return strings.Join(parts, "; ")
}
