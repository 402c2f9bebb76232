package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// demoProcess is a command of this program that runs beside it.
type demoProcess struct {
	name, log string
	cmd       *exec.Cmd
	done      chan struct{}
	err       error // once done is closed
}

// startProcess starts this program again, with other arguments. What it says goes to a log.
func startProcess(name, log string, args ...string) (*demoProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // the process has its own
	p := &demoProcess{name: name, log: log, done: make(chan struct{})}
	p.cmd = &exec.Cmd{Path: self, Args: append([]string{"assay"}, args...), Env: os.Environ(), Stdout: f, Stderr: f, SysProcAttr: own()}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// ended says why a process is gone, nil while it runs.
func (p *demoProcess) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s stopped before it was told to (%v), and says:\n%s", p.name, p.err, tail(p.log))
	default:
		return nil
	}
}

const stopPatience = 30 * time.Second

// stop asks a process to end, and ends it if it does not.
func (p *demoProcess) stop() {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		p.cmd.Process.Signal(s) //nolint:errcheck // it may have ended by itself
		select {
		case <-p.done:
			return
		case <-time.After(stopPatience):
		}
	}
}

// tail is the end of a log.
func tail(path string) string {
	const most = 4 << 10
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close() //nolint:errcheck // opened for reading
	if info, err := f.Stat(); err == nil && info.Size() > most {
		f.Seek(-most, io.SeekEnd) //nolint:errcheck // the beginning is shown then
	}
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b))
}

// runFabric runs the command that administers the network to its end, and returns what it printed.
func (c *demoCall) runFabric(ctx context.Context, path string, args ...string) ([]byte, error) {
	var out, notes bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it stops what it started
	cmd.WaitDelay = stopPatience
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &out, io.MultiWriter(&notes, noteWriter{c}), own()
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", path, strings.Join(args, " "), err, strings.TrimSpace(notes.String()))
	}
	return out.Bytes(), nil
}

// noteWriter passes lines on as notes.
type noteWriter struct{ c *demoCall }

func (w noteWriter) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		w.c.Note("… %s", strings.TrimRight(string(line), "\n"))
	}
	return len(b), nil
}
