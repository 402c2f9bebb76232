package page

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
)

var (
	//go:embed index.html
	index string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	script string
	//go:embed lzma.js
	lzma string

	frame = template.Must(template.New("index.html").Parse(index))
)

const program = "github.com/assay-net/assay/cmd/assay-verify"

// Build compiles the program from the module's sources around the working directory, and makes the page.
func Build(ctx context.Context) ([]byte, error) {
	wasm, err := compile(ctx)
	if err != nil {
		return nil, err
	}
	glue, err := runtimeGlue(ctx)
	if err != nil {
		return nil, err
	}
	packed, err := pack(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return assemble(packed, len(wasm), glue)
}

// small leaves out inlining, which makes the program a tenth smaller, but where it matters: in the arithmetic of the curve, and in the multiplication of words beneath it, without which
// verification takes three times as long.
var small = []string{"-gcflags=all=-l", "-gcflags=math/bits=", "-gcflags=github.com/consensys/gnark-crypto/...="}

func compile(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "assay-verify-page-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder left behind is no reason to fail
	path := filepath.Join(dir, "assay-verify.wasm")
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path}, small, []string{program})...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if _, err := output(cmd); err != nil {
		return nil, fmt.Errorf("compiling for WebAssembly: %w", err)
	}
	return os.ReadFile(path)
}

// runtimeGlue is what Go's own release has to run its WebAssembly in a browser.
func runtimeGlue(ctx context.Context) (string, error) {
	root, err := output(exec.CommandContext(ctx, "go", "env", "GOROOT"))
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	return string(b), err
}

func pack(ctx context.Context, wasm []byte) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "xz", "--format=lzma", "-9e", "--threads=1", "--stdout")
	cmd.Stdin = bytes.NewReader(wasm)
	packed, err := output(cmd)
	if err != nil {
		return nil, fmt.Errorf("compressing the program: %w", err)
	}
	return packed, nil
}

func output(cmd *exec.Cmd) ([]byte, error) {
	b, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %w: %s", cmd.Args[0], err, exit.Stderr)
	}
	return b, err
}

func assemble(packed []byte, size int, glue string) ([]byte, error) {
	for name, text := range map[string]string{"wasm_exec.js": glue, "lzma.js": lzma, "page.js": script, "verdict.css": verdict.Style, "page.css": pageStyle} {
		if strings.Contains(text, "</") || strings.Contains(text, "<!--") {
			return nil, fmt.Errorf("%s has what would end it, or be taken for markup, in a page", name)
		}
	}
	var out bytes.Buffer
	err := frame.Execute(&out, map[string]any{
		"Policy":       policy([]string{glue, lzma, script}, []string{verdict.Style, pageStyle}),
		"VerdictStyle": verdict.Style, "PageStyle": pageStyle, "Glue": glue, "LZMA": lzma, "Script": script,
		"Program": base64.StdEncoding.EncodeToString(packed), "Size": size,
	})
	return out.Bytes(), err
}

// policy forbids everything but these texts and WebAssembly.
func policy(scripts, styles []string) string {
	return "default-src 'none'; script-src " + sources(scripts) + " 'wasm-unsafe-eval'; style-src " + sources(styles) +
		"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func sources(texts []string) string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = verdict.Source(text)
	}
	return strings.Join(out, " ")
}
