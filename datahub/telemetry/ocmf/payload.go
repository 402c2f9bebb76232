package ocmf

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/assay-net/assay/datahub/telemetry/ocmf/jsonobject"
)

// Page is a record's place in the series that its meter signs. Each letter has a counter of its own, which goes up by one with each
// record.
type Page struct {
	// Letter is T for records of charging sessions, F for fiscal ones, and 0 if the record has no page that can be read.
	Letter byte
	Number uint64
}

func (p Page) String() string {
	if p.Letter == 0 {
		return "without a page"
	}
	return fmt.Sprintf("%c%d", p.Letter, p.Number)
}

var (
	pageText    = regexp.MustCompile(`^([TF])([0-9]{1,18})$`)
	versionText = regexp.MustCompile(`^1\.[0-4]$`)
)

// payloadKeys are those of the format; RD, LC and those that readPayload takes. Others beginning with U to Z are the maker's own.
var payloadKeys = []string{"FV", "GI", "GS", "GV", "PG", "MV", "MM", "MS", "MF", "IS", "IL", "IF", "IT", "ID", "TT", "CF", "LC", "CT", "CI", "RD"}

// checkFields takes the payload's fields that are not plain text, and reports what is missing or not the format's.
func (r *Record) checkFields(fields map[string]jsonobject.Member, names []string) {
	for _, name := range names {
		if !slices.Contains(payloadKeys, name) && (name == "" || name[0] < 'U' || name[0] > 'Z') {
			r.issue("payload", "a key that is not the format's")
		}
	}
	if !versionText.MatchString(r.Version) {
		r.issue("FV", "missing, or not 1.0 to 1.4")
	}
	if r.Meter.Serial == "" {
		r.issue("MS", "missing")
	}
	if r.Source() == "" {
		r.issue("MS, GS, CT and CI", "none says who signed")
	}
	r.readPage(fields)
	if m, there := fields["IS"]; there && jsonobject.KindOf(m.Value) != jsonobject.Bool {
		r.issue("IS", "neither true nor false, left out")
	} else if there {
		r.User.Assigned = m.Value[0] == 't'
	}
	if m, there := fields["IF"]; there {
		r.readFlags(m)
	}
	if m, there := fields["LC"]; there && jsonobject.KindOf(m.Value) != jsonobject.Object {
		r.issue("LC", "not an object, left out")
	}
}

func (r *Record) readPage(fields map[string]jsonobject.Member) {
	text, there := r.text(fields, "", "PG")
	m := pageText.FindStringSubmatch(text)
	if m == nil {
		r.issue("PG", map[bool]string{true: "not T or F and a number", false: "missing"}[there])
		return
	}
	if m[2][0] == '0' && len(m[2]) > 1 {
		r.issue("PG", "zeros in front of the number")
	}
	r.Page.Letter = m[1][0]
	r.Page.Number, _ = strconv.ParseUint(m[2], 10, 64)
}

func (r *Record) readFlags(m jsonobject.Member) {
	flags, err := jsonobject.Elements(m.Value, 4)
	if err != nil {
		r.issue("IF", "not a list of at most 4 flags, left out")
		return
	}
	for _, f := range flags {
		if text, ok := jsonobject.Text(f); ok {
			r.User.Flags = append(r.User.Flags, text)
		}
	}
}
