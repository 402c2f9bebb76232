package statement

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-net/assay/zk/record"
)

// Text prints the statement in words. It is for reading; the digest is over
// the canonical JSON.
func (s *Statement) Text() string {
	var b strings.Builder
	schema, err := record.Lookup(s.Schema)
	if err != nil {
		return fmt.Sprintf("a statement over an unknown schema %q\n", s.Schema)
	}
	fmt.Fprintf(&b, "Asked by    %s, for: %s\n", s.Requester, s.Purpose)
	if s.Grant != "" {
		fmt.Fprintf(&b, "Grant       %s\n", s.Grant)
	}
	fmt.Fprintf(&b, "About       fleet %s at epoch %d (%s)\n", s.Fleet, s.Epoch, s.Schema)
	fmt.Fprintf(&b, "Cohort      %s\n", s.cohortText(schema))
	for _, line := range s.valuationText(schema) {
		b.WriteString(line)
	}
	for i := range s.Claims {
		fmt.Fprintf(&b, "Claim %d     %s\n", i+1, s.Claims[i].String())
	}
	disclose := "the population only"
	if len(s.Disclose) > 0 {
		disclose = "population, " + strings.Join(s.Disclose, ", ")
	}
	fmt.Fprintf(&b, "Disclosed   %s\n", disclose)
	fmt.Fprintf(&b, "Coverage    at least %s %% of enrolled devices must have reported\n", s.MinimumCoverage)
	if len(s.KeyClasses) > 0 {
		fmt.Fprintf(&b, "Device keys in %s only\n", strings.Join(s.KeyClasses, " or "))
	}
	fmt.Fprintf(&b, "Valid until %s\n", s.Expiry.Format(time.RFC3339))
	return b.String()
}

func (s *Statement) cohortText(schema *record.Schema) string {
	if len(s.Cohort) == 0 {
		return "every device that reported"
	}
	parts := make([]string, len(s.Cohort))
	for i, r := range s.Cohort {
		j, _ := schema.LaneIndex(r.Lane)
		unit := schema.Lanes[j].Unit
		switch {
		case r.Min != "" && r.Max != "":
			parts[i] = fmt.Sprintf("%s from %s to %s %s", r.Lane, r.Min, r.Max, unit)
		case r.Min != "":
			parts[i] = fmt.Sprintf("%s at least %s %s", r.Lane, r.Min, unit)
		default:
			parts[i] = fmt.Sprintf("%s at most %s %s", r.Lane, r.Max, unit)
		}
	}
	return strings.Join(parts, "; ")
}

func (s *Statement) valuationText(schema *record.Schema) []string {
	if s.Valuation == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("Value       %s %s for each device", s.Valuation.Price, s.Valuation.Currency)}
	if len(s.Valuation.Curves) == 0 {
		lines[0] += "\n"
		return lines
	}
	lines[0] += " (a device that a factor makes 0 is left out of the value), times\n"
	for _, c := range s.Valuation.Curves {
		j, _ := schema.LaneIndex(c.Lane)
		points := make([]string, len(c.Knots))
		for i, k := range c.Knots {
			points[i] = fmt.Sprintf("%s → %s", k.At, k.Factor)
		}
		lines = append(lines, fmt.Sprintf("            a factor by %s (%s): %s\n", c.Lane, schema.Lanes[j].Unit, strings.Join(points, ", ")))
	}
	return lines
}
