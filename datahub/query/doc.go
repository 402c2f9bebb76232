// Package query says what a query on the ledger means: the numbers that owners add up, what the parties of a session agree on, and what a requester learned. It computes from what it is given,
// and keeps, sends and asks nothing.
//
//	requester   Draft, Check                       before it asks
//	owner       Unanswerable                       before it approves
//	everyone    Document, Plan, Opening            once every part is approved: from the query's ledger entry alone, so that all come to the same bytes
//	owner       Records → federated.Plan.Totals    its part of a federated query
//	            Lanes, Shape, ScoreRecords         → package score: its answer to a score
//	requester   Read, ScoreAnswer                  → Answer, in physical units
//
// # What a federated query opens
//
// Totals over the cohort, summed over the owners: as many as the query's list says, and Plan refuses a query that would open more, as what grants and policies have looked at is the list. The
// figures follow: a count; a sum; with both a mean; with the sum of squares, which must not be asked for without both, a variance; a histogram's bands. An exact histogram tells the
// count, whether that is asked for or not. Noise on a sum without a histogram needs the count, and it must be asked for. A sum that is asked for with the count is carried as a sum of differences from
// the middle of the subject's interval in the cohort, which tells the same and bears less noise.
//
// An exact sum over few batteries that are all nearly the same tells how many they are: it is refused if the count is not asked for. The more there are, and the more they may differ, the more roughly
// it tells that. Whoever lets a total be disclosed, and no count, lets that be told.
//
// Sums of squares are over the whole interval of a lane, or up to the greatest value, for as many batteries as the largest fleet has: one that could overflow the encryption's moduli is refused,
// by Check if it can be known before it is asked, by Unanswerable if
// an owner's fleet is too large, by Plan otherwise.
//
// # Values
//
// A battery's value is price × factor × factor by the arithmetic of statements (statement.Parameters.ExactValue), rounded down to 0.01 of the currency: once for each battery, where a statement
// rounds the sum once. So a sum of n batteries is below the exact one, by less than n × 0.01, and a mean by less than 0.01; a histogram is exact, as its edges are multiples of 0.01. Figure.Error says so in
// each answer. The unit is no finer for any query, though the encryption has room: a grant's greatest price says how fine a difference between factors a value may show, on the
// understanding that a value ends at 0.01.
//
// The document's bound of a value is the greatest that any battery of the cohort can have, so nothing is cut off by it, and the histogram's edges must not be above it.
//
// # What is shown of a number
//
// Decimal text. Sums are all there: means and variances have six places more than their quantity. Noise is a standard deviation: that of all owners' noises in the figure, to first order for means
// and variances. The score's error is that of package score: it does not count the polynomial's misfit, nor the owner's noise. Of that, a bound of the standard deviation is given, from what is known of
// the number of batteries: it is that of the fleet if the cohort is all of it, and the bound is to first order; else no fewer, by the noised number, than an owner answers about, and where noise alone made
// up that number, there is more of it than stated. It is several times what the noise is in most answers. Where noise makes a score's variance negative, there is no deviation, and the mean stands.
//
// # What it does not promise
//
// That the ledger's entry is true, or that the session may be taken part in: whoever calls reads its own peer, and decides. Opening and CheckSession do say no to a session that is not as its query
// has it. An answer's parts are not signed: Answer is a note of its requester's to itself.
package query
