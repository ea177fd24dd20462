package render

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"klaviyo-export/report"
)

// NewLog returns a log that writes one event per line to w. The format is "json" or "text". The log masks emails and
// API keys in messages and values, and escapes control characters. It writes values of types that slog does not know
// as text. Times are in UTC.
func NewLog(w io.Writer, format string) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: discreetly}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// discreetly replaces the value of an attribute by what people may see.
func discreetly(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value; v.Kind() {
	case slog.KindTime:
		a.Value = slog.StringValue(v.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	case slog.KindString:
		a.Value = slog.StringValue(Discreet(v.String()))
	case slog.KindAny:
		text := fmt.Sprintf("%+v", v.Any())
		if raw, ok := v.Any().([]byte); ok {
			text = string(raw)
		}
		a.Value = slog.StringValue(Discreet(text))
	}
	return a
}

// LogProgress logs the state of a run and the time since its call as an event "progress" at an interval. Another
// goroutine calls source. Stop ends the goroutine and waits for it. It may be called again.
func LogProgress(log *slog.Logger, every time.Duration, source func() report.Moment) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() { // stop waits for it
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				elapsed := slog.Float64("elapsed_seconds", seconds(time.Since(began)))
				log.LogAttrs(context.Background(), slog.LevelInfo, "progress", append(attributes(source()), elapsed)...)
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-ended
	})
}

// attributes uses the report's names.
func attributes(m report.Moment) []slog.Attr {
	list := []slog.Attr{
		slog.Any("rows", m.Rows),
		slog.GroupAttrs("requests", slog.Int64("sent", m.Requests),
			slog.Int64("retried", m.Retried), slog.Int64("throttled", m.Throttled)),
		slog.GroupAttrs("jobs", slog.Int64("submitted", m.Jobs), slog.Int64("open", m.OpenJobs())),
		slog.Bool("input_ended", m.InputEnded),
	}
	if m.Members > 0 {
		list = append(list, slog.GroupAttrs("members", slog.Int64("read", m.Members), slog.Int64("removed", m.Removed)))
	}
	if m.Closed > 0 {
		list = append(list, slog.Float64("paused_seconds", seconds(m.Closed)))
	}
	if m.Failing != "" {
		list = append(list, slog.String("failing", m.Failing), slog.Float64("give_up_seconds", seconds(m.GiveUpIn)))
	}
	if m.Waiting {
		list = append(list, slog.Float64("wait_left_seconds", seconds(m.WaitLeft)))
	}
	if m.ReadingJobs > 0 {
		list = append(list, slog.Int64("reading_errors_of_jobs", m.ReadingJobs))
	}
	if m.Waiting && m.JobRows > 0 {
		list = append(list, slog.Int64("job_rows", m.JobRows), slog.Int64("job_rows_done", m.JobRowsDone))
	}
	return list
}

// seconds drops what is below a millisecond.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
