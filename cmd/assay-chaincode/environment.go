package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// variable is the environment variable for a flag.
func variable(flag string) string {
	return "ASSAY_CHAINCODE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that were not given from the environment. An empty variable is one that is not set.
func fromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := lookup(variable(f.Name))
		if !ok || value == "" || f.Changed || err != nil || f.Name == "help" {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = fmt.Errorf("%s: %w", variable(f.Name), e)
		}
	})
	return err
}
