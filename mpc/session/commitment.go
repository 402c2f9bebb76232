package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/mpc/session/transcript"
)

const nonceSize = 32

// commitment is what a party's entry for a round commits it to: one message, or, in the key round, several, each of which is shown alone, beside
// the hashes of the others. The nonce hides a message that could be guessed.
type commitment struct {
	session transcript.ID
	party   string
	round   transcript.Round
	hashes  []transcript.Digest // of the messages
}

func (c *commitment) hash(index int, nonce [nonceSize]byte, message []byte) transcript.Digest {
	place := binary.BigEndian.AppendUint32(nil, uint32(index))
	return transcript.Hash("assay/mpc/message/1", c.session[:], []byte(c.party), []byte(c.round), place, nonce[:], message)
}

func (c *commitment) add(nonce [nonceSize]byte, message []byte) {
	c.hashes = append(c.hashes, c.hash(len(c.hashes), nonce, message))
}

func (c *commitment) digest() transcript.Digest {
	return transcript.Hash("assay/mpc/commitment/1", c.session[:], []byte(c.party), []byte(c.round), c.list())
}

func (c *commitment) list() []byte {
	var b []byte
	for _, h := range c.hashes {
		b = append(b, h[:]...)
	}
	return b
}

// show is a message as it is sent: all hashes, the nonce, the message.
func (c *commitment) show(nonce [nonceSize]byte, message []byte) []byte {
	return slices.Concat(c.list(), nonce[:], message)
}

// shownSize is the length of what show makes.
func shownSize(messages, size int) int { return messages*len(transcript.Digest{}) + nonceSize + size }

var errCommitment = errors.New("not what was committed to")

// openShown takes the message out of what show made, if it is the one in place index of so many that a recorded entry commits to.
func openShown(e *transcript.Entry, messages, index int, shown []byte) ([]byte, error) {
	if len(shown) < shownSize(messages, 0) {
		return nil, fmt.Errorf("%d bytes, want at least %d", len(shown), shownSize(messages, 0))
	}
	c := commitment{session: e.Session, party: e.Party, round: e.Round}
	for range messages {
		c.hashes = append(c.hashes, transcript.Digest(shown[:32]))
		shown = shown[32:]
	}
	nonce, message := [nonceSize]byte(shown[:nonceSize]), shown[nonceSize:]
	if c.digest() != e.Digest || c.hash(index, nonce, message) != c.hashes[index] {
		return nil, errCommitment
	}
	return message, nil
}
