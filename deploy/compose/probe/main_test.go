package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		w.Write([]byte(strings.Repeat("x", 2*maxAnswer))) //nolint:errcheck // the client has read enough
	}))
	defer server.Close()
	var out strings.Builder
	if err := probe(server.URL+"/readyz", &out); err != nil || out.Len() != maxAnswer {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
	if err := probe(server.URL+"/other", &out); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("not ready: %v", err)
	}
	server.Close()
	if probe(server.URL+"/readyz", &out) == nil {
		t.Error("nobody listens, and all is well")
	}
}
