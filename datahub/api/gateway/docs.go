package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
)

var inline = regexp.MustCompile(`(?s)<(script|style)>(.*?)</(?:script|style)>`)

// newDocs serves the page to read about the interface and to try it. What is inline in the page is allowed by its hash.
func newDocs() (http.Handler, error) {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Assay", SwaggerJSON: openapiPath, BasePath: docsPath, ShowTopBar: false,
		// Nothing but this node is asked, for nothing but what is typed in, and what is typed in is not kept.
		SettingsUI: map[string]string{"validatorUrl": "null", "persistAuthorization": "false", "queryConfigEnabled": "false", "withCredentials": "false"},
	})
	policy, err := policyOf(page)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			refuse(w, access.Refuse(codes.Unimplemented, access.ReasonInvalid, "method: must be GET"))
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-cache")
		page.ServeHTTP(w, r)
	}), nil
}

// policyOf renders the page once and hashes what is inline in it.
func policyOf(page http.Handler) (string, error) {
	answer := &rendered{header: http.Header{}}
	request, err := http.NewRequest(http.MethodGet, docsPath, nil)
	if err != nil {
		return "", err
	}
	page.ServeHTTP(answer, request)
	if answer.code != 0 {
		return "", fmt.Errorf("it answers %d", answer.code)
	}
	hashes := map[string][]string{}
	for _, m := range inline.FindAllStringSubmatch(answer.String(), -1) {
		sum := sha256.Sum256([]byte(m[2]))
		hashes[m[1]] = append(hashes[m[1]], "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	if len(hashes["script"]) == 0 {
		return "", errors.New("it has no script of its own")
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' " + strings.Join(hashes["script"], " "),
		"style-src 'self' " + strings.Join(hashes["style"], " "),
		"img-src 'self' data:",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; "), nil
}

// rendered is an answer that is kept.
type rendered struct {
	bytes.Buffer
	header http.Header
	code   int
}

func (r *rendered) Header() http.Header  { return r.header }
func (r *rendered) WriteHeader(code int) { r.code = code }
