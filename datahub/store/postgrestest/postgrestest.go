// Package postgrestest runs real PostgreSQL servers for tests: each has a directory of its own, listens on a Unix socket in it and
// nowhere else, and is stopped when the test ends. It needs the server's programs (Debian: apt-get install postgresql). A test that
// asks for a server fails where they are missing, and is skipped with -short.
//
// PostgreSQL does not run as root: a test that does runs the server as the user postgres or nobody.
package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or to stop.
const patience = 90 * time.Second

// owner is the server's superuser.
const owner = "assay"

// Options of a server.
type Options struct {
	// MaxConnections is the server's bound, none of which are kept for superusers; 0 is 100.
	MaxConnections int
	// Data is an existing directory in which the data go, such as a small file system; empty is the server's own directory.
	// The write-ahead log is always in the server's own directory.
	Data string
	// Settings are lines of postgresql.conf, such as "fsync = off".
	Settings []string
}

// Server is a PostgreSQL server.
type Server struct {
	programs  string // the directory of its programs
	directory string
	data      string
	attribute *syscall.SysProcAttr
	process   *process // nil while it is stopped
	databases atomic.Int64
}

// process is the server while it runs.
type process struct {
	*exec.Cmd
	ended chan struct{}
}

// Start starts a server that is stopped when the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a PostgreSQL server")
	}
	s, err := newServer(o)
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", s.logTail())
		}
		if err := s.remove(); err != nil {
			t.Errorf("stopping PostgreSQL: %v", err)
		}
	})
	return s
}

// Shared is a server for all tests of a package. It starts when it is asked for first; TestMain calls Stop.
type Shared struct {
	Options
	once   sync.Once
	server *Server
	err    error
}

// Server returns the server.
func (s *Shared) Server(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a PostgreSQL server")
	}
	s.once.Do(func() { s.server, s.err = newServer(s.Options) })
	if s.err != nil {
		t.Fatalf("starting PostgreSQL: %v", s.err)
	}
	return s.server
}

// Stop stops the server if it was started.
func (s *Shared) Stop() error {
	if s.server == nil {
		return nil
	}
	return s.server.remove()
}

func newServer(o Options) (s *Server, err error) {
	s = &Server{}
	if s.programs, err = findPrograms(); err != nil {
		return nil, err
	}
	if s.directory, err = os.MkdirTemp("", "assay-pg-"); err != nil {
		return nil, err
	}
	if err := s.initialise(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.directory))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, s.logTail()), s.remove())
	}
	return s, nil
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		t.Fatalf("connecting to PostgreSQL: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("making database %s: %v", name, err)
	}
	return s.URL(name)
}

// URL is the address of a database of the server.
func (s *Server) URL(database string) string {
	query := url.Values{"host": {s.directory}, "port": {"5432"}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(owner), Host: "", Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

// Stop ends the server as an administrator does, breaking off connections.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.end(syscall.SIGINT); err != nil {
		t.Fatalf("stopping PostgreSQL: %v", err)
	}
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.end(syscall.SIGKILL); err != nil {
		t.Fatalf("killing PostgreSQL: %v", err)
	}
}

// Start starts the server again after Stop or Kill, and returns when it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("starting PostgreSQL again: %v\n%s", err, s.logTail())
	}
}

// Restart is Stop and Start.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

func (s *Server) remove() error {
	err := s.end(syscall.SIGINT)
	if filepath.Dir(s.data) != s.directory {
		err = errors.Join(err, os.RemoveAll(s.data))
	}
	return errors.Join(err, os.RemoveAll(s.directory))
}

func (s *Server) logTail() []byte {
	log, err := os.ReadFile(filepath.Join(s.directory, "log"))
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.Split(log, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-40):], []byte("\n"))
}
