package ledger

import (
	"encoding/hex"
	"strconv"

	"github.com/assay-net/assay/zk/commit"
)

const (
	// CeremonyPrefix is the prefix of ceremonies.
	CeremonyPrefix = "ceremony/"
	// CeremonyClosingPrefix is the prefix of the closings of all ceremonies' stages.
	CeremonyClosingPrefix = "ceremonyclosing/"
)

// CeremonyKey holds a CeremonyPlan.
func CeremonyKey(id commit.Digest) string { return CeremonyPrefix + id.String() }

// CeremonyPartKey holds a CeremonyPart. Parts' names hold a '/', so they are spelt in hexadecimal.
func CeremonyPartKey(id commit.Digest, part string) string {
	return "ceremonypart/" + id.String() + "/" + hex.EncodeToString([]byte(part))
}

// CeremonyEndKey holds a CeremonyEnd.
func CeremonyEndKey(id commit.Digest, stage int) string {
	return "ceremonyend/" + id.String() + "/" + strconv.Itoa(stage)
}

// CeremonyClosingKey holds a CeremonyClosing.
func CeremonyClosingKey(id commit.Digest, stage int) string {
	return CeremonyClosingPrefix + id.String() + "/" + strconv.Itoa(stage)
}

// TranscriptKey holds the digest of the plan of the ceremony that has a transcript with this digest.
func TranscriptKey(transcript commit.Digest) string { return "transcript/" + transcript.String() }
