package report

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// NewLog returns a log that writes an event a line to w, as "json" or else as "text". In messages and values emails and API
// keys are masked and control characters escaped, and values of types that slog does not know are logged as text. Times are UTC.
func NewLog(w io.Writer, format string) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: discreet}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func discreet(_ []string, a slog.Attr) slog.Attr {
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

// visible writes what is no graphic character as an escape of Go: \n, \x1b, \u202e.
func visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\x%02x`, text[0])
		case hidden(r):
			quoted := strconv.QuoteRune(r)
			b = append(b, quoted[1:len(quoted)-1]...)
		default:
			b = utf8.AppendRune(b, r)
		}
		text = text[size:]
	}
	return string(b)
}

// Discreet returns text as it may be shown to people: emails and API keys masked, control characters escaped.
func Discreet(text string) string { return visible(keys().ReplaceAllString(Mask(text), "pk_***")) }

// keys has the form of Klaviyo's private API keys, which are 37 characters long.
var keys = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`pk_[0-9A-Za-z]{20,}`) })

func hidden(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }

// LogProgress logs what source returns as an event "progress" each time that every has passed. Stop returns when nothing is
// logged any more; it may be called again. Source is called by another goroutine.
func LogProgress(log *slog.Logger, every time.Duration, source func() Moment) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // stop waits for it
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				log.LogAttrs(context.Background(), slog.LevelInfo, "progress", source().attributes()...)
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

// LogValue is the counts as a group, named as in the report.
func (r Rows) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("read", r.Read), slog.Int64("applied", r.Applied), slog.Int64("accepted", r.Accepted),
		slog.Int64("skipped", r.Skipped), slog.Int64("rejected", r.Rejected), slog.Int64("unknown", r.Unknown),
		slog.Int64("unsent", r.Unsent), slog.Int64("valid", r.Valid), slog.Int64("resumed", r.Resumed))
}

// attributes names things as the report does.
func (m Moment) attributes() []slog.Attr {
	list := []slog.Attr{
		slog.Any("rows", m.Rows),
		slog.GroupAttrs("requests", slog.Int64("sent", m.Requests), slog.Int64("retried", m.Retried), slog.Int64("throttled", m.Throttled)),
		slog.GroupAttrs("jobs", slog.Int64("submitted", m.Jobs), slog.Int64("open", m.openJobs())),
		slog.Bool("input_ended", m.InputEnded),
	}
	if m.Closed > 0 {
		list = append(list, slog.Float64("paused_seconds", seconds(m.Closed)))
	}
	if m.Waiting {
		list = append(list, slog.Float64("wait_left_seconds", seconds(m.WaitLeft)))
	}
	if m.Waiting && m.JobRows > 0 {
		list = append(list, slog.Int64("job_rows", m.JobRows), slog.Int64("job_rows_done", m.JobRowsDone))
	}
	return list
}

// seconds cuts to milliseconds.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
