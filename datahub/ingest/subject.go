package ingest

import (
	"strings"

	"github.com/assay-net/assay/zk/commit"
)

// Subjects are the NATS form of topics: "assay.v1.<id>.up" is "assay/v1/<id>/up" in MQTT.
const (
	subjectPrefix = "assay.v1."
	wordUp        = "up"
	wordHello     = "hello"
	wordDown      = "down"
)

func subject(id commit.DeviceID, word string) string {
	return subjectPrefix + id.String() + "." + word
}

// parseSubject takes a subject apart. It accepts exactly what subject writes.
func parseSubject(s string) (id commit.DeviceID, word string, ok bool) {
	rest, ok := strings.CutPrefix(s, subjectPrefix)
	if !ok {
		return id, "", false
	}
	text, word, ok := strings.Cut(rest, ".")
	if !ok {
		return id, "", false
	}
	id, ok = parseID(text)
	return id, word, ok
}

// parseID accepts 64 lower-case hexadecimal digits and nothing else: one device has one name.
func parseID(text string) (commit.DeviceID, bool) {
	var id commit.DeviceID
	if err := id.UnmarshalText([]byte(text)); err != nil || id.String() != text {
		return commit.DeviceID{}, false
	}
	return id, true
}
