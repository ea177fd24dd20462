package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// While the run waits for import jobs, a row costs at most 40 bytes, beside what its key is longer than a usual
// address.
func TestWaitingCostsFewBytes(t *testing.T) {
	// Buffers that are kept for use again take some MB, more or less: so many rows make that a few bytes a row.
	const few, many = 200_000, 800_000
	per := (heapWhileWaiting(t, many) - heapWhileWaiting(t, few)) / (many - few)
	if per < 20 || per > 40 {
		t.Errorf("a row costs %.1f bytes", per)
	}
}

// heapWhileWaiting returns how many bytes the heap has grown by when a run waits for the import jobs of so many
// rows.
func heapWhileWaiting(t *testing.T, rows int) float64 {
	t.Helper()
	var accepted atomic.Int64
	all := make(chan struct{})
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case isImport(r):
				body, _ := io.ReadAll(r.Body)
				n := accepted.Add(int64(bytes.Count(body, []byte(`"email"`))))
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":"J%d"}}`, n)
				if n == int64(rows) {
					close(all)
				}
			case strings.HasPrefix(r.URL.Path, importPath): // no job ends
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	o.Window, o.BatchDelay, o.Concurrency = 0, time.Second, 1 // so that both runs keep as many buffers for use again
	before, during := heapNow(), 0.0
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	o.probe = func(stage string) {
		if stage == "settle" {
			<-all
		}
	}
	measured := make(chan struct{})
	go func() { // ends when every job is accepted; the test waits for measured
		defer close(measured)
		<-all
		during = heapNow()
		stop(&Interrupted{Signal: "SIGINT", ExitCode: 130})
	}()
	in := io.MultiReader(repeated(rows), reader(func([]byte) (int, error) { <-ctx.Done(); return 0, io.EOF }))
	var out bytes.Buffer
	rep, _ := Run(ctx, o, in, &out)
	<-measured
	if rep.Rows.Accepted != int64(rows) || rep.ExitCode != 130 {
		t.Fatalf("exit %d, %+v", rep.ExitCode, rep.Rows)
	}
	return during - before
}

// repeated is an input of so many good rows with 100 bytes beside their address. It keeps none of them.
func repeated(rows int) io.Reader {
	name, n := strings.Repeat("x", 100), 0
	var rest []byte
	return reader(func(p []byte) (int, error) {
		if len(rest) == 0 && n == rows {
			return 0, io.EOF
		}
		for len(rest) < 64<<10 && n < rows {
			rest = fmt.Appendf(rest, `{"email":"somebody.%06d@example.com","first_name":"%s"}`+"\n", n, name)
			n++
		}
		c := copy(p, rest)
		rest = rest[c:]
		return c, nil
	})
}

// wait keeps no results that it has passed on, however many there are.
func TestWaitKeepsNothing(t *testing.T) {
	const rows = 400_000
	n := 0
	var rest []byte
	in := reader(func(p []byte) (int, error) {
		if len(rest) == 0 && n == rows {
			return 0, io.EOF
		}
		for len(rest) < 64<<10 && n < rows {
			n++
			rest = fmt.Appendf(rest, `{"type":"row","row":%d,"status":"skipped","code":"duplicate","of":1}`+"\n", n)
		}
		c := copy(p, rest)
		rest = rest[c:]
		return c, nil
	})
	o := waitOptions(t, nil)
	o.MaxOpenJobs = 1
	var early, late float64
	out := &counting{at: func(lines int) {
		switch {
		case early == 0 && lines > rows/10:
			early = heapNow()
		case late == 0 && lines > rows-rows/10:
			late = heapNow()
		}
	}}
	if rep, err := Wait(t.Context(), o, in, out); err != nil || rep.Rows.Skipped != rows {
		t.Fatalf("%v, %+v", err, rep.Rows)
	}
	if grown := late - early; grown > 4<<20 {
		t.Errorf("the heap grew by %.1f MB", grown/(1<<20))
	}
}

// counting calls at with the number of lines so far whenever something is written.
type counting struct {
	lines int
	at    func(lines int)
}

func (c *counting) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte{'\n'})
	c.at(c.lines)
	return len(p), nil
}
