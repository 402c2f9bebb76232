package postgrestest

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestServerIsRestartedKilledAndRemoved(t *testing.T) {
	var s *Server
	t.Run("runs", func(t *testing.T) {
		s = Start(t, Options{MaxConnections: 7})
		url := s.Database(t)
		value := func(statement string) (out string) {
			t.Helper()
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			if err := conn.QueryRow(t.Context(), statement).Scan(&out); err != nil {
				t.Fatal(err)
			}
			return out
		}
		if got := value("SHOW max_connections"); got != "7" {
			t.Errorf("max_connections is %s", got)
		}
		if got := value("SELECT lo_from_bytea(4711, 'kept')"); got != "4711" {
			t.Error(got)
		}
		s.Restart(t)
		s.Kill(t)
		s.Start(t)
		if got := value("SELECT convert_from(lo_get(4711), 'UTF8')"); got != "kept" {
			t.Error(got)
		}
	})
	if s == nil {
		t.SkipNow()
	}
	if _, err := os.Stat(s.directory); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
	if s.process != nil && syscall.Kill(s.process.Process.Pid, 0) == nil {
		t.Error("it runs still")
	}
}
