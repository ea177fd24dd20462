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
)

// Rows that wait behind open import jobs take no memory in the command wait, however many and however long they are.
// The keys of rows that are waited for have a bound together.
func TestWaitKeepsNoLines(t *testing.T) {
	text := strings.Repeat("x", 100)
	for _, c := range []struct {
		name            string
		jobs, good, bad int // import jobs, rows of each, and rejected rows behind each of those
		pad, key        string
		long            bool
		most            float64 // MB
	}{
		{"bad rows among those of many jobs", 8, 1000, 5, text, "", false, 2},
		{"lines of a megabyte behind one job", 1, 1, 60, strings.Repeat("x", 1_000_000), "", false, 4},
		{"keys that are too long to be ours", 40, 100, 0, "", strings.Repeat("x", 9000), false, 2},
		{"388 MB of bad rows among those of 40 jobs", 40, 8000, 5, text, "", true, 16},
		{"1.4 GB of long lines behind one job", 1, 1, 1400, strings.Repeat("x", 1_000_000), "", true, 4},
		{"3.7 million bad rows behind 1.8 million good ones", 250, 7500, 2, text, "", true, 80},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long && !*whole {
				t.Skip("needs -long")
			}
			rows := int64(c.jobs * c.good * (1 + c.bad))
			held := heapBehindJobs(t, c.jobs, rows, func(row int64) string {
				at := row - 1
				job := at / int64(c.good*(1+c.bad))
				if at%int64(1+c.bad) == 0 {
					return fmt.Sprintf(`{"type":"row","row":%d,"status":"accepted","key":"p%d%s@example.com","job":"J%d"}`,
						row, row, c.key, job)
				}
				return fmt.Sprintf(`{"type":"row","row":%d,"status":"rejected","key":"p%d@","stage":"validate",`+
					`"code":"email_invalid","column":"email","detail":"%s"}`, row, row, c.pad)
			})
			t.Logf("%d rows: %.1f MB", rows, held/(1<<20))
			if held > c.most*(1<<20) {
				t.Errorf("%d rows take %.1f MB, want at most %.1f MB", rows, held/(1<<20), c.most)
			}
		})
	}
}

// heapBehindJobs returns by how many bytes the heap has grown when Wait has read so many results, whose import jobs
// are all open. Every result is written in the end.
func heapBehindJobs(t *testing.T, jobs int, rows int64, line func(row int64) string) float64 {
	t.Helper()
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, importPath) { // no job ends
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	o.MaxOpenJobs = 1000
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	var groups atomic.Int64
	before, during := heapNow(), 0.0
	o.probe = func(stage string) {
		if stage == "settle" && groups.Add(1) == int64(jobs) {
			during = heapNow()
			stop(&Interrupted{Signal: "SIGINT", ExitCode: 130})
		}
	}
	in := resultsOf(rows, line)
	lines := int64(0)
	rep, _ := Wait(ctx, o, in, writer(func(p []byte) (int, error) {
		lines += int64(bytes.Count(p, []byte{'\n'}))
		return len(p), nil
	}))
	if rep.Rows.Read != rows || lines != rows+1 || rep.ExitCode != 130 || len(rep.Jobs.Open) != jobs {
		t.Fatalf("exit %d, %d lines, %d open jobs, %+v", rep.ExitCode, lines, len(rep.Jobs.Open), rep.Rows)
	}
	return during - before
}

// resultsOf is an input of so many lines. It keeps none of them.
func resultsOf(rows int64, line func(row int64) string) io.Reader {
	row, rest := int64(0), []byte(nil)
	return reader(func(p []byte) (int, error) {
		for ; len(rest) < len(p) && row < rows; row++ {
			rest = append(append(rest, line(row+1)...), '\n')
		}
		n := copy(p, rest)
		if rest = rest[:copy(rest, rest[n:])]; n == 0 {
			return 0, io.EOF
		}
		return n, nil
	})
}

// The keys that wait take a bounded number of bytes: while there is no room for more, the next group waits.
func TestWaitBoundsTheKeys(t *testing.T) {
	const group, groups = 2000, 80
	key := strings.Repeat("x", 900)
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, importPath) {
				next.ServeHTTP(w, r)
				return
			}
			var jobs []string
			for i := range groups {
				jobs = append(jobs, fmt.Sprintf(
					`{"type":"profile-bulk-import-job","id":"J%d","attributes":{"status":"complete","failed_count":0}}`, i))
			}
			if id := jobID(r); id != "" {
				var n int
				_, _ = fmt.Sscanf(id, "J%d", &n)
				fmt.Fprintf(w, `{"data":%s}`, jobs[n])
				return
			}
			fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(jobs, ","))
		})
	})
	o.MaxOpenJobs = 1000
	var open, most atomic.Int64
	o.probe = func(stage string) {
		switch stage {
		case "settle":
			n := open.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
		case "write":
			open.Add(-1)
		}
	}
	in := resultsOf(group*groups, func(row int64) string {
		return fmt.Sprintf(`{"type":"row","row":%d,"status":"accepted","key":"%06d%s","job":"J%d"}`,
			row, row, key, (row-1)/group)
	})
	rep, err := Wait(t.Context(), o, io.MultiReader(in, strings.NewReader(ended)), io.Discard)
	if err != nil || rep.Rows.Applied != group*groups {
		t.Fatalf("%v, %+v", err, rep.Rows)
	}
	const each = group * (906 + 2 + 4)
	if n := most.Load(); n > maxHeld/each+1 || n < 2 {
		t.Errorf("%d groups of %d bytes wait at once", n, each)
	}
}
