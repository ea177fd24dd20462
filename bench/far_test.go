package main

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

const importPath = "/api/profile-bulk-import-jobs"

// far answers as a Klaviyo on which one thing costs the client memory.
type far struct {
	refuses string        // the reason against each row of an import, or ""
	fails   string        // the reason against each row of an import job but one that stays open, or ""
	answer  time.Duration // how long an import takes to be answered
	open    time.Duration // how long the first import job is open after the last import or error
	endless bool          // the errors of import jobs have no end
	members int           // instead of all this, a simulator whose list has so many members

	reading atomic.Bool // whether all import jobs are open until the input has ended; false when it has

	mu   sync.Mutex
	rows []int     // of each import job
	last time.Time // import or error
}

// start serves until the test ends and returns the URL.
func (k *far) start(t *testing.T) string {
	t.Helper()
	if k.members > 0 {
		return k.simulate(t)
	}
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	return server.URL
}

// simulate starts a simulator. Its list has the people of the rows good.
func (k *far) simulate(t *testing.T) string {
	t.Helper()
	s := simulator.New(simulator.Options{JobTime: time.Millisecond})
	s.AddListAs(list, "Bench")
	for i := range k.members {
		s.Add(simulator.Profile{Email: fmt.Sprintf("somebody.%07d@example.com", i), Lists: []string{"Bench"}})
	}
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return url
}

func (k *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ofJob := strings.CutPrefix(r.URL.Path, importPath+"/")
	id, isErrors := strings.CutSuffix(id, "/import-errors")
	job := 0
	_, _ = fmt.Sscanf(id, "J%d", &job)
	switch {
	case r.Method == http.MethodPost && r.URL.Path == importPath:
		k.take(w, r)
	case isErrors:
		k.errors(w, r, job)
	case ofJob:
		k.mu.Lock()
		defer k.mu.Unlock()
		fmt.Fprintf(w, `{"data":%s}`, k.job(job))
	case r.URL.Path == importPath:
		k.mu.Lock()
		defer k.mu.Unlock()
		var jobs []string
		for i := range k.rows {
			jobs = append(jobs, k.job(i+1))
		}
		fmt.Fprintf(w, `{"data":[%s],"links":{"next":null}}`, strings.Join(jobs, ","))
	case r.URL.Path == "/api/lists":
		answer(w, http.StatusOK, `{"data":[`+strings.Join(listsOf(r.URL.Query().Get("filter")), ",")+`]}`)
	default:
		(&server{}).ServeHTTP(w, r)
	}
}

var quoted = regexp.MustCompile(`"([^"]*)"`)

// listsOf returns a list for each name in a filter.
func listsOf(filter string) (lists []string) {
	for _, name := range quoted.FindAllStringSubmatch(filter, -1) {
		lists = append(lists, fmt.Sprintf(
			`{"type":"list","id":"%x","attributes":{"name":%q,"created":"2020-01-01T00:00:00Z"}}`, name[1], name[1]))
	}
	return lists
}

// take reads an import. It refuses it, or answers with an import job.
func (k *far) take(w http.ResponseWriter, r *http.Request) {
	n, piece := 0, make([]byte, 32<<10)
	for err := error(nil); err == nil; {
		var got int
		got, err = r.Body.Read(piece)
		n += bytes.Count(piece[:got], []byte("@"))
	}
	time.Sleep(k.answer)
	if k.refuses != "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"errors":[`)
		for row := range n {
			fmt.Fprintf(w, `%.*s{"code":"invalid","title":"T","detail":"%d %s",`+
				`"source":{"pointer":"/data/attributes/profiles/data/%d/attributes/email"}}`,
				min(row, 1), ",", row, k.refuses, row)
		}
		fmt.Fprint(w, `]}`)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rows, k.last = append(k.rows, n), time.Now()
	answer(w, http.StatusAccepted, fmt.Sprintf(`{"data":{"type":"profile-bulk-import-job","id":"J%d"}}`, len(k.rows)))
}

// job is an import job. k.mu must be locked.
func (k *far) job(n int) string {
	status, failed := "complete", 0
	if n == 1 && time.Since(k.last) < k.open || k.reading.Load() {
		status = "processing"
	}
	if k.fails != "" && (n > 1 || k.open == 0) {
		failed = k.rows[n-1]
	}
	return fmt.Sprintf(`{"type":"profile-bulk-import-job","id":"J%d","attributes":{"status":%q,"failed_count":%d,`+
		`"total_count":%d}}`, n, status, failed, k.rows[n-1])
}

// errors answers with a page of the errors of an import job, one against each row.
func (k *far) errors(w http.ResponseWriter, r *http.Request, job int) {
	k.mu.Lock()
	rows := k.rows[job-1]
	k.last = time.Now()
	k.mu.Unlock()
	if k.endless {
		rows = math.MaxInt
	}
	from := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("from"), &from)
	next := "null"
	if from+100 < rows {
		next = fmt.Sprintf(`"%s?from=%d"`, r.URL.Path, from+100)
	}
	fmt.Fprint(w, `{"data":[`)
	for row := from; row < min(from+100, rows); row++ {
		fmt.Fprintf(w, `%.*s{"type":"import-error","attributes":{"code":"invalid","title":"T","detail":"%d of J%d %s",`+
			`"source":{"pointer":"/data/attributes/profiles/data/%d/attributes/phone_number"},"original_payload":null}}`,
			min(row-from, 1), ",", row, job, k.fails, row)
	}
	fmt.Fprintf(w, `],"links":{"next":%s}}`, next)
}
