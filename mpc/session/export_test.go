package session

import (
	"errors"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// OpenShown is what a party does first with what it is shown.
func OpenShown(e *transcript.Entry, messages, index int, shown []byte) ([]byte, error) {
	return openShown(e, messages, index, shown)
}

// Commit is what a party that does not keep the protocol can do as well: commit to any messages, and show them.
func Commit(session transcript.ID, party string, round transcript.Round, messages ...[]byte) (transcript.Entry, func(index int) []byte) {
	c := &commitment{session: session, party: party, round: round}
	var nonce [nonceSize]byte
	for _, m := range messages {
		c.add(nonce, m)
	}
	e := transcript.Entry{Session: session, Party: party, Round: round, Digest: c.digest()}
	return e, func(index int) []byte { return c.show(nonce, messages[index]) }
}

// Shown is the message in what a party shows, without a look at the commitment.
func Shown(messages int, shown []byte) []byte { return shown[shownSize(messages, 0):] }

// Posted says whether a step recorded something, so that Run has the next at once.
func Posted(s State) bool { return s.posted }

// BreakDisk is what a failed sync does to a store.
func BreakDisk(s *FileStore) { s.broken = errors.New("a sync failed") }

// Names of slots that tests look into.
const (
	SecretSlot     = secretSlot
	KeysSlot       = keysSlot
	HoldingSlot    = holdingSlot
	InputSlot      = inputSlot
	ActivationSlot = activationSlot
	ShareSlot      = shareSlot
	ResultSlot     = resultSlot
)
