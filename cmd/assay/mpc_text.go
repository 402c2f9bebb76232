package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// sessionText is a session for people, but for its entries.
func sessionText(s *assayv1.Session, view *assayv1.SessionView) string {
	var b strings.Builder
	line := fields(&b)
	line("Session", "%s", s.GetId())
	line("Query", "%s", s.GetQuery())
	line("Status", "%s", sessionStatusText(s.GetStatus()))
	line("Begun", "%s, until %s", timeText(s.GetBegunAt()), timeText(s.GetExpiresAt()))
	for i, seat := range s.GetSeats() {
		line(map[bool]string{true: "Owners"}[i == 0], "%d  %s, fleet %s", i+1, seat.GetOwner(), seat.GetFleet())
	}
	if s.GetRegulator() != "" {
		line("Regulator", "%s", s.GetRegulator())
		line("Receiver", "%s", s.GetReceiver())
		line("Opened by", "%d owners and the regulator, of at least %d inputs", s.GetThreshold(), s.GetMinimumInputs())
		line("Inputs", "until %s", timeText(s.GetInputsUntil()))
	} else {
		line("Receiver", "%s", s.GetReceiver())
	}
	line("Encrypted", "with %s", s.GetParameters())
	if round, waits := dueIn(s); round != "" && s.GetStatus() == assayv1.SessionStatus_SESSION_STATUS_OPEN {
		line("Round", "%s, waits for %s", round, strings.Join(waits, ", "))
	}
	viewText(view, line)
	return b.String()
}

// viewText is what the node sees that was asked.
func viewText(v *assayv1.SessionView, line func(name, format string, args ...any)) {
	if v == nil {
		return
	}
	what := fmt.Sprintf("takes part as %s: %s", v.GetRole(), v.GetPhase())
	if v.GetSince() != nil {
		what += " since " + timeText(v.GetSince())
	}
	if len(v.GetWaitingFor()) > 0 {
		what += ", waits for " + strings.Join(v.GetWaitingFor(), ", ")
	}
	line("This node", "%s", what)
	if v.GetReason() != "" {
		line("", "over: %s", v.GetReason())
	}
	if v.GetProblem() != "" {
		line("", "will try again: %s", v.GetProblem())
	}
}

// dueIn is the first round of a session in which an entry is missing, and whose.
func dueIn(s *assayv1.Session) (round string, waits []string) {
	for _, r := range dueRounds(s) {
		for _, party := range r.parties {
			if entryOf(s, party, r.round) == nil {
				waits = append(waits, party)
			}
		}
		if len(waits) > 0 {
			return string(r.round), waits
		}
	}
	return "", nil
}

type dueRound struct {
	round   ledger.Round
	parties []string
}

// dueRounds are the rounds of a session, each with those who write in it.
func dueRounds(s *assayv1.Session) []dueRound {
	owners, receiver := seated(s), []string{s.GetReceiver()}
	if s.GetRegulator() == "" {
		return []dueRound{{ledger.RoundRequest, receiver}, {ledger.RoundAnswer, owners}, {ledger.RoundResult, receiver}}
	}
	everybody := slices.Concat(owners, []string{s.GetRegulator()}, receiver)
	rounds := []dueRound{{ledger.RoundKey, everybody}, {ledger.RoundReady, everybody}}
	if entryOf(s, s.GetReceiver(), ledger.RoundClose) == nil { // those who are late are not waited for after it
		rounds = append(rounds, dueRound{ledger.RoundInput, owners})
	}
	openers := []string{s.GetRegulator()}
	if e := entryOf(s, s.GetReceiver(), ledger.RoundActivate); e != nil {
		openers = append(slices.Clone(e.GetOpenedBy()), openers...)
	}
	return append(rounds, dueRound{ledger.RoundClose, receiver}, dueRound{ledger.RoundActivate, receiver}, dueRound{ledger.RoundShare, openers}, dueRound{ledger.RoundResult, receiver})
}

func entryOf(s *assayv1.Session, party string, round ledger.Round) *assayv1.SessionEntry {
	for _, e := range s.GetEntries() {
		if e.GetParty() == party && e.GetRound() == string(round) {
			return e
		}
	}
	return nil
}
