package party_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"

	"github.com/assay-net/assay/datahub/party/partytest"
)

// journal is what a node says.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// says counts the lines with a text.
func (j *journal) says(text string) int { return strings.Count(j.String(), text) }

// startHeard starts a node, and hears what it says.
func startHeard(w *partytest.World, org string) *journal {
	j := &journal{}
	o := w.Options(org)
	o.Logger = slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.StartWith(org, o)
	return j
}
