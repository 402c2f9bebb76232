package store

import (
	"errors"

	"github.com/assay-net/assay/datahub/store/driver"
)

// The errors that callers tell apart, beside keys.ErrUnavailable, which is passed through.
var (
	// ErrConflict says that a frame of this device and sequence is stored already, or that two devices would have one seat.
	// Nothing was written.
	ErrConflict = driver.ErrConflict
	// ErrFull says that there is no space left. Nothing was written; it goes on once there is space.
	ErrFull = driver.ErrFull
	// ErrUnavailable says that the database cannot be reached, restarts, is locked by another for too long or has no connection to
	// spare. Whether a batch was written is open: Commit the same Batch again.
	ErrUnavailable = driver.ErrUnavailable
	// ErrNewerSchema says that a newer version of this program made the database.
	ErrNewerSchema = driver.ErrNewerSchema
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("not stored")
	// ErrShredded says that the key of a period is destroyed: nothing is written under it, and what was cannot be read.
	ErrShredded = errors.New("the key of its period is shredded")
	// ErrTampered says that a row does not open under its key in its place: it was altered, or moved from another place.
	ErrTampered = errors.New("does not open: the row was altered or moved in the database")
	// ErrCurrent says that a period's key is still needed: the period is not over, an epoch of it is being closed, or a device's
	// derivation goes on from what is sealed under it.
	ErrCurrent = errors.New("the period is not over")
	// ErrOtherKeys says that the key store is not the one that the database was made with, or that the database's identity was
	// altered. Nothing is sealed under such a key store's keys, and none of them is destroyed.
	ErrOtherKeys = errors.New("the key store is not the one that the database was made with")
)
