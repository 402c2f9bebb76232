// Package policy decides which questions an owner answers. It is pure: nothing
// in it reads a clock, a file or a ledger, and equal input gives equal output,
// word for word, so that a ledger's peers, the owner's node and a tool come to
// one decision. It is the one place that knows Cedar.
//
// An answer needs three things, each of which refuses by itself:
//
//   - A policy: Cedar text of the owner's. [Parse] checks a text against
//     [Schema], [Set.Decide] says whether it allows a [Question] and which
//     policies decided.
//   - A grant: [Terms] that the owner gave one organisation. [Terms.Limits]
//     says what of a question they do not cover, [Terms.Cost] what it spends.
//   - The difference rule: [Overlaps] when a question is approved, [Isolates]
//     and [Outside] when its proof is there, over all that was answered about
//     the same fleet and epoch; [Pools] for sums over several owners' fleets.
//
// What is asked is worked out by the caller, from a statement; what was spent
// and answered is the ledger's to keep.
//
// # Policies
//
// A text holds permits and forbids. A question is allowed when a permit
// applies, no forbid does, and every policy could be evaluated: an overflow in
// any of them denies, a forbid that fails does not fall silent. Nothing applies
// by default. The schema's comments are the manual of what a policy may look
// at. Validation is strict: a misspelt attribute or a comparison of unlike
// things is an error at publication and not a policy that never applies.
//
// Every policy carries @id, unique in its text, by which reasons name it. It may
// carry @description, for people, and a permit @approval("person"): when any
// permit that applies carries it, a person has to approve. There are no other
// annotations.
//
// A text is bounded before Cedar's parser sees it: in length, in depth, in the
// words of one policy, and in three forms on which cedar-go takes minutes; the
// bounds are beside the code that holds them. Sets of sets and records within a
// policy are refused, for they are of no use here. The rest of what a text can
// cost grows with its length: 150 ms to parse the worst that we found, 12 ms to
// decide it. Unprintable characters are refused, so that a text reads as it is
// evaluated.
//
// # Grants
//
// An empty list allows nothing. Amounts are decimal text, counted in whole
// millionths. The cost of a proof is a convention for counting questions: what
// is disclosed exactly is not differentially private at any price. Homomorphic
// queries spend from the same budget. A grant's minimum_cohort
// must be proven: a question discloses its count, or asks about the whole
// fleet, or carries a claim that is exactly count ≥ N. That the count then
// shown is large enough, or the claim holds, is for the caller to see in the
// verdict. A grant with models has a max_price; a request must not outlive its
// grant.
//
// Homomorphic queries (the actions aggregate and score) show no count of one
// fleet. So a grant looks at the minimum_cohort that the query obliges every owner
// to hold to: that an owner's part of the cohort is that large only the owner's
// node sees, before it takes part. Without epsilon, what is shown exactly counts
// as disclosed, and each number costs as a disclosed total does; with it, the
// epsilon is the cost. Deltas add up in the same way, against delta_budget: a grant
// without one allows none. The coverage of a query is what its settled epoch has.
//
// Both are spent by the approval, once for a query, whatever comes of it: an owner
// whose part is too small has told that, which is an answer too, drawn from the
// same noise as the part would have been. So an owner looks at its records after
// its approval alone, and declines in the session: a refusal to approve costs
// nothing, and must tell nothing of them. It keeps what it drew, part or refusal, and
// uses it in every session of the query; the ledger takes no input of an owner that
// declined the query before.
//
// # The difference rule
//
// Two exact totals over cohorts that differ by one battery tell that battery's
// record. So cohorts about which one fleet is asked at one epoch form a laminar
// family. Each is a box, an interval for every lane, and two boxes must be the
// same, or disjoint in some lane, or one within the other. Any other two are
// refused, whatever batteries they hold. Where one lies within another, both
// show their counts, and the earlier count is recorded. Of a family that is ordered by which box holds which, as a
// forest, let the atom of a box be its batteries that lie in none of its
// children. When a proof is there, every atom has to be empty or as large as
// the strictest minimum of the box, of its children, and of those that stand in
// for one of these because nothing lies between.
//
// This is why it is enough. A total over a box, be it a count, a sum over a lane
// or a value under a model, adds up over batteries, hence is the sum of the
// totals over the atoms within the box. Whoever adds and subtracts answers gets
// a sum over atoms, each with one weight for all its batteries: no answer tells
// two batteries of one atom apart. Suppose such a sum is the total of a group of
// batteries. Then the group is a union of atoms. An atom is its box less the
// box's children; the boxes of non-empty atoms are linearly independent; so this
// is how each atom of the group follows from answers, and the only way but for
// the relations that an empty atom makes: the box is then the sum of its
// children, and each of those follows from the rest. Any set of answers that is
// needed for the group, none of them superfluous, therefore consists of boxes
// that bound one of its atoms or are tied to such a box by empty atoms. The rule
// compared that atom with the minimum of each. Hence:
//
//	A group of batteries whose total follows from answers by adding and
//	subtracting is at least as large as the minimum of every answer needed.
//
// An answer later on only splits an atom in two, and both parts are compared
// then. The tests hold all of this against a count of every battery in drawn
// fleets.
//
// # What no verdict was recorded of
//
// A cohort counts from its approval on. It ceases to count in one case: the
// approval expired and no proof was ever begun. For two things tell of a cohort
// without a verdict.
//
// Once a proof was begun, others may have seen it: who endorses it has it before
// it is recorded, and it may never be. So its totals are taken for known, and its
// count is not there to be compared with. It stands in the way of every cohort
// that it holds or that holds it, and of every cohort beside it that some
// answered cohort holds as well: what is left of that one would be a difference.
// Cohorts that are disjoint and in nothing common, the same one again, and any
// whose count was recorded already go on. When an answer about the same cohort is recorded, it has its count back,
// and its minimum is demanded of that answer and of all that follow.
//
// A failure is a bit: the cohort, or a remainder that it leaves, is too small. If
// failures were free, a bound between two cohorts could be moved until it
// fails no more, and the most extreme battery of any lane be found by bisection.
// So what failed stands in the way like what was begun, but for its minimum: no
// total of it is out. Of a family one bit is told per failure, and nothing nested
// with that cohort is answered any more about that epoch.
//
// What is approved and pending stands in the way of what is nested with it until
// its count is recorded; [Waits] tells such a case from the others.
//
// Every verdict also shows the population, which is a count of all that
// reported, and nothing else about them. As soon as two cohorts were answered,
// [Outside] demands that those in neither are none or enough, too. Without it a
// bound that moves as long as nobody is added to a cohort finds where the one
// battery beyond it lies. One cohort alone shows how many it leaves out.
//
// The rule takes for granted that all answers of an epoch are about the same
// records, which is so once its anchors are settled, and that approvals and
// proofs about one fleet and epoch come one after another.
//
// It does not stop, and budgets and minima have to be chosen with it in mind:
//
//   - The same question at several epochs. A battery that joins or leaves
//     between two of them is the difference.
//   - Models. A value is a sum of weights that differ from battery to battery, and
//     exact to 0.01: as many models as batteries give every record, and a single
//     value over one cohort can carry the totals of several of its sub-boxes side
//     by side, like the digits of a number, above all where two curves multiply
//     and the totals of their lanes are disclosed beside it. The higher the
//     price, the finer the differences that it shows. A grant names the models it
//     allows and the highest price; an owner that allows a model allows what all
//     values under it tell up to that price. [Warnings] points at models that
//     weigh few batteries more than others and at prices that show the last
//     place of a factor, and finds no more than that.
//   - Bits: whether a claim holds, that a cohort was too small. A claim with a
//     moving bound finds a total by bisection; each step costs an answer.
//   - Denial. A grantee that asks about an odd cohort closes the epoch to all
//     that cross it, for everybody, and one whose request fails closes it to all
//     that are nested with it. A policy keeps grantees to a grid: it sees the
//     bounds of a cohort as context.cohort_bounds, and testdata/policies/grid
//     allows three bands and nothing across them.
//   - The count of those in no cohort, where a proof was begun whose verdict was
//     not recorded: [Outside] leaves that cohort out.
//   - Knowledge from elsewhere. An owner of half an atom's batteries can take
//     them off, and so can whoever it tells.
//
// # Sums over several owners' fleets
//
// Such a sum shows nobody's part, of the counts neither, and all members see what
// was asked and answered. So the rule for them is structural, and holds within one
// epoch for every fleet, whoever asks ([Pools]):
//
//   - A fleet is pooled with one set of fleets: two queries are over the same set
//     or over sets that have no fleet in common. Else the sums over {A,B,C} and
//     {A,B,C,D} differ by D's own total.
//   - The cohorts of two queries over one set are the same or disjoint. Else the
//     batteries between them are the difference.
//   - Two sums over one cohort are of the same owners' parts. An owner that takes
//     part in one and is away or declines in the other would be their difference:
//     this is what is compared last, when the parts are recorded and before anything
//     is opened.
//
// It follows: whoever adds and subtracts exact answers gets, for each of some
// disjoint cohorts, a total over all the batteries that the same three or more
// owners have in it, with one weight for all of them, and nothing tells one owner's
// batteries from another's. Asking the same again without noise tells nothing new;
// with noise it is another answer, and costs again, for fresh noise averages out:
// that is what the budget is for. A query counts for ever from the moment that the
// sum was named that is to be opened, and not before: until then nothing is opened,
// its parts are ciphertexts under a key of that session. So who begins a session
// and leaves it keeps nobody out. Of two queries that must not both be answered, the
// one whose sum is named first is; the other has spent what its approvals cost.
//
// It does not stop, besides what is said above of epochs, models, denial and
// knowledge from elsewhere: all owners but one together learn the last one's total,
// and so does whoever knows exact totals of all fleets but one over the same cohort,
// from proofs for instance. The first whose sum is named at an epoch, for which all its
// owners approved and enough of them took part, settles for all others with
// whom its fleets are pooled, in which cohorts, and, for its cohort, of whose parts. An
// owner that wants another pool, or others to have a turn, says so in its policy: it sees
// the fleets as context.pool and the bounds of the cohort as context.cohort_bounds, and
// testdata/policies/pooled allows one pool and a grid. Noise is no way out of
// the rule: it hides a battery and not an owner's total. Histograms and models split a
// cohort further than any minimum sees: a band may hold one battery, and so may
// what lies between the edges of two histograms. That an owner declines is a bit, most
// often that its part is too small, and unlike a proof's failure it stands in nobody's
// way: it would close the epoch to all the others. So a grantee that moves a bound of the
// cohort until the owner declines finds where its last few batteries lie. Each step costs
// an answer and the question's cost of every owner asked; a grid stops it. And that
// every part is as large as the minimum is the word of each owner's node.
//
// A score is about one fleet and joins its family of cohorts above. It shows no
// count; so besides scores over the whole fleet, whose size is on the ledger, its
// cohort is the same as any other or disjoint. It counts for ever once the owner
// recorded its answer.
//
// # Test cases
//
// An owner writes down what a policy is meant to do and runs it with
// [Set.Test]. [ParseCases] reads YAML or JSON:
//
//	version: assay-policy-cases/v1
//	question:                     # what every case starts from
//	  action: prove               # the default
//	  requester: {id: bank, roles: [financier], attributes: {O: Bank AG}}
//	  fleet: {id: swapco-fleet, owner: swapco, schema: battery/v1}
//	  purpose: loan origination
//	  count: exact
//	cases:
//	  - name: a loan
//	    expect: allow             # or approve: once a person does; or refuse
//	    by: [valuation]           # the policies that decide; left out: any
//	  - name: marketing
//	    question: {purpose: marketing}     # what differs
//	    expect: refuse
//
// Fields of a question are those of [Question] in JSON. What a case names
// replaces what it starts from, attributes one by one. The folder
// testdata/policies has examples of policies with their cases.
package policy
