package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

// chunks gives a file's chunks, each of a length.
func chunks(file string, length int) []*assayv1.DownloadBundleResponse {
	sum := sha256.Sum256([]byte(file))
	var out []*assayv1.DownloadBundleResponse
	for at := 0; at < len(file); at += length {
		out = append(out, &assayv1.DownloadBundleResponse{
			Data: []byte(file[at:min(at+length, len(file))]), Offset: uint64(at), Size: uint64(len(file)), Sha256: hex.EncodeToString(sum[:]),
		})
	}
	return out
}

func receive(in []*assayv1.DownloadBundleResponse) func() (*assayv1.DownloadBundleResponse, error) {
	return func() (*assayv1.DownloadBundleResponse, error) {
		if len(in) == 0 {
			return nil, io.EOF
		}
		first := in[0]
		in = in[1:]
		return first, nil
	}
}

func TestFilesArePutTogether(t *testing.T) {
	for _, length := range []int{1, 3, 10, 100} {
		got, err := assemble(10, receive(chunks("0123456789", length)))
		if err != nil || string(got) != "0123456789" {
			t.Errorf("in chunks of %d: %q, %v", length, got, err)
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	type download = []*assayv1.DownloadBundleResponse
	for name, c := range map[string]struct {
		change func(download) download
		text   string
	}{
		"nothing":         {func(download) download { return nil }, "ended at byte 0"},
		"too large":       {func(d download) download { d[0].Size = 11; return d }, "at most 10"},
		"cut":             {func(d download) download { return d[:2] }, "ended at byte 6 of 10"},
		"out of order":    {func(d download) download { d[0], d[1] = d[1], d[0]; return d }, "behind byte 0"},
		"twice":           {func(d download) download { return append(d[:1], d...) }, "behind byte 3"},
		"more":            {func(d download) download { d[3].Data = []byte("9x"); return d }, "behind byte 9"},
		"an empty chunk":  {func(d download) download { d[1].Data = nil; return d }, "behind byte 3"},
		"another size":    {func(d download) download { d[1].Size = 9; return d }, "behind byte 3"},
		"another digest":  {func(d download) download { d[1].Sha256 = ""; return d }, "behind byte 3"},
		"something else":  {func(d download) download { d[1].Data = []byte("xyz"); return d }, "digest"},
		"offset wraps":    {func(d download) download { d[1].Offset = 1 << 63; return d }, "behind byte 3"},
		"size of nothing": {func(d download) download { d[0].Size = 0; return d }, "behind byte 0"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := assemble(10, receive(c.change(chunks("0123456789", 3))))
			if err == nil || !strings.Contains(err.Error(), c.text) || got != nil {
				t.Errorf("%q, %v, want %q", got, err, c.text)
			}
		})
	}
	broken := errors.New("broken")
	if _, err := assemble(10, func() (*assayv1.DownloadBundleResponse, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// However chunks are cut and altered, what is put together has the digest that was promised.
func FuzzAssemble(f *testing.F) {
	f.Add([]byte("0123456789"), uint8(3), uint8(1), uint64(3))
	f.Fuzz(func(t *testing.T, file []byte, length, which uint8, offset uint64) {
		in := chunks(string(file), int(length)+1)
		if len(in) > 0 {
			in[int(which)%len(in)].Offset = offset
		}
		got, err := assemble(64, receive(in))
		if err == nil && string(got) != string(file) {
			t.Errorf("%q became %q", file, got)
		}
	})
}
