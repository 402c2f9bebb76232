package policy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of one policy, checked before Cedar's parser sees it. Each stands
// against something measured with cedar-go 1.9: a chain of 600 hasTag calls
// keeps the validator busy for minutes, a chain "context has a.a.a…" the
// compiler, and a text of small sets within a set, all of one hash, the parser
// for seconds.
const (
	maxTokens = 4096
	maxHas    = 32 // "has" and "hasTag"
	maxPath   = 8  // names joined by "." or "::"
	maxPrefix = 4  // "!" and "-" in a row
)

// scanner walks over the tokens of a text as Cedar's does. Where the two could
// differ, in strings and comments that are not well formed, Cedar refuses.
type scanner struct {
	text         string
	at           int
	line, column int

	open     []byte // brackets
	ifs      []int  // for each open bracket and outside all: "if"s since the last comma
	policies int
	tokens   int // of this policy, as are the next three
	has      int
	path     int
	prefix   int
	previous string
}

// scan refuses what would cost Cedar too much.
func scan(text string) *Problem {
	s := &scanner{text: text, line: 1, column: 1, ifs: []int{0}}
	if p := printable(text); p != nil {
		return p
	}
	for {
		s.skip()
		if s.at == len(text) {
			return nil
		}
		line, column := s.line, s.column
		if message := s.check(s.next()); message != "" {
			return &Problem{Line: line, Column: column, Message: message}
		}
	}
}

// printable refuses what a reader would not see: control and formatting
// characters can make a policy read otherwise than it is evaluated.
func printable(text string) *Problem {
	line, column := 1, 1
	for i, r := range text {
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			return &Problem{Line: line, Column: column, Message: "not valid UTF-8"}
		case r != '\t' && r != '\r' && !unicode.IsPrint(r):
			return &Problem{Line: line, Column: column, Message: fmt.Sprintf("unprintable character %U", r)}
		}
		column++
	}
	return nil
}

func (s *scanner) advance(n int) {
	for _, r := range s.text[s.at : s.at+n] {
		if s.column++; r == '\n' {
			s.line, s.column = s.line+1, 1
		}
	}
	s.at += n
}

// skip passes over white space and comments.
func (s *scanner) skip() {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			s.advance(1)
		case strings.HasPrefix(rest, "//"):
			s.advance(until(rest, "\n", 2))
		case strings.HasPrefix(rest, "/*"):
			s.advance(until(rest, "*/", 2))
		default:
			return
		}
	}
}

func until(text, end string, from int) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

// next takes one token.
func (s *scanner) next() string {
	rest := s.text[s.at:]
	n := 1
	switch {
	case rest[0] == '"':
		n = quoted(rest)
	case digit(rest[0]):
		for n < len(rest) && digit(rest[n]) {
			n++
		}
	case word(rest[0]):
		for n < len(rest) && word(rest[n]) {
			n++
		}
	case len(rest) > 1 && strings.Contains(" :: == != <= >= && || ", " "+rest[:2]+" "):
		n = 2
	case rest[0] >= utf8.RuneSelf:
		_, n = utf8.DecodeRuneInString(rest)
	}
	s.advance(n)
	return rest[:n]
}

func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func word(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digit(c)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// check says what is wrong with the text up to a token.
func (s *scanner) check(token string) string {
	defer func() { s.previous = token }()
	if s.tokens++; s.tokens > maxTokens {
		return fmt.Sprintf("a policy has more than %d words and signs", maxTokens)
	}
	s.count(token)
	switch {
	case s.has > maxHas:
		return fmt.Sprintf("a policy says has or hasTag more than %d times", maxHas)
	case s.path > maxPath:
		return fmt.Sprintf("more than %d names in a row", maxPath)
	case s.prefix > maxPrefix:
		return fmt.Sprintf("more than %d signs ! or - in a row", maxPrefix)
	}
	switch token {
	case "(", "[", "{":
		return s.opens(token[0])
	case ")", "]", "}":
		if len(s.open) > 0 {
			s.open, s.ifs = s.open[:len(s.open)-1], s.ifs[:len(s.ifs)-1]
		}
	case ",":
		s.ifs[len(s.ifs)-1] = 0
	case "if":
		s.ifs[len(s.ifs)-1]++
		return s.nesting()
	case ";":
		if s.policies++; s.policies > MaxPolicies {
			return fmt.Sprintf("more than %d policies", MaxPolicies)
		}
		s.tokens, s.has = 0, 0
	}
	return ""
}

func (s *scanner) count(token string) {
	switch token {
	case "has", "hasTag":
		s.has++
	case "!", "-":
		s.prefix++
	}
	if token != "!" && token != "-" {
		s.prefix = 0
	}
	switch {
	case token == "." || token == "::":
		s.path++
	case !word(token[0]) || s.previous != "." && s.previous != "::":
		s.path = 0
	}
}

// opens refuses sets within sets and records, which no attribute of the schema
// holds and which Cedar hashes so that many may collide.
func (s *scanner) opens(bracket byte) string {
	for _, b := range s.open {
		switch {
		case bracket == '[' && b == '[':
			return "brackets [ ] within brackets [ ]: nothing that a policy sees is a set of sets"
		case bracket == '{':
			return "braces within brackets: nothing that a policy sees is a record of its own"
		}
	}
	s.open, s.ifs = append(s.open, bracket), append(s.ifs, 0)
	return s.nesting()
}

func (s *scanner) nesting() string {
	depth := len(s.open)
	for _, n := range s.ifs {
		depth += n
	}
	if depth > MaxNesting {
		return fmt.Sprintf("nested deeper than %d", MaxNesting)
	}
	return ""
}
