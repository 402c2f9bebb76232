package policy

import "fmt"

// Outside says why an answer may not be given because of those that it leaves
// out: every verdict shows the population, so the counts of answered cohorts
// tell how many batteries lie in none of them. Were they few, a bound that
// moves by steps at which nothing is counted would find where each of them
// lies. Nothing when they are none or enough, when the count is hidden, and for
// the first cohort of an epoch: that three batteries are in poor health is what
// a lender may learn from a grant that shows the count, and no bound has moved.
func Outside(earlier []Answered, next Answered, population uint64) []string {
	if !next.Shown {
		return nil
	}
	if next.Count == nil {
		return []string{"the answer does not show the count of its cohort"}
	}
	answers := []Answered{next}
	for _, e := range settled(earlier) {
		if e.shows() {
			answers = append(answers, e)
		}
	}
	f, problem := forestOf(answers)
	if problem != "" {
		return []string{problem}
	}
	strictest, held := f.strictest(), make([]bool, len(f))
	for i := range f {
		for _, c := range f[i].children {
			held[c] = true
		}
	}
	left, demand := population, uint64(0)
	for i := range f {
		if held[i] {
			continue
		}
		if f[i].count > left {
			return []string{"the counts of the cohorts and the population do not add up"}
		}
		left, demand = left-f[i].count, max(demand, strictest[i])
	}
	if len(f) > 1 && left > 0 && left < demand {
		return []string{fmt.Sprintf("fewer than %d batteries lie in none of the cohorts answered: moving bounds would find where", demand)}
	}
	return nil
}
