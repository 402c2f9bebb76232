package workqueue

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Kind says how a job ended at a worker.
type Kind uint8

// Kinds of results.
const (
	// Done: the payload is what the work came to. Nothing says that it is right.
	Done Kind = 1
	// Failed: the worker could not do it; the payload is its reason.
	Failed Kind = 2
	// Dead: the job was delivered too often without an end, or could not be opened, and lies among the dead letters; the payload
	// is the reason.
	Dead Kind = 3
)

// Result is what a worker answered.
type Result struct {
	ID      ID
	Attempt uint8
	// Worker is whose subject the result came on, as the broker's permissions have it.
	Worker  string
	Kind    Kind
	Payload []byte
}

const maxReason = 1024

// Reason is the payload of a job that was not done, as a line that can be shown.
func (r *Result) Reason() string { return printable(string(r.Payload)) }

func printable(text string) string {
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

func (c *codec) sealResult(r *Result) []byte {
	return c.seal(toOwner, r.ID, r.Worker, append([]byte{byte(r.Kind), r.Attempt}, r.Payload...))
}

// openResult reads a message on a result's subject.
func (c *codec) openResult(tokens []string, b []byte) (*Result, error) {
	if len(tokens) != 3 || tokens[0] != "result" {
		return nil, errors.New("not the subject of a result")
	}
	id, err := parseID(tokens[1])
	if err != nil {
		return nil, err
	}
	if err := CheckWorker(tokens[2]); err != nil {
		return nil, err
	}
	plain, err := c.open(toOwner, id, tokens[2], b, MaxResult)
	if err != nil {
		return nil, err
	}
	if len(plain) < 2 {
		return nil, fmt.Errorf("result has %d bytes, must have 2 at least", len(plain))
	}
	r := &Result{ID: id, Worker: tokens[2], Kind: Kind(plain[0]), Attempt: plain[1], Payload: plain[2:]}
	if r.Kind < Done || r.Kind > Dead || r.Attempt == 0 {
		return nil, fmt.Errorf("result of kind %d for attempt %d", r.Kind, r.Attempt)
	}
	return r, nil
}

// openJob reads a message on a job's subject.
func (c *codec) openJob(tokens []string, b []byte) (Job, error) {
	if len(tokens) != 3 || tokens[0] != "job" {
		return Job{}, errors.New("not the subject of a job")
	}
	id, err := parseID(tokens[1])
	if err != nil {
		return Job{}, err
	}
	attempt, err := parseAttempt(tokens[2])
	if err != nil {
		return Job{}, err
	}
	payload, err := c.open(toWorker, id, tokens[2], b, MaxPayload)
	if err != nil {
		return Job{}, err
	}
	return Job{ID: id, Attempt: attempt, Payload: payload}, nil
}
