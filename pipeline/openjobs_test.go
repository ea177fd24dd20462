package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// No more import jobs are open at once than the options allow, and every job is waited for.
func TestOpenJobsAreBounded(t *testing.T) {
	t.Parallel()
	openAtOnce(t, 2, 0, rowsFrom(0, 55_000), 6, 2)
}

// As many import jobs may be open at once as the options allow: none of three has ended before the last one is sent.
func TestAllOpenJobsAreUsed(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch id := jobID(r); {
			case isImport(r):
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":"J%d"}}`, sent.Add(1))
			case id != "":
				status := "processing"
				if sent.Load() == 3 {
					status = "complete"
				}
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,`+
					`"attributes":{"status":%q,"failed_count":0}}}`, id, status)
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	o.Concurrency, o.MaxOpenJobs, o.mostRows, o.WaitTimeout = 1, 3, 10, time.Minute
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 30)), &out)
	if err != nil || rep.Rows.Applied != 30 {
		t.Errorf("%+v: %v", rep.Rows, err)
	}
}

// Batches with many bad rows count as several open import jobs: one of 3,000 as four.
func TestBadRowsCountAsOpenJobs(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	for i := range 5 {
		in.WriteString(strings.Repeat("5\n", 3000) + rowsFrom(100*i, 100))
	}
	openAtOnce(t, 8, 100, in.String(), 5, 2)
}

// Batches of which Klaviyo refuses many rows count as several open import jobs from then on: one of 3,000 as four. The
// two that are in flight by then are not held up.
func TestRefusedRowsCountAsOpenJobs(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	for i := range 10 {
		for n := range 3000 {
			fmt.Fprintf(&in, `{"email":"bad%d.%d@example.com"}`+"\n", i, n)
		}
		in.WriteString(rowsFrom(100*i, 100))
	}
	openAtOnce(t, 8, 3100, in.String(), 10, 4)
}

// Batches with so many bad rows that each counts as more than all open jobs are sent all the same, one after the
// other.
func TestMoreBadRowsThanOpenJobs(t *testing.T) {
	t.Parallel()
	o := waitOptions(t, nil)
	o.MaxOpenJobs, o.MaxInvalid = 2, Bound{rows: 1_000_000}
	var in strings.Builder
	for i := range 2 {
		in.WriteString(strings.Repeat("5\n", 15_000) + rowsFrom(1+100*i, 100))
	}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in.String()), &out)
	if err != nil || rep.Rows.Applied != 200 || rep.Rows.Rejected != 30_000 {
		t.Errorf("%+v: %v", rep.Rows, err)
	}
}

// openAtOnce runs rows that become so many batches with a bound on open jobs, and fails when more than most are open
// at once. Klaviyo refuses the rows whose address begins with bad.
func openAtOnce(t *testing.T, bound, mostRows int, in string, batches, allowed int) {
	t.Helper()
	var mu sync.Mutex
	open, most := map[string]bool{}, 0
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if isImport(r) {
				body, _ := io.ReadAll(r.Body)
				if bytes.Contains(body, []byte(`"email":"bad`)) {
					refuseBad(w, body)
					return
				}
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
	if strings.Contains(in, "bad") {
		o.Concurrency = 1
	}
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	_, rep := parse(t, out.Bytes())
	good := int64(strings.Count(in, `"p`))
	if rep.Rows.Applied != good || rep.Jobs.Complete != int64(batches) || most > allowed {
		t.Errorf("%+v, %+v, %d jobs open at once", rep.Rows, rep.Jobs, most)
	}
}

// refuseBad refuses an import and names the profiles whose address begins with bad.
func refuseBad(w http.ResponseWriter, body []byte) {
	var errors []string
	for i, profile := range bytes.Split(body, []byte(`"email":"`))[1:] {
		if bytes.HasPrefix(profile, []byte("bad")) {
			errors = append(errors, fmt.Sprintf(`{"code":"invalid","title":"T","detail":"Bad.",`+
				`"source":{"pointer":"/data/attributes/profiles/data/%d/attributes/email"}}`, i))
		}
	}
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"errors":[%s]}`, strings.Join(errors, ","))
}
