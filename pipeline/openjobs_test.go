package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// No more import jobs are open at once than the options allow, and every job is waited for.
func TestOpenJobsAreBounded(t *testing.T) {
	t.Parallel()
	openAtOnce(t, 2, 0, rowsFrom(0, 55_000), 6)
}

// Batches with many bad rows count as several open import jobs: one of 3,000 as four.
func TestBadRowsCountAsOpenJobs(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	for i := range 5 {
		in.WriteString(strings.Repeat("x\n", 3000) + rowsFrom(100*i, 100))
	}
	openAtOnce(t, 8, 100, in.String(), 5)
}

// Batches with so many bad rows that each counts as more than all open jobs are sent all the same, one after the
// other.
func TestMoreBadRowsThanOpenJobs(t *testing.T) {
	t.Parallel()
	o := waitOptions(t, nil)
	o.MaxOpenJobs, o.MaxInvalid = 2, Bound{rows: 1_000_000}
	var in strings.Builder
	for i := range 2 {
		in.WriteString(strings.Repeat("x\n", 15_000) + rowsFrom(1+100*i, 100))
	}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in.String()), &out)
	if err != nil || rep.Rows.Applied != 200 || rep.Rows.Rejected != 30_000 {
		t.Errorf("%+v: %v", rep.Rows, err)
	}
}

// openAtOnce runs rows that become so many batches with a bound on open jobs, and fails when more than two are open
// at once.
func openAtOnce(t *testing.T, bound, mostRows int, in string, batches int) {
	t.Helper()
	var mu sync.Mutex
	open, most := map[string]bool{}, 0
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if isImport(r) {
				_, _ = io.Copy(io.Discard, r.Body)
				id := fmt.Sprint("J", len(open)+1)
				open[id] = true
				n := 0
				for _, is := range open {
					if is {
						n++
					}
				}
				most = max(most, n)
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q}}`, id)
				return
			}
			if id := jobID(r); id != "" {
				open[id] = false
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,`+
					`"attributes":{"status":"complete","failed_count":0}}}`, id)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	o.MaxOpenJobs, o.mostRows, o.MaxInvalid = bound, mostRows, Bound{rows: 1_000_000}
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	_, rep := parse(t, out.Bytes())
	if rep.Rows.Applied != int64(strings.Count(in, "@")) || rep.Jobs.Complete != int64(batches) || most > 2 {
		t.Errorf("%+v, %+v, %d jobs open at once", rep.Rows, rep.Jobs, most)
	}
}
