package gateway

import (
	"net/url"
	"path"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

// A path that is taken has no other spelling: cleaning and escaping leave it as it is.
func FuzzPlainPath(f *testing.F) {
	for _, p := range []string{"/v1/fleets/north", "/v1/requests/0a:watch", "/docs/", "/", "/v1/../x", "/v1//x", "/v1/%2e", "/v1/.", "/v1/...", "/v1/\x00"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if !plainPath(p) || p == docsPath {
			return
		}
		if path.Clean(p) != p {
			t.Errorf("%q is cleaned to %q", p, path.Clean(p))
		}
		if escaped := (&url.URL{Path: p}).EscapedPath(); escaped != p {
			t.Errorf("%q is escaped as %q", p, escaped)
		}
	})
}

// Whatever parameters are taken, the decoder of the gateway has a field for each.
func FuzzQuery(f *testing.F) {
	b := &binding{method: "list", input: (&assayv1.ListRequestsRequest{}).ProtoReflect().Descriptor()}
	for _, q := range []string{"owner=a&page_size=3", "owner[a]=b", "a.b.c=1", "owner=a;fleet=b", "status=OPEN", "%zz", "owner", "=", "&&", "owner=\xc0"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		if b.checkQuery(q, nil) != nil {
			return
		}
		values, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		into := &assayv1.ListRequestsRequest{}
		if runtime.PopulateQueryParameters(into, values, utilities.NewDoubleArray(nil)) != nil {
			return
		}
		for name := range values {
			if b.input.Fields().ByName(protoreflect.Name(name)) == nil {
				t.Errorf("%q has no field", name)
			}
		}
		if _, err := proto.Marshal(into); err != nil {
			t.Errorf("%q: %v", q, err)
		}
	})
}

func TestNormalPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"/v1/fleets": "/v1/fleets", "/v1/fleets/{fleet}": "/v1/fleets/{fleet=*}", "/v1/requests/{request}:watch": "/v1/requests/{request=*}:watch",
		"/v1/{a}/{b=x/*}/{c}": "/v1/{a=*}/{b=x/*}/{c=*}",
	} {
		if got := normal(pattern); got != want {
			t.Errorf("%s: got %s, want %s", pattern, got, want)
		}
	}
}
