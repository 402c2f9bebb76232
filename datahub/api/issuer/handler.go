package issuer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Paths behind the issuer's URL.
const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/jwks.json"
)

// Handler answers for the discovery document and the public keys, at their paths behind the path of the issuer's URL. Both are for anyone.
func (i *Issuer) Handler() http.Handler {
	base := strings.TrimSuffix(i.url, "/")
	prefix := ""
	if u, err := url.Parse(base); err == nil {
		prefix = u.Path
	}
	discovery := map[string]any{
		"issuer":                                i.url,
		"jwks_uri":                              base + keysPath,
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"subject_types_supported":               []string{"public"},
		"response_types_supported":              []string{}, // nobody signs in here
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+discoveryPath, func(w http.ResponseWriter, _ *http.Request) { answer(w, discovery) })
	mux.HandleFunc("GET "+prefix+keysPath, func(w http.ResponseWriter, r *http.Request) {
		set, err := i.Keys(r.Context())
		if err != nil {
			http.Error(w, "the issuer's keys cannot be read", http.StatusServiceUnavailable)
			return
		}
		answer(w, set)
	})
	return mux
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=60")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}
