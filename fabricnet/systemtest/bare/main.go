// Command bare is a chaincode service that puts its argument into the state and checks nothing. It takes the flags of assay-chaincode serve, so that a local network runs
// it as its contract, and benchmarks compare the contract with it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

type bare struct{}

func (bare) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke takes what a call of the contract takes: function, ledger id, arguments.
func (bare) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	args := stub.GetArgs()
	if len(args) != 3 {
		return shim.Error(fmt.Sprintf("%d arguments, must be 3", len(args)))
	}
	if err := stub.PutState("bare/"+stub.GetTxID(), args[2]); err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(nil)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || args[0] != "serve" {
		return errors.New("usage: bare serve FLAGS")
	}
	f := flag.NewFlagSet("bare", flag.ContinueOnError)
	given := map[string]*string{}
	for _, name := range []string{"id", "address", "genesis", "srs", "data", "tls-cert", "tls-key", "tls-client-roots"} {
		given[name] = f.String(name, "", "as of assay-chaincode serve")
	}
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, name := range []string{"tls-cert", "tls-key", "tls-client-roots"} {
		b, err := os.ReadFile(*given[name])
		if err != nil {
			return err
		}
		files[name] = b
	}
	server := &shim.ChaincodeServer{
		CCID: *given["id"], Address: *given["address"], CC: bare{},
		TLSProps: shim.TLSProperties{Key: files["tls-key"], Cert: files["tls-cert"], ClientCACerts: files["tls-client-roots"]},
	}
	return server.Start()
}
