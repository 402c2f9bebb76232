package ocmf

import (
	"regexp"
	"strings"
)

// register is what an OBIS code (RI) names. Codes come as 1-b:1.8.0, 1-0:1.8.0*198, 01-00:B1.08.00*FF and 1-0:2.8.0.FF: small and
// capital letters, one digit or two, three ways to write the billing period.
type register struct {
	// name is the code with each part in one spelling: equal names are one register.
	name string
	// rank says how well the register stands for the energy delivered to vehicles, higher is better; 0 for another quantity.
	rank int
}

var obisText = regexp.MustCompile(`^([0-9A-Za-z]{1,4})-([0-9A-Za-z]{1,4}):([0-9A-Za-z]{1,4})\.([0-9A-Za-z]{1,4})\.([0-9A-Za-z]{1,4})(?:[.*]([0-9A-Za-z]{1,4}))?$`)

// importRanks are the quantities (part C) that are active energy to the vehicle. A register at the vehicle's side of the cable is
// better than one at the mains, and one that runs on for the meter's life better than one that starts anew with each session.
var importRanks = map[string]int{"B1": 10, "1": 8, "B0": 6, "B3": 4, "B2": 2}

// parseRegister is the register of a code. A code that is absent or cannot be read counts as imported energy with the lowest rank,
// since what a charging pile's meter reads in an energy unit is that unless it says otherwise; ok is false then.
func parseRegister(code string) (r register, ok bool) {
	code = strings.Trim(code, " ")
	m := obisText.FindStringSubmatch(code)
	if m == nil {
		return register{name: strings.ToUpper(code), rank: 1}, false
	}
	for i, part := range m[1:] {
		part = strings.ToUpper(strings.TrimLeft(part, "0"))
		if part == "" && m[i+1] != "" {
			part = "0"
		}
		m[i+1] = part
	}
	r.name = m[1] + "-" + m[2] + ":" + m[3] + "." + m[4] + "." + m[5] + "*" + m[6]
	if m[4] == "8" { // D: the register itself, not a mean or a maximum
		r.rank = importRanks[m[3]]
	}
	if r.rank > 0 && m[5] != "0" {
		r.rank-- // a tariff's part of the total
	}
	return r, true
}
