package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// findPrograms returns the directory of the newest server's programs.
func findPrograms() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	best, version := "", 0.0
	for _, path := range found {
		dir := filepath.Dir(path)
		if v, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64); err == nil && v > version {
			best, version = dir, v
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("the programs of a PostgreSQL server are not installed (Debian: apt-get install postgresql)")
	}
	return filepath.Dir(path), nil
}

// initialise makes the data directory.
func (s *Server) initialise(o Options) error {
	uid, gid := os.Getuid(), os.Getgid()
	// The signal ends the server, without waiting for its clients, if the test's process dies.
	s.attribute = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	if uid == 0 {
		var err error
		if uid, gid, err = unprivileged(); err != nil {
			return err
		}
		s.attribute.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	parent := s.directory
	if o.Data != "" {
		parent = o.Data
	}
	s.data = filepath.Join(parent, "data")
	for _, dir := range []string{s.directory, parent} {
		if err := os.Chown(dir, uid, gid); err != nil {
			return err
		}
	}
	initdb := exec.Command(filepath.Join(s.programs, "initdb"), "--pgdata", s.data, "--waldir", filepath.Join(s.directory, "wal"),
		"--username", owner, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = s.attribute, s.directory
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s.configure(o)
}

func (s *Server) configure(o Options) error {
	connections := o.MaxConnections
	if connections == 0 {
		connections = 100
	}
	lines := append([]string{
		"listen_addresses = ''",
		"port = 5432",
		fmt.Sprintf("unix_socket_directories = '%s'", s.directory),
		fmt.Sprintf("max_connections = %d", connections),
		"superuser_reserved_connections = 0",
		"shared_buffers = 64MB",
		"max_wal_size = 256MB",
	}, o.Settings...)
	f, err := os.OpenFile(filepath.Join(s.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
	return errors.Join(err, f.Close())
}

// unprivileged finds a user to run the server as.
func unprivileged() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, lookErr := user.Lookup(name)
		if lookErr != nil {
			err = lookErr
			continue
		}
		uid, err = strconv.Atoi(u.Uid)
		if err != nil {
			return 0, 0, err
		}
		gid, err = strconv.Atoi(u.Gid)
		return uid, gid, err
	}
	return 0, 0, err
}

// start runs the server until it answers. One that was killed may not start until the last of its processes has noticed.
func (s *Server) start() error {
	if s.process != nil {
		return errors.New("it runs already")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if err := s.launch(); err != nil {
			return err
		}
		if s.answers(ctx) {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(errors.New("it does not answer"), s.end(syscall.SIGKILL))
		}
		s.process = nil
	}
}

func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.directory, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	p := &process{Cmd: exec.Command(filepath.Join(s.programs, "postgres"), "-D", s.data), ended: make(chan struct{})}
	p.SysProcAttr, p.Dir, p.Stdout, p.Stderr = s.attribute, s.directory, log, log
	if err := p.Cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.Wait() // how it ended is in its log
		close(p.ended)
	}()
	s.process = p
	return nil
}

// answers waits until the server answers; false says that it ended or that the time is over.
func (s *Server) answers(ctx context.Context) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx) == nil
		}
		select {
		case <-s.process.ended:
			return false
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// end sends the server's main process a signal and waits until it is gone. The others of its processes follow it by themselves.
func (s *Server) end(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	if err := p.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("process %d does not end after signal %d", p.Process.Pid, signal)
	}
}
