// Command tools checks what is deployed with the libraries of those who run it, without a network, a cluster or a daemon.
//
//	tools compose FILE…                load Compose files, one over the other, and print the project
//	tools chart DIRECTORY [VALUES]     lint a Helm chart, render it, check every object, and print them
//
// compose does what `docker compose config` does, with the same loader: schema, interpolation, consistency. A variable is taken from the
// environment.
//
// chart runs the rules of `helm lint --strict` and renders with the engine of `helm template`. It decodes every object into Kubernetes' own type,
// where an unknown or repeated field is an error, and holds pods to the Pod Security Standard "restricted" with the code of Kubernetes' admission.
// It does not know what an API server checks beyond types (a name's form, a label's length), nor custom resources.
//
// It is a module of its own, since these libraries are larger than Assay. Results are JSON on standard output; the exit code is 1 if anything is wrong.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var result any
	var err error
	switch {
	case len(args) >= 2 && args[0] == "compose":
		result, err = loadCompose(ctx, args[1:])
	case len(args) >= 2 && len(args) <= 3 && args[0] == "chart":
		result, err = checkChart(args[1], args[2:])
	default:
		return fmt.Errorf("usage: tools compose FILE… | tools chart DIRECTORY [VALUES]")
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
