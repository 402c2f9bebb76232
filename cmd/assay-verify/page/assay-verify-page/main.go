// Assay-verify-page makes the page that verifies bundles in a browser; package page says what is in it. It is called within the module's sources.
//
//	assay-verify-page FILE
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/assay-net/assay/cmd/assay-verify/page"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "assay-verify-page:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("name the file to write")
	}
	html, err := page.Build(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(args[0], html, 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes\n", args[0], len(html))
	return nil
}
