package render

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
)

// events logs values of every kind that can contain an address or a control character.
func events(log *slog.Logger) {
	log.Info("sent ann@example.com\nlevel=ERROR", "to", "bo@example.com", "rows", 12, "took", 1500*time.Millisecond)
	log.With("list", "\x1b[31mred\u202e").WithGroup("request").Error("failed",
		"cause", errors.New(`no "cy d"@example.com`), "body", []byte("di@example.com\x00"),
		"keys", []string{"ed@x", "fay@x"},
		"at", time.Date(2024, 2, 29, 1, 2, 3, 4e6, time.FixedZone("JST", 9*3600)),
		"from", netip.MustParseAddr("127.0.0.1"),
		slog.Group("row", "key", "gus@example.com"),
		"bad", "\xff", "worse", "\x7f\u0085", "none", nil, "name", "名前\u3000é")
}

const textEvents = `time=2000-01-01T00:00:00.000Z level=INFO msg="sent a***@example.com\\nlevel=ERROR" ` +
	`to=b***@example.com rows=12 took=1.5s
time=2000-01-01T00:00:00.000Z level=ERROR msg=failed list=\x1b[31mred\u202e request.cause="no c***@example.com" ` +
	`request.body=d***@example.com\x00 request.keys="[e***@x f***@x]" request.at=2024-02-28T16:02:03.004Z ` +
	`request.from=127.0.0.1 request.row.key=g***@example.com ` +
	`request.bad=\xff request.worse=\x7f\u0085 request.none=<nil> request.name="名前\u3000é"
`

const jsonEvents = `{"time":"2000-01-01T00:00:00.000Z","level":"INFO","msg":"sent a***@example.com\\nlevel=ERROR",` +
	`"to":"b***@example.com","rows":12,"took":1500000000}
{"time":"2000-01-01T00:00:00.000Z","level":"ERROR","msg":"failed","list":"\\x1b[31mred\\u202e",` +
	`"request":{"cause":"no c***@example.com","body":"d***@example.com\\x00","keys":"[e***@x f***@x]",` +
	`"at":"2024-02-28T16:02:03.004Z","from":"127.0.0.1","row":{"key":"g***@example.com"},` +
	`"bad":"\\xff","worse":"\\x7f\\u0085","none":"<nil>","name":"名前　é"}}
`

// A log masks addresses and escapes control characters in both formats, and keeps everything else.
func TestLog(t *testing.T) {
	for format, want := range map[string]string{"text": textEvents, "json": jsonEvents} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			events(NewLog(&out, format))
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", format, diff)
			}
		})
	}
}

const loggedProgress = `{"time":"2000-01-01T00:01:00.000Z","level":"INFO","msg":"progress",` +
	`"rows":{"read":10,"applied":1,"accepted":2,"skipped":3,"rejected":4,"unknown":5,"unsent":6,` +
	`"valid":7,"resumed":8},` +
	`"requests":{"sent":9,"retried":1,"throttled":2},"jobs":{"submitted":5,"open":2},"input_ended":false,` +
	`"elapsed_seconds":60}
{"time":"2000-01-01T00:02:00.000Z","level":"INFO","msg":"progress",` +
	`"rows":{"read":20,"applied":1,"accepted":2,"skipped":3,"rejected":4,"unknown":5,"unsent":6,` +
	`"valid":7,"resumed":8},` +
	`"requests":{"sent":9,"retried":1,"throttled":2},"jobs":{"submitted":5,"open":2},"input_ended":true,` +
	`"paused_seconds":12.345,` +
	`"failing":"no answer from a***@example.com","give_up_seconds":30,"wait_left_seconds":90,` +
	`"reading_errors_of_jobs":3,"job_rows":200,"job_rows_done":50,"elapsed_seconds":120}
`

// LogProgress logs the state at each interval until it is stopped, with the names of the report.
func TestLogProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := report.Moment{
			Rows: report.Rows{
				Applied: 1, Accepted: 2, Skipped: 3, Rejected: 4, Unknown: 5, Unsent: 6, Valid: 7, Resumed: 8,
			},
			Requests: 9, Retried: 1, Throttled: 2, Jobs: 5, JobsEnded: 3,
			JobRows: 200, JobRowsDone: 50, WaitLeft: 90 * time.Second,
		}
		stop := LogProgress(NewLog(&out, "json"), time.Minute, func() report.Moment {
			m.Rows.Read += 10
			if m.Rows.Read == 20 {
				m.Closed, m.Waiting, m.InputEnded = 12345*time.Millisecond, true, true
				m.Failing, m.GiveUpIn, m.ReadingJobs = "no answer from ann@example.com", 30*time.Second, 3
			}
			return m
		})
		time.Sleep(2*time.Minute + time.Second)
		stop()
		time.Sleep(time.Hour)
		stop()
		if diff := cmp.Diff(loggedProgress, out.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
