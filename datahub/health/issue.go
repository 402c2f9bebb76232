package health

import "fmt"

// Severity says whether something was left out.
type Severity string

const (
	// Excluded means that a row, a value or a whole measurement was not used.
	Excluded Severity = "excluded"
	// Noted means that everything was used, or that what is odd was not needed.
	Noted Severity = "noted"
)

// Code names the kind of an issue for programs.
type Code string

// The codes of issues.
const (
	MissingValue    Code = "missing-value"
	NotANumber      Code = "not-a-number"
	NotFinite       Code = "not-finite"
	OutOfRange      Code = "out-of-range"
	WrongUnit       Code = "wrong-unit"
	RaggedRow       Code = "ragged-row"
	EmptyLine       Code = "empty-line"
	BadQuoting      Code = "bad-quoting"
	BadCell         Code = "bad-cell-id"
	Repeated        Code = "repeated-row"
	SameTime        Code = "same-time"
	TimeGlitch      Code = "time-glitch"
	ClockRestart    Code = "clock-restart"
	TimeGap         Code = "time-gap"
	WallClockFell   Code = "wall-clock-fell"
	CycleOrder      Code = "cycle-order"
	CyclesMissing   Code = "cycles-missing"
	UnknownColumn   Code = "unknown-column"
	OldColumn       Code = "old-column"
	InconsistentSum Code = "inconsistent-total"
	TotalFell       Code = "total-fell"
	RecordIndex     Code = "record-index"
	OpenDischarge   Code = "open-discharge"
	InferredWindow  Code = "inferred-window"
	NoRecord        Code = "no-record"
	LateReading     Code = "late-reading"
	RegisterReset   Code = "register-reset"
	RegisterJump    Code = "register-jump"
	BadName         Code = "bad-name"
	OldSession      Code = "old-session"
)

// Issue is one thing that is not as it should be in a battery's data.
type Issue struct {
	// Line is the line of the file, from 1, or the caller's own number of the reading. 0 is the data as a whole.
	Line int `json:"line"`
	// Column is the name of the column, empty for the whole row.
	Column string `json:"column,omitempty"`
	// Severity tells what was left out from what is only mentioned.
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	// Reason is what is wrong, Action what was done about it.
	Reason string `json:"reason"`
	Action string `json:"action"`
}

// String is the issue in one line of text. It holds no control characters, whatever the file held.
func (i Issue) String() string {
	where := "file"
	if i.Line > 0 {
		where = fmt.Sprintf("line %d", i.Line)
	}
	if i.Column != "" {
		where += ", " + quoted(i.Column)
	}
	return fmt.Sprintf("%s: %s; %s", where, i.Reason, i.Action)
}

// quoted makes foreign text fit for a terminal and for a line.
func quoted(text string) string {
	const most = 40
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

// maxIssues bounds the issues kept of one import, those beyond it are counted. Some more reasons for there being no record are
// kept, because a file that yields none may well be one of many issues.
const (
	maxIssues   = 10_000
	moreReasons = 100
)

// journal collects the issues of one import.
type journal struct {
	issues []Issue
	beyond int
}

func (j *journal) add(i Issue) {
	most := maxIssues
	if i.Code == NoRecord {
		most += moreReasons
	}
	if len(j.issues) >= most {
		j.beyond++
		return
	}
	j.issues = append(j.issues, i)
}

const (
	rowLeftOut   = "the row is left out"
	valueLeftOut = "the value is left out, the rest of the row is used"
)

// badValue reports text that did not parse.
func badValue(line int, column, text string, err error, action string) Issue {
	code := NotANumber
	reason := fmt.Sprintf("%s: %s", err, quoted(text))
	switch err {
	case errMissing:
		code, reason = MissingValue, err.Error()
	case errNotFinite:
		code = NotFinite
	case errTooLarge:
		code = OutOfRange
	}
	return Issue{line, column, Excluded, code, reason, action}
}
