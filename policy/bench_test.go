package policy

import (
	"fmt"
	"testing"
)

// grantBook is what a contract keeps of an owner with many grants: each with a
// policy text of its own, beside the one in force.
func grantBook(b *testing.B, n int) (inForce *Set, sets []*Set, terms []*Terms, questions []*Question) {
	b.Helper()
	inForce = parseFile(b, "testdata/policies/lender-valuation.cedar")
	for i := range n {
		s := parse(b, fmt.Sprintf("// grant %d\n%s", i, inForce.Text()))
		digest := s.Digest()
		g := loans()
		g.ID, g.Grantee, g.Policy = fmt.Sprintf("grant-%d", i), fmt.Sprintf("bank-%d", i), fmt.Sprintf("%x", digest)
		g.Purposes = []string{"loan origination"}
		q := question()
		q.Grant, q.Requester.ID, q.Purpose = g.ID, g.Grantee, "loan origination"
		sets, terms, questions = append(sets, s), append(terms, g), append(questions, q)
	}
	return inForce, sets, terms, questions
}

// BenchmarkDecision is all that is decided at an approval, among 1,000 grants:
// the grant's limits, its policy, the policy in force, and the difference rule
// against 20 earlier answers.
func BenchmarkDecision(b *testing.B) {
	inForce, sets, terms, questions := grantBook(b, 1000)
	var earlier []Answered
	for i := range uint32(20) {
		earlier = append(earlier, answered(fmt.Sprint(i), box(0, 1, 500*i, 500*i+499), 50, 100))
	}
	refused := question()
	refused.Purpose, refused.Grant, refused.Requester.ID = "marketing", "grant-0", "bank-0"
	b.Run("allowed", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			n := i % len(sets)
			next := Answered{Cohort: box(0, 1, 10000, 15000), Minimum: 50, Shown: true}
			if len(terms[n].Limits(questions[n], Spent{})) > 0 || !sets[n].Decide(questions[n]).Allowed ||
				!inForce.Decide(questions[n]).Allowed || len(Overlaps(earlier, next)) > 0 {
				b.Fatal("refused")
			}
		}
	})
	b.Run("refused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(terms[0].Limits(refused, Spent{})) == 0 || sets[0].Decide(refused).Allowed || inForce.Decide(refused).Allowed {
				b.Fatal("allowed")
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := examples(b)[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIsolates is one proof against a book of 500 answers, half of them
// within one another.
func BenchmarkIsolates(b *testing.B) {
	var earlier []Answered
	for i := range uint32(250) {
		earlier = append(earlier, answered(fmt.Sprint("n", i), box(0, 1, i, 1000-i), 1, uint64(100_000-100*i)))
		earlier = append(earlier, answered(fmt.Sprint("d", i), box(0, 1, 2000+2*i, 2001+2*i), 1, 100))
	}
	next := answered("next", box(0, 1, 400, 600), 1, 50)
	b.ReportAllocs()
	for b.Loop() {
		if reasons := Isolates(earlier, next); len(reasons) > 0 {
			b.Fatal(reasons)
		}
	}
}
