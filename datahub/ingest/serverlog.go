package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// serverLog writes what the embedded server says. A client can cause a warning at will, so they are limited; how many were left
// out is told with the next.
type serverLog struct {
	log     *slog.Logger
	limit   *rate.Limiter
	skipped atomic.Int64
}

func newServerLog(log *slog.Logger) *serverLog {
	return &serverLog{log: log, limit: rate.NewLimiter(rate.Every(time.Second), 10)}
}

func (l *serverLog) write(level slog.Level, format string, v []any) {
	if !l.limit.Allow() {
		l.skipped.Add(1)
		return
	}
	l.log.Log(context.Background(), level, "broker: "+fmt.Sprintf(format, v...), "skipped", l.skipped.Swap(0))
}

// Noticef logs at debug level: what the server notices is not news to the node.
func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("broker: " + fmt.Sprintf(format, v...))
}

// Warnf, Errorf and Fatalf log what may need a look. The server ends nothing by itself.
func (l *serverLog) Warnf(format string, v ...any)  { l.write(slog.LevelWarn, format, v) }
func (l *serverLog) Errorf(format string, v ...any) { l.write(slog.LevelWarn, format, v) }
func (l *serverLog) Fatalf(format string, v ...any) { l.write(slog.LevelError, format, v) }

// Debugf and Tracef are off.
func (l *serverLog) Debugf(string, ...any) {}
func (l *serverLog) Tracef(string, ...any) {}
