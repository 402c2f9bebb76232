package contract

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
)

// compare holds the cohort against the others that were answered, or may yet be, about the same fleet and epoch, whoever asked: everybody sees every answer.
func (r *run) compare(j *judgement, shown bool, count *uint64) error {
	j.next = policy.Answered{
		Request: j.id.String(), Cohort: j.question.Cohort, Minimum: j.terms.Terms.MinimumCohort, Shown: shown, Count: count,
	}
	err := scan(r.state, ledger.AnsweredPrefix(j.fleet, j.epoch), func(rest string, a *ledger.Answered) error {
		if rest != j.next.Request && a.Counts(r.now) {
			j.earlier = append(j.earlier, policy.Answered{
				Request: rest, Cohort: a.Cohort, Minimum: a.Minimum, Shown: a.Shown, Count: a.Count, Started: a.Started, Pending: a.Pending(r.now),
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	overlaps := policy.Overlaps(j.earlier, j.next)
	j.Wait = len(j.Reasons) == 0 && len(overlaps) > 0 && policy.Waits(j.earlier, j.next)
	j.refuse(overlaps...)
	return nil
}

// large wants the verdict to show that the cohort is large enough. How large it is no reason says: reasons are published.
func (j *judgement) large(shown *ledger.Shown) error {
	least := j.terms.Terms.MinimumCohort
	if j.next.Shown {
		switch {
		case j.next.Count == nil:
			j.refuse("the answer does not show the cohort's size")
		case *j.next.Count < least:
			j.refuse(fmt.Sprintf("the cohort has fewer than the %d batteries for which grant %s asks", least, j.terms.Terms.ID))
		}
		return nil
	}
	proven, err := shown.Proves(j.asked, least)
	if err != nil {
		return ledger.Refuse(ledger.Invalid, "what the answer shows: %v", err)
	}
	if !proven {
		j.refuse(fmt.Sprintf("no claim that holds shows a cohort of at least %d batteries, for which grant %s asks", least, j.terms.Terms.ID))
	}
	return nil
}

// record is what is kept of the cohort once it is approved.
func (j *judgement) record() *ledger.Answered {
	return &ledger.Answered{
		Cohort: j.next.Cohort, Minimum: j.next.Minimum, Shown: j.next.Shown, Count: j.next.Count, Expiry: j.expiry,
	}
}
