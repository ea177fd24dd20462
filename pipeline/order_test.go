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
)

// Results keep the input's order, whichever request is answered first, is retried, or has the import job that ends
// first.
func TestOrderOfResults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		wait bool
		wrap func(answered <-chan struct{}) func(http.Handler) http.Handler // answered: a batch has its answer
	}{
		{"the second request is answered first", false, answeredLate},
		{"the first request is retried", false, answeredOnRetry},
		{"the second import job ends first", true, endedLate},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mustEnd(t)
			answered := make(chan struct{})
			once := sync.OnceFunc(func() { close(answered) })
			o := waitOptions(t, c.wrap(answered))
			o.Wait, o.Concurrency, o.mostRows = c.wait, 2, 10
			o.probe = func(stage string) {
				if stage == "results" {
					once()
				}
			}
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 20)), &out)
			rows, _ := parse(t, out.Bytes())
			ownKeys(t, rows)
			if err != nil || rep.Rows.Accepted+rep.Rows.Applied != 20 || rep.Jobs.Submitted != 2 {
				t.Errorf("%v; %+v, %+v", err, rep.Rows, rep.Jobs)
			}
		})
	}
}

// hasFirst reports whether a request imports the batch of the first row.
func hasFirst(r *http.Request) bool {
	if !isImport(r) {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte(`"p0@example.com"`))
}

// answeredLate answers the first import after the second.
func answeredLate(answered <-chan struct{}) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hasFirst(r) {
				<-answered
			}
			next.ServeHTTP(w, r)
		})
	}
}

// answeredOnRetry answers 503 to the first import, after the second, and accepts it when it comes again.
func answeredOnRetry(answered <-chan struct{}) func(http.Handler) http.Handler {
	var tries atomic.Int64
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hasFirst(r) && tries.Add(1) == 1 {
				<-answered
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// endedLate ends the first import job after it has told the end of the second.
func endedLate(<-chan struct{}) func(http.Handler) http.Handler {
	var mu sync.Mutex
	told := false
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			switch id := jobID(r); {
			case isImport(r):
				id = "J2"
				if hasFirst(r) {
					id = "J1"
				}
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q}}`, id)
			case id != "":
				status := "complete"
				if id == "J1" && !told {
					status = "processing"
				}
				told = told || id == "J2"
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,`+
					`"attributes":{"status":%q,"failed_count":0}}}`, id, status)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}
