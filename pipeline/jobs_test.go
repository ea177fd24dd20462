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

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// The import jobs of a batch are waited for together, however many it has become because Klaviyo refuses rows without
// naming them.
func TestJobsOfOneBatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rows, every, jobs int }{{1000, 20, 190}, {2000, 100, 120}} {
		t.Run(fmt.Sprintf("%d rows", c.rows), func(t *testing.T) {
			t.Parallel()
			plan := &simulator.Plan{Faults: []simulator.Fault{
				{Do: "refuse", Times: -1, Addresses: []string{"bad*"}, Naming: "unnamed"},
			}}
			var sent atomic.Int64 // when the last request with rows came: on a slow machine all of them take their time
			sending := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if isImport(r) {
						sent.Store(time.Now().UnixNano())
					}
					next.ServeHTTP(w, r)
				})
			}
			url, _ := contract.Serve(t, simulator.Options{Plan: plan, JobTime: time.Millisecond, Wrap: sending})
			o := checkOptions(t)
			o.Client = newClient(t, &sink.Options{BaseURL: url, Alone: true, Concurrency: 4, RetryFor: time.Minute})
			o.List, o.Concurrency = sink.ListRef{Name: "News", Create: true}, 4
			o.Wait, o.WaitTimeout, o.MaxOpenJobs = true, time.Minute, 4
			var in strings.Builder
			for i := range c.rows {
				name := "p"
				if i%c.every == c.every-1 {
					name = "bad"
				}
				fmt.Fprintf(&in, `{"email":"%s%d@example.com"}`+"\n", name, i)
			}
			var out bytes.Buffer
			rep, _ := Run(t.Context(), o, strings.NewReader(in.String()), &out)
			waited := time.Since(time.Unix(0, sent.Load()))
			rows, _ := parse(t, out.Bytes())
			for i, r := range rows {
				want := "applied"
				if i%c.every == c.every-1 {
					want = "rejected"
				}
				if r.Status != want {
					t.Fatalf("row %d is %s, want %s", r.Row, r.Status, want)
				}
			}
			jobs := rep.Jobs
			if rep.ExitCode != 1 || jobs.Submitted < int64(c.jobs) || jobs.Complete != jobs.Submitted || len(jobs.Open) > 0 {
				t.Errorf("exit %d, %+v", rep.ExitCode, jobs)
			}
			if waited > 30*time.Second { // one after the other they would take minutes
				t.Errorf("waited %v for %d jobs", waited, jobs.Submitted)
			}
		})
	}
}

// Rows whose import job has ended, and whose errors cannot be read in time, stay accepted. The error names the job and
// the reason; other jobs are not held up.
func TestErrorsNotReadInTime(t *testing.T) {
	t.Parallel()
	k := &failing{unread: func(job int) bool { return job == 2 }, fails: func(row int) bool { return row%10 == 9 }}
	o := waitOptions(t, k.wrap)
	o.mostRows, o.Concurrency, o.WaitTimeout = 10, 1, 8*time.Second
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 30)), &out)
	const want = "within 8s, the errors of 1 import jobs could not be read (import job J2: HTTP 500); " +
		"their rows stay accepted"
	if rep.ExitCode != 3 || err == nil || rep.Error != want || fmt.Sprint(rep.Jobs.Open) != "[J2]" {
		t.Errorf("exit %d, open %v: %s", rep.ExitCode, rep.Jobs.Open, rep.Error)
	}
	if r := rep.Rows; r.Applied != 18 || r.Rejected != 2 || r.Accepted != 10 {
		t.Errorf("%+v", r)
	}
}

// failing is a Klaviyo whose import jobs are complete at once, except the first one, if it is held. Rows fail with a
// reason of their own.
type failing struct {
	fails  func(row int) bool
	unread func(job int) bool // its errors are answered with HTTP 500
	reason string             // behind the number of the row
	held   int                // the first import job is open until the errors of so many are read
	ready  func()             // called then

	mu   sync.Mutex
	rows []int // of each import job
	read int
}

func (k *failing) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, isErrors := strings.CutSuffix(jobID(r), "/import-errors")
		var job int
		_, _ = fmt.Sscanf(id, "J%d", &job)
		switch {
		case isImport(r):
			body, _ := io.ReadAll(r.Body)
			k.mu.Lock()
			defer k.mu.Unlock()
			k.rows = append(k.rows, bytes.Count(body, []byte(`"email"`)))
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":"J%d"}}`, len(k.rows))
		case isErrors:
			k.errors(w, r, job)
		case job > 0:
			fmt.Fprintf(w, `{"data":%s}`, k.resource(job))
		case r.URL.Path == importPath:
			k.mu.Lock()
			n := len(k.rows)
			k.mu.Unlock()
			for i := range n {
				fmt.Fprintf(w, "%s%s", map[bool]string{true: `{"data":[`, false: ","}[i == 0], k.resource(i+1))
			}
			fmt.Fprint(w, `],"links":{"next":null}}`)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// resource is an import job.
func (k *failing) resource(job int) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	status, failed := "complete", 0
	for row := range k.rows[job-1] {
		if k.fails(row) {
			failed++
		}
	}
	if job == 1 && k.held > 0 {
		if failed = 0; k.read < k.held {
			status = "processing"
		}
	}
	return fmt.Sprintf(`{"type":"profile-bulk-import-job","id":"J%d","attributes":{"status":%q,"failed_count":%d,`+
		`"total_count":%d}}`, job, status, failed, k.rows[job-1])
}

// errors answers with a page of the errors of an import job.
func (k *failing) errors(w http.ResponseWriter, r *http.Request, job int) {
	if k.unread != nil && k.unread(job) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	k.mu.Lock()
	rows := k.rows[job-1]
	k.mu.Unlock()
	from, n := 0, 0
	_, _ = fmt.Sscan(r.URL.Query().Get("from"), &from)
	var page bytes.Buffer
	page.WriteString(`{"data":[`)
	for ; from < rows && n < 100; from++ {
		if !k.fails(from) {
			continue
		}
		if n++; n > 1 {
			page.WriteByte(',')
		}
		fmt.Fprintf(&page, `{"type":"import-error","attributes":{"code":"invalid","title":"T","detail":"%d of J%d %s",`+
			`"source":{"pointer":"/data/attributes/profiles/data/%d/attributes/phone_number"},"original_payload":null}}`,
			from, job, k.reason, from)
	}
	next := "null"
	if from < rows {
		next = fmt.Sprintf(`"%s?from=%d"`, r.URL.Path, from)
	}
	fmt.Fprintf(&page, `],"links":{"next":%s}}`, next)
	_, _ = w.Write(page.Bytes())
	if from < rows {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read++; k.read == k.held {
		k.ready()
	}
}
