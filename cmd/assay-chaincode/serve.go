package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/chaincode"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// serveCall is the flags of serve.
type serveCall struct {
	*cli.Printer
	id, address                     string
	genesis, channel, chaincode     string
	srs, srsDigest, data            string
	tlsCert, tlsKey, tlsClientRoots string
	insecureNoTLS                   bool
}

func newServeCommand(p *cli.Printer) *cobra.Command {
	c := &serveCall{Printer: p}
	command := &cobra.Command{
		Use:   "serve --id PACKAGEID --address HOST:PORT --genesis FILE --data DIR",
		Short: "Run the contract for this organisation's peer",
		Long: `Serve runs the contract of one ledger for one organisation's Fabric peer, as an external chaincode service. It listens
where the package's connection.json says, and takes connections only from a client with a certificate from
--tls-client-roots: whoever has one is believed to be the peer, so let these roots issue the peer's certificate and no other.

It keeps in DIR: attestations/, which it checked before it endorsed an anchor, and consent, which is what the
organisation agrees to and is read at each call. One service at a time uses DIR.

When it listens, it prints one line of JSON with its address. It logs a line of JSON per call to standard error. SIGTERM or
SIGINT stops it.`,
		Example: `  assay-chaincode serve --id assay_1:7cb6… --address 0.0.0.0:9999 --genesis genesis.json --srs srs --data /var/lib/assay-chaincode \
    --tls-cert server.pem --tls-key server.key --tls-client-roots peer-ca.pem`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&c.id, "id", "", "id of the chaincode package, as the peer gave it when it was installed")
	flags.StringVar(&c.address, "address", "", "where to listen, host:port; port 0 is a free one")
	flags.StringVar(&c.genesis, "genesis", "", "the ledger's genesis")
	flags.StringVar(&c.channel, "channel", "assay", "the channel that the ledger is on")
	flags.StringVar(&c.chaincode, "chaincode", "assay", "the name by which the channel knows the contract; calls that were signed for another chaincode are refused")
	flags.StringVar(&c.srs, "srs", "", "the SRS that attestations are checked against; without it, anchors are refused")
	flags.StringVar(&c.srsDigest, "srs-digest", "", "the digest that the SRS must have; without it, any is taken whose points the ledger has pinned")
	flags.StringVar(&c.data, "data", "", "folder for the consent list and attestations")
	flags.StringVar(&c.tlsCert, "tls-cert", "", "the service's TLS certificate, PEM")
	flags.StringVar(&c.tlsKey, "tls-key", "", "the certificate's key, PEM")
	flags.StringVar(&c.tlsClientRoots, "tls-client-roots", "", "CA certificates of the peer's client certificate, PEM")
	flags.BoolVar(&c.insecureNoTLS, "insecure-no-tls", false, "take anybody who can reach the address for the peer; loopback addresses only")
	cli.Require(command, "id", "address", "genesis", "data")
	return command
}

func (c *serveCall) run(ctx context.Context) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	genesis, err := readGenesis(c.genesis)
	if err != nil {
		return err
	}
	ready := readyObject{Kind: "ready", Ledger: genesis.ID()}
	var srs *commit.SRS
	if c.srs != "" {
		if srs, err = readSRS(c.srs, c.srsDigest); err != nil {
			return err
		}
		digest := srs.Digest()
		ready.SRS = &digest
	}
	unlock, err := lockData(c.data)
	if err != nil {
		return err
	}
	defer unlock()
	store := attestations.Store{Dir: filepath.Join(c.data, "attestations")}
	if err := store.Clear(); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(c.Notes, nil))
	contract, err := chaincode.New(chaincode.Config{Genesis: genesis, Channel: c.channel, Chaincode: c.chaincode, SRS: srs, Attestations: store, Consent: consentOf(c.data), Log: log})
	if err != nil {
		return err
	}
	return c.serve(ctx, contract, options, log, ready)
}

type readyObject struct {
	Kind    string         `json:"kind"`
	Address string         `json:"address"`
	Ledger  commit.Digest  `json:"ledger"`
	SRS     *commit.Digest `json:"srs"`
}

func (c *serveCall) serve(ctx context.Context, contract *chaincode.Contract, options chaincode.Options, log *slog.Logger, ready readyObject) error {
	service, err := chaincode.Listen(contract, options)
	if err != nil {
		return err
	}
	ready.Address = service.Address()
	if err := c.Object(ready); err != nil {
		return err
	}
	log.Info("listening", "address", ready.Address, "ledger", ready.Ledger.String(), "tls", options.TLS != nil)
	if err := service.Serve(ctx); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// options reads the TLS files. There is no TLS only where that is asked for by name.
func (c *serveCall) options() (chaincode.Options, error) {
	o := chaincode.Options{PackageID: c.id, Address: c.address}
	files := []struct{ flag, path string }{{"tls-cert", c.tlsCert}, {"tls-key", c.tlsKey}, {"tls-client-roots", c.tlsClientRoots}}
	var content [3][]byte
	for i, f := range files {
		if c.insecureNoTLS != (f.path == "") {
			return o, cli.Usage("give --tls-cert, --tls-key and --tls-client-roots, or --insecure-no-tls alone")
		}
		if c.insecureNoTLS {
			continue
		}
		b, err := readFile(f.path, maxPEM)
		if err != nil {
			return o, cli.Usage("--%s: %w", f.flag, err)
		}
		content[i] = b
	}
	if !c.insecureNoTLS {
		o.TLS = &chaincode.TLS{Certificate: content[0], Key: content[1], ClientRoots: content[2]}
	}
	return o, nil
}

func readGenesis(path string) (*ledger.Genesis, error) {
	b, err := readFile(path, ledger.MaxGenesis)
	if err != nil {
		return nil, cli.Usage("--genesis: %w", err)
	}
	genesis, err := ledger.ParseGenesis(b)
	if err != nil {
		return nil, cli.Usage("--genesis: %s: %w", path, err)
	}
	return genesis, nil
}

// lockData makes the data folder and holds it against a second service.
func lockData(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, cli.Usage("--data: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, cli.Usage("--data: locking %s: %w", dir, err)
	}
	if !held {
		return nil, fmt.Errorf("--data: another service uses %s", dir)
	}
	return func() { lock.Close() }, nil //nolint:errcheck // the process' end unlocks it too
}

const maxPEM = 1 << 20

func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errors.New(path + " is too long")
	}
	return b, err
}
