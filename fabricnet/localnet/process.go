package localnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	killTimeout  = 30 * time.Second
	poll         = 25 * time.Millisecond
)

// program is one process of a network: what to run and how to see that it works.
type program struct {
	name         string
	role         Role
	organisation string
	listeners    []listener
	dir          string
	command      []string
	environment  []string
	// ready returns nil once the process serves.
	ready func(context.Context) error
}

// record is run/NAME.json.
type record struct {
	identity
	Started time.Time `json:"started"`
}

func readRecord(l layout, name string) (*record, error) {
	b, err := os.ReadFile(l.run(name))
	if err != nil {
		return nil, err
	}
	r := new(record)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.run(name), err)
	}
	if r.PID < 2 {
		return nil, fmt.Errorf("reading %s: pid is %d, must be at least 2", l.run(name), r.PID)
	}
	return r, nil
}

// start starts the program in a session of its own, so that it outlives this process and no key pressed here reaches it.
func (p *program) start(ctx context.Context, l layout) error {
	if err := awaitFree(ctx, portPatience, p.name, p.listeners); err != nil {
		return err
	}
	log, err := os.OpenFile(l.log(p.name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	defer log.Close() //nolint:errcheck // the process has its own handle
	c := exec.Command(p.command[0], p.command[1:]...)
	c.Dir, c.Env, c.Stdout, c.Stderr = p.dir, append(baseEnvironment(), p.environment...), log, log
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	if err := p.keepRecord(l, c.Process.Pid); err != nil {
		return errors.Join(fmt.Errorf("starting %s: %w", p.name, err), c.Process.Kill(), c.Wait())
	}
	go c.Wait() //nolint:errcheck // lets the kernel forget it should it end before we do; whether it runs is asked elsewhere
	return nil
}

func (p *program) keepRecord(l layout, pid int) error {
	id, err := identify(pid)
	if err != nil {
		return err
	}
	b, err := json.Marshal(record{id, time.Now().UTC()})
	if err != nil {
		return err
	}
	// It need not survive the machine, which the process would not either; but half of it must not be read.
	path := l.run(p.name)
	return errors.Join(os.WriteFile(path+".new", b, 0o600), os.Rename(path+".new", path))
}

// baseEnvironment is what a process needs from the caller's environment. Fabric reads settings from variables, so the rest stays out.
func baseEnvironment() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ", "GOMAXPROCS", "GOMEMLIMIT", "GODEBUG"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

// runs reports whether the program's process runs.
func (p *program) runs(l layout) bool {
	r, err := readRecord(l, p.name)
	return err == nil && r.runs()
}

// await polls until the program serves, ends, or takes too long.
func (p *program) await(ctx context.Context, l layout) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if !p.runs(l) {
			return fmt.Errorf("%s ended when it had just started\n%s", p.name, tail(l.log(p.name)))
		}
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		if pause(ctx) != nil {
			return fmt.Errorf("waiting for %s to serve: %w (%w)\n%s", p.name, err, ctx.Err(), tail(l.log(p.name)))
		}
	}
}

// pause waits for the next look at something.
func pause(ctx context.Context) error {
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// stop ends a process: politely, then not. It is no error if it does not run.
func stop(ctx context.Context, l layout, name string) error {
	r, err := readRecord(l, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !r.end(ctx, syscall.SIGTERM, stopTimeout) && !r.end(context.WithoutCancel(ctx), syscall.SIGKILL, killTimeout) {
		return fmt.Errorf("stopping %s: process %d does not end", name, r.PID)
	}
	return os.Remove(l.run(name))
}

// end signals the process and reports whether it ended within the time.
func (i identity) end(ctx context.Context, s os.Signal, within time.Duration) bool {
	if err := i.signal(s); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for i.runs() {
		if pause(ctx) != nil {
			return false
		}
	}
	return true
}
