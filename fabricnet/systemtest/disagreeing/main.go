// Command disagreeing is an organisation's contract service that was built otherwise than the others': it runs the contract, and writes one byte more to each value. It takes the flags of
// assay-chaincode serve, so that a local network runs it in its place.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/chaincode"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// disagreeing is the contract with another opinion on what is to be written.
type disagreeing struct{ shim.Chaincode }

func (d disagreeing) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	return d.Chaincode.Invoke(otherwise{stub})
}

type otherwise struct{ shim.ChaincodeStubInterface }

func (o otherwise) PutState(key string, value []byte) error {
	return o.ChaincodeStubInterface.PutState(key, append(value[:len(value):len(value)], ' '))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "serve" {
		return errors.New("usage: disagreeing serve FLAGS")
	}
	f := flag.NewFlagSet("disagreeing", flag.ContinueOnError)
	given := map[string]*string{}
	for _, name := range []string{"id", "address", "genesis", "srs", "data", "tls-cert", "tls-key", "tls-client-roots"} {
		given[name] = f.String(name, "", "as of assay-chaincode serve")
	}
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, name := range []string{"genesis", "tls-cert", "tls-key", "tls-client-roots"} {
		b, err := os.ReadFile(*given[name])
		if err != nil {
			return err
		}
		files[name] = b
	}
	genesis, err := ledger.ParseGenesis(files["genesis"])
	if err != nil {
		return err
	}
	contract, err := chaincode.New(chaincode.Config{
		Channel: "assay",
		Genesis: genesis, Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		Attestations: attestations.Store{Dir: filepath.Join(*given["data"], "attestations")},
		Consent:      consent.List{Path: filepath.Join(*given["data"], "consent")},
	})
	if err != nil {
		return err
	}
	service, err := chaincode.Listen(disagreeing{contract}, chaincode.Options{
		PackageID: *given["id"], Address: *given["address"],
		TLS: &chaincode.TLS{Certificate: files["tls-cert"], Key: files["tls-key"], ClientRoots: files["tls-client-roots"]},
	})
	if err != nil {
		return err
	}
	return service.Serve(ctx)
}
