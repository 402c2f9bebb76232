package driver

import "errors"

// The errors that callers tell apart.
var (
	// ErrConflict says that what was to be written is there already, or takes the place of something else. Nothing was written.
	ErrConflict = errors.New("already stored")
	// ErrFull says that there is no space left. Nothing was written, and trying again helps once there is space.
	ErrFull = errors.New("the database has no space left")
	// ErrUnavailable says that the database cannot be reached, restarts, is locked by another for too long or has no connection to
	// spare. Trying again helps.
	ErrUnavailable = errors.New("the database is not available")
	// ErrKey says that a key that something was sealed under is not in the database any more, not as it was, or is doomed. Nothing
	// was written.
	ErrKey = errors.New("the data key is not in the database any more")
	// ErrNewerSchema says that a newer version of this program made the database.
	ErrNewerSchema = errors.New("the database was made by a newer version")
)
