package ledger

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxID bounds the id of an organisation, maker or fleet; ids are part of state keys.
	MaxID = 64
	// MaxTitle bounds a name for people.
	MaxTitle = 128
	// MaxReason bounds a reason given for a decision, a revocation or a retirement, MaxReasons how many a decision has.
	MaxReason  = 512
	MaxReasons = 16
)

// CheckID accepts 1 to MaxID of a-z, 0-9 and '-', with '-' neither first nor last. An id has one spelling and no separator
// of state keys in it.
func CheckID(field, id string) error {
	if len(id) == 0 || len(id) > MaxID {
		return fmt.Errorf("%s: has %d characters, must have 1 to %d", field, len(id), MaxID)
	}
	for i := range len(id) {
		c := id[i]
		inner := c == '-' && i > 0 && i < len(id)-1
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || inner) {
			return fmt.Errorf("%s: %q may hold a-z, 0-9 and, inside, '-'", field, id)
		}
	}
	return nil
}

// CheckText accepts at most max bytes of printable UTF-8, and at least one where required.
func CheckText(field, text string, max int, required bool) error {
	if len(text) > max || required && text == "" {
		return fmt.Errorf("%s: has %d bytes, at most %d and not none", field, len(text), max)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%s: not valid UTF-8", field)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%s: holds an unprintable character", field)
		}
	}
	return nil
}

// Printable makes of a text one that CheckText takes: what is not printable becomes '·', and what is too long ends with '…'.
func Printable(text string, max int) string {
	const cut = "…"
	out := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, strings.ToValidUTF8(text, "·"))
	if out != "" && len(out) <= max {
		return out
	}
	for len(out) > max-len(cut) {
		_, size := utf8.DecodeLastRuneInString(out)
		out = out[:len(out)-size]
	}
	return out + cut
}
