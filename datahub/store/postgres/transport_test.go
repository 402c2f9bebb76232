package postgres

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/store/driver"
)

func TestServerOfAnotherMachineHasToProveWhoItIs(t *testing.T) {
	for _, name := range []string{"PGHOST", "PGSSLMODE", "PGSSLROOTCERT", "PGSERVICE"} {
		t.Setenv(name, "")
	}
	for url, taken := range map[string]bool{
		"postgres://u:secret@db.example.org/d":                                                false,
		"postgres://u:secret@db.example.org/d?sslmode=disable":                                false,
		"postgres://u:secret@db.example.org/d?sslmode=allow":                                  false,
		"postgres://u:secret@db.example.org/d?sslmode=prefer&assay_plaintext=allow":           false,
		"postgres://u:secret@db.example.org/d?sslmode=require":                                false,
		"postgres://u:secret@db.example.org/d?sslmode=require&assay_plaintext=allow":          false,
		"postgres://u:secret@db.example.org/d?assay_plaintext=allow":                          false,
		"postgres://u:secret@10.0.0.7/d":                                                      false,
		"postgres://u:secret@/d?host=db.example.org":                                          false,
		"postgres://u:secret@127.0.0.1,db.example.org/d":                                      false,
		"postgres://u:secret@db.example.org/d?sslmode=disable&assay_plaintext=yes":            false,
		"postgres://u:secret@db.example.org/d?sslmode=disable&assay_plaintext=allow":          true,
		"postgres://u:secret@db.example.org/d?sslmode=verify-full":                            true,
		"postgres://u:secret@db.example.org/d?sslmode=verify-ca":                              true,
		"postgres://u:secret@db.example.org,other.example.org/d?sslmode=verify-full":          true,
		"postgres://u:secret@127.0.0.1:5432/d":                                                true,
		"postgres://u:secret@[::1]/d":                                                         true,
		"postgres://u:secret@localhost/d?sslmode=disable":                                     true,
		"postgres://u:secret@/d?host=/var/run/postgresql":                                     true,
		"postgresql://u:secret@db.example.org/d?sslmode=verify-full&target_session_attrs=any": true,
	} {
		c, err := config(url, 4)
		if (err == nil) != taken {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error quotes the password: %v", err)
		}
		if err == nil && c.ConnConfig.RuntimeParams[plaintextOption] != "" {
			t.Errorf("%s: the server is told of the option", url)
		}
	}
}

func TestBrokenConnectionIsUnavailable(t *testing.T) {
	for _, err := range []error{sqldriver.ErrBadConn, sql.ErrConnDone} {
		if !errors.Is(failure(err), driver.ErrUnavailable) {
			t.Errorf("%v is not unavailable", err)
		}
	}
}
