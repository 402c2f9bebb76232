// Command probe asks whether a server on this machine answers, for the health check of an image that holds nothing else:
//
//	probe http://127.0.0.1:9464/readyz
//
// The exit code is 0 for an answer of 200, 1 for any other or none within five seconds, with what was wrong on standard output, where a container's
// engine keeps it.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	within    = 5 * time.Second
	maxAnswer = 4 << 10
)

func main() {
	if len(os.Args) != 2 {
		fmt.Println("usage: probe URL")
		os.Exit(2)
	}
	if err := probe(os.Args[1], os.Stdout); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// probe prints the answer, as far as an operator reads it.
func probe(url string, out io.Writer) error {
	answer, err := (&http.Client{Timeout: within}).Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	if _, err := io.Copy(out, io.LimitReader(answer.Body, maxAnswer)); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return nil
}
