package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

const (
	// maxBundle bounds a proof bundle, maxEvidence a file of evidence.
	maxBundle   = 6 << 20
	maxEvidence = 256 << 20
)

// chunk is a part of a file.
type chunk interface {
	GetData() []byte
	GetOffset() uint64
	GetSize() uint64
	GetSha256() string
}

// Bundle is the proof bundle of a verified request.
func (c *Client) Bundle(ctx context.Context, request string) ([]byte, error) {
	stream, err := c.Proofs.DownloadBundle(ctx, &assayv1.DownloadBundleRequest{Request: request})
	if err != nil {
		return nil, err
	}
	return assemble(maxBundle, stream.Recv)
}

// Evidence is the file of evidence of a request.
func (c *Client) Evidence(ctx context.Context, request string) ([]byte, error) {
	stream, err := c.Audit.GetEvidence(ctx, &assayv1.GetEvidenceRequest{Request: request})
	if err != nil {
		return nil, err
	}
	return assemble(maxEvidence, stream.Recv)
}

// assemble puts a file together from its chunks, which come in order, and checks its digest.
func assemble[C chunk](most int, receive func() (C, error)) ([]byte, error) {
	var file []byte
	var size uint64
	var sum string
	for {
		c, err := receive()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if file == nil {
			size, sum = c.GetSize(), c.GetSha256()
		}
		if size > uint64(most) {
			return nil, fmt.Errorf("download: the file has %d bytes, at most %d", size, most)
		}
		if c.GetOffset() != uint64(len(file)) || c.GetSize() != size || c.GetSha256() != sum || len(c.GetData()) == 0 || uint64(len(c.GetData())) > size-uint64(len(file)) {
			return nil, fmt.Errorf("download: what comes behind byte %d does not fit", len(file))
		}
		file = append(file, c.GetData()...)
	}
	if uint64(len(file)) != size || size == 0 {
		return nil, fmt.Errorf("download: ended at byte %d of %d", len(file), size)
	}
	if got := sha256.Sum256(file); hex.EncodeToString(got[:]) != sum {
		return nil, errors.New("download: the file is not what its digest says")
	}
	return file, nil
}
