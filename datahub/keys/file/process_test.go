package file

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/reference"
)

// The test binary is its own second process: it does what this variable says, in the directory and with the machine key of the other two.
const (
	roleVariable      = "ASSAY_TEST_KEYS_ROLE"
	directoryVariable = "ASSAY_TEST_KEYS_DIRECTORY"
	identityVariable  = "ASSAY_TEST_KEYS_IDENTITY"
)

func TestMain(m *testing.M) {
	roles := map[string]func(*Store) error{"derive": deriveMany, "change": changeForEver}
	role := roles[os.Getenv(roleVariable)]
	if role == nil {
		os.Exit(m.Run())
	}
	s, err := Open(context.Background(), Config{
		Directory: os.Getenv(directoryVariable), Identity: reference.Reference(os.Getenv(identityVariable)), Create: true,
	})
	if err == nil {
		err = role(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func process(t *testing.T, c Config, role string) *exec.Cmd {
	t.Helper()
	p := exec.Command(os.Args[0])
	p.Env = append(os.Environ(), roleVariable+"="+role, directoryVariable+"="+c.Directory, identityVariable+"="+string(c.Identity))
	return p
}

// deriveMany derives from secrets that others make at the same time.
func deriveMany(s *Store) error {
	for i := range 40 {
		out, err := s.Derive(context.Background(), fmt.Sprintf("name-%d", i), [][]byte{[]byte("context")})
		if err != nil {
			return err
		}
		fmt.Println(hex.EncodeToString(out[0][:]))
	}
	return nil
}

// Processes that open a new directory at once, and make the same keys at once, agree on all of them.
func TestProcessesAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	c := withIdentity(t)
	var out [4][]byte
	var all sync.WaitGroup
	for i := range out {
		p := process(t, c, "derive")
		var errs bytes.Buffer
		p.Stderr = &errs
		all.Go(func() {
			var err error
			if out[i], err = p.Output(); err != nil {
				t.Errorf("%v: %s", err, &errs)
			}
		})
	}
	all.Wait()
	for _, o := range out {
		if !bytes.Equal(o, out[0]) || bytes.Count(o, []byte("\n")) != 40 {
			t.Error("two processes derive different outputs")
		}
	}
}

// changeForEver makes, replaces and destroys keys, and says so each time that it has.
func changeForEver(s *Store) error {
	ctx := context.Background()
	for i := 0; ; i++ {
		name := fmt.Sprintf("name-%d", i%5)
		if err := s.PutShare(ctx, name, bytes.Repeat([]byte{byte(i)}, 300+i%256)); err != nil {
			return err
		}
		fmt.Printf("share %s %d\n", name, i%256)
		out, err := s.Derive(ctx, fmt.Sprintf("%s-%d", name, i), [][]byte{nil})
		if err != nil {
			return err
		}
		fmt.Printf("derive %s-%d %x\n", name, i, out[0])
		wrapped, err := s.Wrap(ctx, name, make([]byte, 32), nil)
		if err != nil {
			return err
		}
		fmt.Printf("wrap %s %x\n", name, wrapped)
		if i%2 == 0 {
			continue
		}
		fmt.Printf("destroying %s\n", name)
		if err := s.Destroy(ctx, name); err != nil {
			return err
		}
		fmt.Printf("destroyed %s\n", name)
	}
}

// Whenever a process is killed, what it said it had done is done, and what it was doing is done or not.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	c := withIdentity(t)
	openStore(t, c)
	said := make(map[string]string) // of each subject, the last line
	for range 12 {
		p := process(t, c, "change")
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		for n := rand.N(60) + 1; n > 0; n-- {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			note(said, line)
		}
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(lines)
		if err != nil {
			t.Fatal(err)
		}
		p.Wait() //nolint:errcheck // it was killed
		for line := range strings.Lines(string(rest)) {
			note(said, line)
		}
		checkSaid(t, openStore(t, c), said)
	}
}

func note(said map[string]string, line string) {
	if !strings.HasSuffix(line, "\n") {
		return
	}
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	subject, _, _ := strings.Cut(rest, " ")
	if verb == "destroying" || verb == "destroyed" {
		said["wrap "+subject] = verb
		return
	}
	said[verb+" "+subject] = strings.TrimPrefix(rest, subject+" ")
}

func checkSaid(t *testing.T, s *Store, said map[string]string) {
	t.Helper()
	for what, value := range said {
		verb, name, _ := strings.Cut(what, " ")
		switch verb {
		case "share":
			share, err := s.Share(t.Context(), name)
			if err != nil || len(share) < 300 || len(share) != 300+int(share[0]) || bytes.Count(share, share[:1]) != len(share) {
				t.Errorf("%s: %d bytes, %v", what, len(share), err)
			}
		case "derive":
			out, err := s.Derive(t.Context(), name, [][]byte{nil})
			if err != nil || hex.EncodeToString(out[0][:]) != value {
				t.Errorf("%s: another output, or %v", what, err)
			}
		case "wrap":
			checkWrapped(t, s, name, value)
		}
	}
	files, err := os.ReadDir(s.dir.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") {
			t.Errorf("%s was left", f.Name())
		}
	}
}

func checkWrapped(t *testing.T, s *Store, name, value string) {
	t.Helper()
	if value == "destroying" {
		return
	}
	wrapped, _ := hex.DecodeString(value) //nolint:errcheck // "destroyed" is none
	_, err := s.Unwrap(t.Context(), name, append(wrapped, make([]byte, 73-len(wrapped))...), nil)
	switch {
	case value != "destroyed" && err != nil:
		t.Errorf("wrapped under %s: %v", name, err)
	case value == "destroyed" && !errors.Is(err, keys.ErrNotFound) && !errors.Is(err, keys.ErrCorrupt): // there may be a new one
		t.Errorf("destroyed %s: %v", name, err)
	}
}
