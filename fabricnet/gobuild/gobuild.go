// Package gobuild builds commands of other projects from their source, once for all on a machine who need them.
//
// A [Folder] in the cache is made by one process while others wait, and appears as a whole or not at all; what was left behind by a process that was killed is
// removed by the next that makes the folder. A [Build] downloads and compiles what a module pins, with the go command, and says how far it is. The package does not
// check what was compiled: that is for the module's go.sum.
package gobuild

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// maxComplaint bounds the lines of a failed command that are shown.
const maxComplaint = 20

// Command is the go command without what a caller's environment may say about modules, and as a group of processes that is stopped as a whole.
func Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=0")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	return c
}

// List is what go list prints.
func List(ctx context.Context, dir string, args ...string) ([]byte, error) {
	out, err := Command(ctx, dir, append([]string{"list"}, args...)...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = errors.Join(ctx.Err(), err, complaint(strings.Split(strings.TrimSpace(string(failed.Stderr)), "\n")))
	}
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return out, nil
}

// Build is one run of go build.
type Build struct {
	// Module is the folder of the module that pins what is built, Packages are the commands.
	Module   string
	Packages []string
	// Flags are go build's, without -v and -o.
	Flags []string
	// Output is the file to write, or a folder with a separator at its end.
	Output string
}

// Run downloads and compiles. Report is told, from this goroutine, of each package that was compiled, out of at most total.
func (b *Build) Run(ctx context.Context, report func(done, total int)) error {
	list, err := List(ctx, b.Module, b.args("-deps")...)
	if err != nil {
		return err
	}
	c := Command(ctx, b.Module, append([]string{"build", "-v", "-o", b.Output}, b.args()...)...)
	stderr, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("running go: %w", err)
	}
	said := follow(stderr, bytes.Count(list, []byte("\n")), report)
	if err := c.Wait(); err != nil {
		return fmt.Errorf("go build: %w", errors.Join(ctx.Err(), err, said))
	}
	return nil
}

func (b *Build) args(first ...string) []string {
	return append(append(first, b.Flags...), b.Packages...)
}

// follow counts the packages that the compiler names and returns whatever else it said, as an error.
func follow(r io.Reader, total int, report func(done, total int)) error {
	var said []string
	done := 0
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if line := lines.Text(); strings.ContainsAny(line, " \t") {
			said = append(said, line)
			continue
		}
		done++
		report(min(done, total), total)
	}
	return complaint(said)
}

// complaint is the end of what a command said, nil for nothing.
func complaint(lines []string) error {
	text := strings.Join(lines[max(0, len(lines)-maxComplaint):], "\n")
	if text == "" {
		return nil
	}
	return errors.New(text)
}
