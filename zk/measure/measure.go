// Package measure gathers the figures of a benchmark, prints them as they come, and writes them to a file for programs. A figure of its own says
// little, since machines differ: most stand against another one of the same run, with their ratio. Only benchmarks import it.
package measure

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Figure is one line of the table, and of the file.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Against names the figure that this one is compared with, or is empty; Ratio is as the benchmark defines it.
	Against string  `json:"against"`
	Ratio   float64 `json:"ratio"`
}

// Table is the figures of one run.
type Table struct {
	out     io.Writer
	Figures []Figure
}

// NewTable prints the machine, and every figure as it is added.
func NewTable(out io.Writer) *Table {
	t := &Table{out: out}
	fmt.Fprintf(out, "machine: %s, %d cores, %s\n", processor(), runtime.NumCPU(), runtime.Version()) //nolint:errcheck // a terminal
	return t
}

// Add takes a figure, compared with another one or not.
func (t *Table) Add(name string, value float64, unit, against string, ratio float64) {
	t.Figures = append(t.Figures, Figure{name, value, unit, against, ratio})
	line := fmt.Sprintf("%-40s %12.3f %-14s", name, value, unit)
	if against != "" {
		line += fmt.Sprintf(" %8.2f × %s", ratio, against)
	}
	fmt.Fprintln(t.out, line) //nolint:errcheck // a terminal
}

// Write writes the figures as a JSON array.
func (t *Table) Write(path string) error {
	b, err := json.MarshalIndent(t.Figures, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name\t: "); ok {
			return strings.TrimSpace(name)
		}
	}
	return runtime.GOARCH
}
