// Package second runs a second verifier of bundles: one in TypeScript, written to zk/SPEC.md, which shares no code with
// package zk/verify and uses another library for the curve. Tests hold the two against each other, and with both the
// specification. Its sources are in src; the package carries them, installs what they need, compiles them and talks to
// the process.
//
// It needs node, npm and npm's registry, the last only when the verifier is installed for the first time. Nothing is
// written to the source tree.
//
// It is no verifier to rely on by itself: it checks proofs one by one, and takes about a tenth of a second for each.
package second

import (
	"bufio"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/gofrs/flock"
)

//go:embed package.json package-lock.json tsconfig.json src
var sources embed.FS

// maxAnswer bounds a line of the verifier's: a verdict over a hundred thousand chunks.
const maxAnswer = 64 << 20

// Install puts the verifier below dir, compiled, and returns the path of its program. What is there already, of the same
// sources, is left as it is; any number of processes may install at the same time.
func Install(ctx context.Context, dir string) (string, error) {
	name, err := digest()
	if err != nil {
		return "", err
	}
	home := filepath.Join(dir, "second-verifier")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", fmt.Errorf("installing the second verifier: %w", err)
	}
	lock := flock.New(filepath.Join(home, "lock"))
	if err := lock.Lock(); err != nil {
		return "", fmt.Errorf("installing the second verifier: %w", err)
	}
	defer lock.Unlock() //nolint:errcheck // it ends with the process at the latest
	at := filepath.Join(home, name)
	program := filepath.Join(at, "built", "main.js")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := build(ctx, home, at); err != nil {
		return "", fmt.Errorf("installing the second verifier: %w", err)
	}
	return program, nil
}

// digest names the sources, so that changed ones are compiled anew.
func digest() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(sources, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := sources.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(b)) //nolint:errcheck // writing to a hash does not fail
		h.Write(b)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}

// build makes the directory aside and renames it when it is whole.
func build(ctx context.Context, home, at string) error {
	part, err := os.MkdirTemp(home, "part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	if err := os.CopyFS(part, sources); err != nil {
		return err
	}
	for _, command := range [][]string{
		{"npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"},
		{"npm", "run", "build"},
		{"npm", "prune", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"},
	} {
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Dir = part
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s", command[0], command[1], err, out)
		}
	}
	if err := os.RemoveAll(at); err != nil {
		return err
	}
	return os.Rename(part, at)
}

// Verifier is a process of the second verifier. It answers one request at a time.
type Verifier struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// Start starts a program that [Install] made. It ends with the context or with Close.
func Start(ctx context.Context, program string) (*Verifier, error) {
	v := &Verifier{process: exec.CommandContext(ctx, "node", program, "--serve")}
	v.process.Stderr = os.Stderr
	out, err := v.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if v.in, err = v.process.StdinPipe(); err != nil {
		return nil, err
	}
	v.out = bufio.NewScanner(out)
	v.out.Buffer(make([]byte, 0, 1<<16), maxAnswer)
	if err := v.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the second verifier: %w", err)
	}
	return v, nil
}

// Ask sends a request, which is marshalled as one line of JSON, and unmarshals the answer. src/serve.ts says what may be asked.
func (v *Verifier) Ask(request, answer any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := v.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("asking the second verifier: %w", err)
	}
	if !v.out.Scan() {
		return errors.Join(errors.New("the second verifier ended"), v.out.Err())
	}
	return json.Unmarshal(v.out.Bytes(), answer)
}

// Close ends the process.
func (v *Verifier) Close() error {
	return errors.Join(v.in.Close(), v.process.Wait())
}
