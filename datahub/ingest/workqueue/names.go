package workqueue

import (
	"fmt"
	"strconv"
	"strings"
)

// names of a queue on the broker.
type names struct{ queue string }

const consumerName = "workers"

func (n names) jobs() string    { return "ASSAY_WORK_" + n.queue + "_JOBS" }
func (n names) results() string { return "ASSAY_WORK_" + n.queue + "_RESULTS" }
func (n names) dead() string    { return "ASSAY_WORK_" + n.queue + "_DEAD" }

func (n names) subject(tokens ...string) string {
	return "assay-work." + n.queue + "." + strings.Join(tokens, ".")
}

// tokens takes a subject of this queue apart.
func (n names) tokens(subject string) []string {
	rest, ok := strings.CutPrefix(subject, n.subject(""))
	if !ok {
		return nil
	}
	return strings.Split(rest, ".")
}

// checkName accepts 1 to 64 letters, digits, '-' and '_', which mean nothing to the broker.
func checkName(what, name string) error {
	if len(name) == 0 || len(name) > 64 {
		return fmt.Errorf("%s: name has %d characters, must have 1 to 64", what, len(name))
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return fmt.Errorf("%s: name %q holds %q; letters, digits, '-' and '_' may be used", what, name, r)
		}
	}
	return nil
}

// CheckWorker accepts what can name a worker.
func CheckWorker(name string) error { return checkName("worker", name) }

// CheckQueue accepts what can name a queue.
func CheckQueue(name string) error { return checkName("queue", name) }

func parseAttempt(token string) (uint8, error) {
	v, err := strconv.ParseUint(token, 10, 8)
	if err != nil || v == 0 || strconv.FormatUint(v, 10) != token {
		return 0, fmt.Errorf("%q is no attempt", token)
	}
	return uint8(v), nil
}

// Permissions are the subjects that a client may publish and subscribe to.
type Permissions struct{ Publish, Subscribe []string }

// inboxPrefix keeps clients from reading each other's replies.
func inboxPrefix(queue, client string) string { return "_INBOX_work_" + queue + "_" + client }

// WorkerMay lists what a worker needs on the broker, and nothing else: take jobs, answer under its own name. It holds only in an
// account of the worker's own ([Account]).
func WorkerMay(queue, worker string) Permissions {
	n := names{queue}
	return Permissions{
		Publish: []string{
			n.subject("result", "*", worker),
			n.subject("dead", worker),
			"$JS.API.CONSUMER.INFO." + n.jobs() + "." + consumerName,
			"$JS.API.CONSUMER.MSG.NEXT." + n.jobs() + "." + consumerName,
			"$JS.ACK." + n.jobs() + "." + consumerName + ".>",
		},
		Subscribe: []string{inboxPrefix(queue, worker) + ".>"},
	}
}

// OwnerMay lists what the owner's node needs on the broker for a queue, if it connects as client of that name ([Dial]).
func OwnerMay(queue, client string) Permissions {
	n := names{queue}
	p := Permissions{
		Publish: []string{n.subject("job", "*", "*"), "$JS.API.INFO",
			"$JS.API.CONSUMER.CREATE." + n.jobs() + "." + consumerName + ".>", "$JS.API.CONSUMER.CREATE." + n.jobs() + "." + consumerName,
			"$JS.API.CONSUMER.DURABLE.CREATE." + n.jobs() + "." + consumerName,
			"$JS.API.CONSUMER.INFO." + n.jobs() + "." + consumerName, "$JS.API.STREAM.PURGE." + n.jobs(), "$JS.API.STREAM.MSG.GET." + n.results()},
		Subscribe: []string{n.subject("result", "*", "*"), inboxPrefix(queue, client) + ".>"},
	}
	for _, stream := range []string{n.jobs(), n.results(), n.dead()} {
		for _, call := range []string{"CREATE", "UPDATE", "INFO"} {
			p.Publish = append(p.Publish, "$JS.API.STREAM."+call+"."+stream)
		}
	}
	return p
}
