package relational

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/assay-net/assay/datahub/store/driver"
)

const reportColumns = "fleet, epoch, device, chunk, slot, sequence, received, sealed, attestation, own, flags"

// PutReport writes a report.
const PutReport = `INSERT INTO reports (` + reportColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
	ON CONFLICT (fleet, epoch, device) DO UPDATE SET chunk = excluded.chunk, slot = excluded.slot, sequence = excluded.sequence,
	received = excluded.received, sealed = excluded.sealed, attestation = excluded.attestation, own = excluded.own, flags = excluded.flags`

// ReportArgs are the values of PutReport.
func ReportArgs(r *driver.Report) ([]any, error) {
	flags, err := json.Marshal(r.Flags)
	return []any{r.Fleet, int64(r.Epoch), r.Device[:], int64(r.Chunk), int64(r.Slot), int64(r.Sequence), driver.Micros(r.Received),
		r.Sealed, r.Attestation, r.Own, string(flags)}, err
}

func scanReport(row *sql.Rows, r *driver.Report) error {
	var flags []byte
	err := row.Scan(&r.Fleet, &r.Epoch, deviceID{&r.Device}, &r.Chunk, &r.Slot, &r.Sequence, moment{&r.Received}, &r.Sealed,
		&r.Attestation, &r.Own, &flags)
	if err != nil {
		return err
	}
	return json.Unmarshal(flags, &r.Flags)
}

// Reports implements driver.Driver.
func (db *DB) Reports(ctx context.Context, fleet string, epoch uint64, chunk *uint32) ([]driver.Report, error) {
	const selected = `SELECT ` + reportColumns + ` FROM reports WHERE fleet = $1 AND epoch = $2`
	if chunk != nil {
		return query(ctx, db, scanReport, selected+` AND chunk = $3 ORDER BY slot`, fleet, int64(epoch), int64(*chunk))
	}
	return query(ctx, db, scanReport, selected+` ORDER BY chunk, slot`, fleet, int64(epoch))
}
