package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/assay-net/assay/datahub/keys"
)

// putTries is how often a share is put when others put the same one at the same time.
const putTries = 20

// sharePaths are where a share's versions are, and what Vault knows of them.
type sharePaths struct{ data, metadata string }

func (s *Store) sharePaths(name string) (sharePaths, error) {
	end := "/" + s.config.Prefix + "/shares/" + name
	return sharePaths{s.config.KV + "/data" + end, s.config.KV + "/metadata" + end}, keys.CheckName(name)
}

type shareData struct {
	Share []byte `json:"share"`
}

// PutShare writes the version after the one that is there, so that no two writers can each believe that theirs came last.
func (s *Store) PutShare(ctx context.Context, name string, share []byte) error {
	p, err := s.sharePaths(name)
	if err = errors.Join(err, keys.CheckShare(share)); err != nil {
		return fmt.Errorf("keeping a share: %w", err)
	}
	for range putTries {
		if err = s.putShare(ctx, p, share); !hasStatus(err, http.StatusBadRequest) {
			break
		}
		// Somebody else came first, or an answer was lost on the way: look again.
	}
	if err != nil {
		return fmt.Errorf("keeping share %s: %w", name, err)
	}
	return nil
}

func (s *Store) putShare(ctx context.Context, p sharePaths, share []byte) error {
	version, err := s.shareVersion(ctx, p)
	if err != nil {
		return err
	}
	type options struct {
		Expected int `json:"cas"`
	}
	in := struct {
		Options options   `json:"options"`
		Data    shareData `json:"data"`
	}{options{version}, shareData{share}}
	return s.call(ctx, write, p.data, in, nil)
}

// shareVersion is the version of a share that is there now. For a share that is new it has Vault keep one version only and refuse blind writes.
func (s *Store) shareVersion(ctx context.Context, p sharePaths) (int, error) {
	var now struct {
		Version int `json:"current_version"`
	}
	err := s.call(ctx, read, p.metadata, nil, &now)
	if !missing(err) {
		return now.Version, err
	}
	settings := struct {
		MaxVersions int  `json:"max_versions"`
		CASRequired bool `json:"cas_required"`
	}{1, true}
	return 0, s.call(ctx, write, p.metadata, settings, nil)
}

func (s *Store) Share(ctx context.Context, name string) ([]byte, error) {
	p, err := s.sharePaths(name)
	if err != nil {
		return nil, fmt.Errorf("reading a share: %w", err)
	}
	var out struct {
		Data shareData `json:"data"`
	}
	err = s.call(ctx, read, p.data, nil, &out)
	if f := (*failure)(nil); missing(err) || errors.As(err, &f) && f.deleted {
		return nil, fmt.Errorf("share %s: %w", name, keys.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading share %s: %w", name, err)
	}
	if err := keys.CheckShare(out.Data.Share); err != nil {
		return nil, fmt.Errorf("reading share %s: Vault's secret is none that was kept here: %w", name, err)
	}
	return out.Data.Share, nil
}
