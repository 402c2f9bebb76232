package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

// proveWorkerCall is one call of assay prove-worker.
type proveWorkerCall struct {
	*cli.Printer
	profile, identity        string
	nats, roots, serverName  string
	credentials, queueKey    string
	tlsCertificate, tlsKey   string
	queue, name, keys        string
	jobs                     int
	mu                       sync.Mutex
	proven, failed, returned int
	working                  int
}

func newProveWorkerCommand(p *cli.Printer) *cobra.Command {
	c := &proveWorkerCall{Printer: p}
	command := &cobra.Command{
		Use:   "prove-worker --profile PROFILE",
		Short: "Prove chunks for an owner's node",
		Long: `Prove-worker takes chunks of an owner's requests from the work queue of its node, proves them, and sends the proofs
back, until it is stopped. Any number of workers share the work; one that is killed loses none of it. A worker learns the records
of the chunks that it proves, the broker between learns none.

PROFILE is what the node wrote for this worker: the broker's address, and where credentials and queue key are, or both sealed to
the worker's age identity (--identity). Each part can be given by a flag instead. The key cache must be the one that the node
proves with, or a copy of it.

An interrupt lets the worker finish what it is at and take no more; a second one gives that back to the queue at once.
The worker stops by itself, with exit code 1, if its keys are not the ledger's, or if the node found a proof of it wrong.`,
		Example: `  assay prove-worker --profile worker-1.json
  assay prove-worker --profile worker-1.json --identity /etc/assay/age.txt --jobs 4 --json
  assay prove-worker --nats tls://node.example:4222 --roots ca.pem --name worker-1 \
      --credentials worker-1.nkey --queue-key file:/etc/assay/queue.key`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	f := command.Flags()
	f.StringVar(&c.profile, "profile", "", "what the node wrote for this worker")
	f.StringVar(&c.identity, "identity", "", "file with the age identity that the profile's secrets are sealed to")
	f.StringVar(&c.nats, "nats", "", "the broker's URL, tls://HOST:PORT (nats:// on this machine only)")
	f.StringVar(&c.roots, "roots", "", "file with the CAs, in PEM, that the broker's certificate comes from")
	f.StringVar(&c.serverName, "server-name", "", "what the broker's certificate is for, if not the URL's host")
	f.StringVar(&c.tlsCertificate, "tls-certificate", "", "this worker's own certificate in PEM, if the broker asks for one")
	f.StringVar(&c.tlsKey, "tls-key", "", "its key in PEM")
	f.StringVar(&c.credentials, "credentials", "", "file with a NATS credentials file, an nkey's seed, or user:password")
	f.StringVar(&c.queueKey, "queue-key", "", "where the queue's key is: file:/absolute/path or env:NAME")
	f.StringVar(&c.queue, "queue", "", "the queue's name on the broker (default prove)")
	f.StringVar(&c.name, "name", "", "this worker's name, which the broker knows it by (default the host's name)")
	f.StringVar(&c.keys, "keys", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
	f.IntVar(&c.jobs, "jobs", 0, "chunks that are proven at once (default: what suits this machine)")
	return command
}

const maxWorkerFile = 64 << 10

func (c *proveWorkerCall) run(ctx context.Context) error {
	profile, secrets, err := c.inputs()
	if err != nil {
		return err
	}
	keys, err := c.provingKeys(profile)
	if err != nil {
		return err
	}
	server := workqueue.Server{
		URL: profile.Broker, Roots: []byte(profile.Roots), Name: profile.ServerName, Credentials: secrets.Credentials,
		Queue: profile.Queue, Client: profile.Worker, Logger: c.log(),
	}
	if server.Certificate, err = c.file(c.tlsCertificate); err != nil {
		return err
	}
	if server.Key, err = c.file(c.tlsKey); err != nil {
		return err
	}
	conn, err := workqueue.Dial(server)
	if err != nil {
		return cli.No("%w", err)
	}
	defer conn.Close()
	queue, err := workqueue.Join(ctx, conn, profile.Worker, workqueue.Options{Queue: profile.Queue, Key: secrets.Queue, Logger: c.log()})
	if err != nil {
		return cli.No("%w", err)
	}
	worker, err := prove.NewWorker(queue, keys, prove.WorkerOptions{Name: profile.Worker, Jobs: c.jobs, Report: c.report, Logger: c.log()})
	if err != nil {
		return cli.Usage("--jobs: %w", err)
	}
	return c.work(ctx, worker, profile)
}

// provingKeys opens the setup that the ledger pins by its SRS, as the profile says. Without a profile it is the unsafe one.
func (c *proveWorkerCall) provingKeys(profile *prove.Profile) (*setup.Keys, error) {
	if profile.SRS.IsZero() {
		return openSetup(c.keys, verify.SetupUnsafe, func(step string) { c.Note("… %s", step) })
	}
	keys, err := setupWith(c.keys, profile.SRS)
	if err != nil {
		return nil, cli.No("%w: %w", prove.ErrOtherKeys, err)
	}
	return keys, nil
}

// work runs the worker until it is told to stop.
func (c *proveWorkerCall) work(ctx context.Context, worker *prove.Worker, profile *prove.Profile) error {
	if err := c.Result(proveWorkerObject{Kind: "prove_worker", Worker: profile.Worker, Queue: profile.Queue, Stage: "ready"},
		"READY   %s waits for work in queue %s", profile.Worker, profile.Queue); err != nil {
		return err
	}
	hurry, giveBack := context.WithCancel(context.Background())
	defer giveBack()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, hurry) }()
	for told := 0; ; {
		select {
		case err := <-ended:
			return c.end(profile, err)
		case <-signals:
			if told++; told > 1 {
				giveBack()
				continue
			}
			c.mu.Lock()
			c.Note("assay prove-worker: finishing %d jobs; interrupt again to give them back", c.working)
			c.mu.Unlock()
		}
	}
}

func (c *proveWorkerCall) end(profile *prove.Profile, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := proveWorkerObject{"prove_worker", profile.Worker, profile.Queue, "stopped", c.proven, c.failed, c.returned}
	if printed := c.Result(o, "STOPPED %s proved %d chunks, failed with %d, gave back %d", profile.Worker, c.proven, c.failed, c.returned); printed != nil {
		return printed
	}
	if err != nil {
		return cli.No("%w", err)
	}
	return nil
}

type proveWorkerObject struct {
	Kind     string `json:"kind"`
	Worker   string `json:"worker"`
	Queue    string `json:"queue"`
	Stage    string `json:"stage"`
	Proven   int    `json:"proven"`
	Failed   int    `json:"failed"`
	Returned int    `json:"returned"`
}

type proveJobObject struct {
	Kind      string      `json:"kind"`
	Stage     prove.Stage `json:"stage"`
	Job       string      `json:"job"`
	Fleet     string      `json:"fleet"`
	Epoch     uint64      `json:"epoch"`
	Chunk     uint32      `json:"chunk"`
	Slots     uint32      `json:"slots"`
	Attempt   uint8       `json:"attempt"`
	Delivered uint64      `json:"delivered"`
	Seconds   float64     `json:"seconds"`
	Error     string      `json:"error,omitempty"`
}

// report prints what happens to a job. Jobs that were just taken are of interest to programs only.
func (c *proveWorkerCall) report(e prove.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.working--
	switch e.Stage {
	case prove.Taken:
		c.working += 2
	case prove.Proven:
		c.proven++
	case prove.Returned:
		c.returned++
	default:
		c.failed++
	}
	o := proveJobObject{"prove_job", e.Stage, e.Job.String(), e.Fleet, e.Epoch, e.Chunk, e.Slots, e.Attempt, e.Delivered, e.Took.Seconds(), ""}
	if e.Err != nil {
		o.Error = cli.Printable(e.Err.Error())
	}
	if e.Stage == prove.Taken && !c.JSON {
		return
	}
	text := strings.ToUpper(string(e.Stage))
	text += strings.Repeat(" ", max(1, len("RETURNED ")-len(text)))
	c.Result(o, "%schunk %d of fleet %s at epoch %d (%d slots) after %s %s", text, e.Chunk, e.Fleet, e.Epoch, e.Slots, e.Took.Round(10*time.Millisecond), o.Error) //nolint:errcheck // whoever listened is gone; the work goes on
}

// inputs are the profile, as flags change it, and its secrets.
func (c *proveWorkerCall) inputs() (*prove.Profile, prove.Secrets, error) {
	p := &prove.Profile{Version: prove.ProfileVersion}
	if c.profile != "" {
		b, err := readFile(c.profile, prove.MaxProfile)
		if err != nil {
			return nil, prove.Secrets{}, err
		}
		if p, err = prove.ParseProfile(b); err != nil {
			return nil, prove.Secrets{}, cli.Usage("%s: %w", c.profile, err)
		}
	}
	if err := c.override(p); err != nil {
		return nil, prove.Secrets{}, err
	}
	secrets, err := c.secrets(p)
	return p, secrets, err
}

func (c *proveWorkerCall) override(p *prove.Profile) error {
	p.Broker, p.ServerName = cmp.Or(c.nats, p.Broker), cmp.Or(c.serverName, p.ServerName)
	p.Queue, p.Worker = cmp.Or(c.queue, p.Queue, "prove"), cmp.Or(c.name, p.Worker, hostWorker())
	if p.Broker == "" {
		return cli.Usage("the broker is not named: give --profile or --nats")
	}
	if err := errors.Join(workqueue.CheckQueue(p.Queue), workqueue.CheckWorker(p.Worker)); err != nil {
		return cli.Usage("%w", err)
	}
	roots, err := c.file(c.roots)
	if err != nil {
		return err
	}
	p.Roots = cmp.Or(string(roots), p.Roots)
	return nil
}

func (c *proveWorkerCall) secrets(p *prove.Profile) (s prove.Secrets, err error) {
	if c.queueKey != "" {
		p.QueueKey, p.Sealed = reference.Reference(c.queueKey), ""
	}
	identity, err := c.file(c.identity)
	if err != nil {
		return s, err
	}
	if s, err = p.Secrets(identity); err != nil {
		return s, cli.Usage("%w", err)
	}
	if c.credentials != "" {
		s.Credentials, err = c.file(c.credentials)
	}
	return s, err
}

// file reads a flag's file, if there is one.
func (c *proveWorkerCall) file(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	return readFile(path, maxWorkerFile)
}

// hostWorker makes the host's name a worker's.
func hostWorker() string {
	host, err := os.Hostname()
	if err != nil {
		return "worker"
	}
	return strings.ReplaceAll(host, ".", "-")
}

// log writes what the operator should know among the notes.
func (c *proveWorkerCall) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(c.Notes, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
