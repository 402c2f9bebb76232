package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

func newPolicyCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "policy",
		Short: "Write, try out and publish an owner's policy",
		Long: `A policy is Cedar text that says which questions about an owner's fleets are answered: nothing that no policy permits is.
check, test, explain and schema work on files, without a node; publish, show and explain REQUEST ask the owner's node.`,
	}
	command.AddCommand(newPolicyCheckCommand(p), newPolicyTestCommand(p), newPolicyExplainCommand(p), newPolicySchemaCommand(p),
		newPolicyPublishCommand(p), newPolicyShowCommand(p))
	return command
}

func newPolicyCheckCommand(p *cli.Printer) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a policy text against the schema",
		Long: `Check parses a policy text (- is standard input) and holds every policy in it to the schema: each needs an @id of its own, names no
attribute that does not exist and compares nothing with something of another type. What is wrong is shown with line and column.
The digest that it prints is what grants name the text by. The exit code is 1 if the ledger would refuse the text.`,
		Example: `  assay policy check policy.cedar
  assay policy check policy.cedar --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return checkPolicy(p, args[0]) },
	}
}

func newPolicySchemaCommand(p *cli.Printer) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the Cedar schema that policies are held to",
		Long:    `Schema prints everything that a policy may look at, in Cedar's schema language. Editors and other tools of Cedar's read it.`,
		Example: `  assay policy schema > assay.cedarschema`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if p.JSON {
				return p.Object(struct {
					Kind   string `json:"kind"`
					Schema string `json:"schema"`
				}{"policy_schema", string(policy.Schema())})
			}
			_, err := p.Out.Write(policy.Schema())
			return err
		},
	}
}

// policyObject is a checked text as a line of JSON.
type policyObject struct {
	Kind     string           `json:"kind"`
	Valid    bool             `json:"valid"`
	Digest   *commit.Digest   `json:"digest,omitempty"`
	Policies []policyPlace    `json:"policies,omitempty"`
	Problems []policy.Problem `json:"problems,omitempty"`
}

// policyPlace is where in its file a policy stands.
type policyPlace struct {
	ID   string `json:"id"`
	Line int    `json:"line"`
}

func checkPolicy(p *cli.Printer, path string) error {
	set, text, err := readPolicy(p, path)
	var wrong *policy.ParseError
	if errors.As(err, &wrong) {
		if p.JSON {
			if err := p.Object(policyObject{Kind: "policy", Problems: wrong.Problems}); err != nil {
				return err
			}
		} else if _, err := io.WriteString(p.Out, cli.Printable(problemsText(path, text, wrong.Problems))); err != nil {
			return err
		}
		return cli.No("%s: %s", path, plural(len(wrong.Problems), "problem"))
	}
	if err != nil {
		return err
	}
	digest, places := commit.Digest(set.Digest()), placesOf(set, text)
	if p.JSON {
		return p.Object(policyObject{Kind: "policy", Valid: true, Digest: &digest, Policies: places})
	}
	rows := make([][]string, len(places))
	for i, place := range places {
		rows[i] = []string{place.ID, fmt.Sprint(place.Line)}
	}
	if err := p.Line("VALID   %s, digest %s\n", cli.Printable(path), digest); err != nil {
		return err
	}
	return p.Table([]string{"policy", "line"}, rows)
}

// readPolicy reads and parses a policy text. The text is there too if it does not parse.
func readPolicy(p *cli.Printer, path string) (*policy.Set, []byte, error) {
	text, err := readInput(p, path, policy.MaxText)
	if err != nil {
		return nil, nil, err
	}
	set, err := policy.Parse(text)
	return set, text, err
}

// mustPolicy is readPolicy for a command that has nothing to say about a text that does not parse but that it does not.
func mustPolicy(p *cli.Printer, path string) (*policy.Set, error) {
	set, text, err := readPolicy(p, path)
	var wrong *policy.ParseError
	if errors.As(err, &wrong) {
		return nil, cli.No("%s\n%s", plural(len(wrong.Problems), "problem"), strings.TrimRight(problemsText(path, text, wrong.Problems), "\n"))
	}
	return set, err
}

// readInput reads a file of at most limit bytes; - is standard input.
func readInput(p *cli.Printer, path string, limit int64) ([]byte, error) {
	if path != "-" {
		return readFile(path, limit)
	}
	b, err := io.ReadAll(io.LimitReader(p.In, limit+1))
	if err != nil {
		return nil, cli.Usage("reading standard input: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, cli.No("standard input is longer than %d bytes", limit)
	}
	return b, nil
}

// problemsText shows each problem with the line that it is about.
func problemsText(path string, text []byte, problems []policy.Problem) string {
	lines := strings.Split(string(text), "\n")
	var b strings.Builder
	for _, p := range problems {
		if p.Line < 1 || p.Line > len(lines) {
			fmt.Fprintf(&b, "%s: %s\n", path, p)
			continue
		}
		fmt.Fprintf(&b, "%s:%s\n", path, p)
		b.WriteString(pointer(lines, p))
	}
	return b.String()
}

// pointer shows a line, and where in it the problem is. What is said of a whole policy names what it stumbled over: that is what is shown then.
func pointer(lines []string, p policy.Problem) string {
	const widest = 160
	line, column := p.Line, p.Column
	if _, rest, ok := strings.Cut(p.Message, "`"); ok {
		if name, _, ok := strings.Cut(rest, "`"); ok && name != "" {
			for i := p.Line - 1; i < len(lines); i++ {
				if before, _, ok := strings.Cut(lines[i], name); ok {
					line, column = i+1, utf8.RuneCountInString(before)+1
					break
				}
			}
		}
	}
	shown := strings.ReplaceAll(strings.TrimRight(lines[line-1], "\r"), "\t", " ")
	if column < 1 || utf8.RuneCountInString(shown) > widest {
		return ""
	}
	return fmt.Sprintf("%5d | %s\n      | %s^\n", line, shown, strings.Repeat(" ", column-1))
}

// placesOf finds the policies in their text, in the order of their ids.
func placesOf(set *policy.Set, text []byte) []policyPlace {
	lines := linesOfPolicies(string(text))
	places := make([]policyPlace, 0, len(lines))
	for _, id := range set.IDs() {
		places = append(places, policyPlace{ID: id, Line: lines[id]})
	}
	return places
}

// linesOfPolicies says on which line each @id stands, of a text that parses: Cedar's comments go from // to the end of a line, and an id holds nothing that is
// escaped.
func linesOfPolicies(text string) map[string]int {
	lines := map[string]int{}
	line := 1
	for at := 0; at < len(text); at++ {
		switch rest := text[at:]; {
		case rest[0] == '\n':
			line++
		case strings.HasPrefix(rest, "//"):
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				at += end - 1
			} else {
				return lines
			}
		case strings.HasPrefix(rest, "@id"):
			open := strings.IndexByte(rest, '"')
			if open < 0 {
				return lines
			}
			if id, _, ok := strings.Cut(rest[open+1:], `"`); ok && lines[id] == 0 {
				lines[id] = line + strings.Count(rest[:open], "\n")
			}
		case rest[0] == '"':
			end := endOfString(rest)
			line += strings.Count(rest[:end], "\n")
			at += end - 1
		}
	}
	return lines
}

// endOfString is how long a string literal at the beginning of a text is.
func endOfString(text string) int {
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

// plural is a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
