package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// Whoever gives up during a login gives up for himself: those who wait log in.
func TestLoginThatIsGivenUpIsNotTheOthers(t *testing.T) {
	var hang atomic.Bool
	entered, release := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if hang.CompareAndSwap(true, false) {
			entered <- struct{}{}
			<-release
			return
		}
		fmt.Fprint(w, `{"data":{"ttl":0}}`) //nolint:errcheck // the client sees it
	}))
	t.Cleanup(server.Close)
	t.Setenv("ASSAY_TEST_TOKEN", "token")
	s, err := Open(t.Context(), Config{Address: server.URL, Retries: -1, Login: Login{Method: Token, Token: "env:ASSAY_TEST_TOKEN"}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })      //nolint:errcheck // it returns none
	t.Cleanup(func() { close(release) }) // before the server, which waits for its answers, is closed
	s.stop()                             // what renews the session logs in too
	s.work.Wait()
	hang.Store(true)
	s.sessions.current.Store(nil)
	first, giveUp := context.WithCancel(t.Context())
	results := make(chan error, 1)
	go func() {
		_, err := s.sessions.get(first)
		results <- err
	}()
	<-entered
	second := make(chan error, 1)
	go func() { second <- s.Check(t.Context()) }()
	giveUp()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that gave up: %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("the other: %v", err)
	}
}
