package main

import (
	"encoding/json"
	"fmt"
	"syscall/js"
	"time"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// answer is what the page gets, as JSON: the verdict for programs, and put into words for people in the forms that the page shows and saves.
type answer struct {
	Verdict  *verdict.Verdict  `json:"verdict,omitempty"`
	Document *verdict.Document `json:"document,omitempty"`
	Text     string            `json:"text,omitempty"`
	HTML     string            `json:"html,omitempty"`
	// Error says why files could not be checked at all.
	Error string `json:"error,omitempty"`
}

// main gives the page one function, assayVerify(bundle, trust, ceremony, ledger): two Uint8Arrays, a third or null, the ledger id that is expected or "", and JSON back. It answers before it returns.
func main() {
	js.Global().Set("assayVerify", js.FuncOf(func(_ js.Value, args []js.Value) any {
		b, err := json.Marshal(check(args))
		if err != nil {
			return `{"error":"the verdict cannot be encoded"}`
		}
		return string(b)
	}))
	select {}
}

func check(args []js.Value) (out *answer) {
	defer func() {
		if p := recover(); p != nil {
			out = &answer{Error: fmt.Sprintf("cannot be checked: %v", p)}
		}
	}()
	if len(args) != 4 {
		return &answer{Error: "give a bundle, an export of the ledger, a transcript and a ledger id"}
	}
	files := verdict.Files{At: time.Now()}
	if id := args[3].String(); id != "" {
		if err := files.Ledger.UnmarshalText([]byte(id)); err != nil {
			return &answer{Error: "the ledger id: " + err.Error()}
		}
		if files.Ledger.IsZero() {
			return &answer{Error: "the ledger id is all zeros"}
		}
	}
	var err error
	if files.Bundle, err = bytesOf("bundle", args[0], verify.MaxBundleBytes); err != nil {
		return &answer{Error: err.Error()}
	}
	if files.Trust, err = bytesOf("export", args[1], ledger.MaxTrust); err != nil {
		return &answer{Error: err.Error()}
	}
	if !args[2].IsNull() {
		if files.Ceremony, err = bytesOf("transcript", args[2], transcript.MaxFile); err != nil {
			return &answer{Error: err.Error()}
		}
	}
	v := verdict.Check(files)
	d := v.Document()
	return &answer{Verdict: v, Document: d, Text: d.Text(), HTML: d.HTML()}
}

func bytesOf(what string, v js.Value, limit int) ([]byte, error) {
	n := v.Length()
	if n > limit {
		return nil, fmt.Errorf("the %s has %d bytes, at most %d", what, n, limit)
	}
	b := make([]byte, n)
	js.CopyBytesToGo(b, v)
	return b, nil
}
