package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/commit"
)

// Seen is what a device's folder says of it.
type Seen struct {
	Certificate *commit.DeviceCertificate
	Kept
}

// Look reads the devices of a directory without taking part in anything. It needs no lock: what it sees of a device that is running may be
// a moment old.
func Look(path string) ([]Seen, error) {
	names, err := serials(path)
	if err != nil {
		return nil, err
	}
	var out []Seen
	for _, serial := range names {
		s, err := look(folderOf(path, serial))
		if errors.Is(err, os.ErrNotExist) {
			continue // it is being made
		}
		if err != nil {
			return nil, fmt.Errorf("device %s: %w", serial, err)
		}
		out = append(out, *s)
	}
	return out, nil
}

func look(folder string) (*Seen, error) {
	certificate, err := readCertificate(folder)
	if err != nil {
		return nil, err
	}
	kept, err := readKept(filepath.Join(folder, keptFile))
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(folder, journalFile))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it is only read
	b, err := io.ReadAll(io.LimitReader(file, maxJournal))
	if err != nil {
		return nil, err
	}
	var j journal
	if err := j.replay(b); err != nil {
		return nil, err
	}
	j.fill(&kept)
	return &Seen{certificate, kept}, nil
}
