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

// Results keep the input's order, whichever request is answered first, is retried, or has the import job that ends
// first.
func TestOrderOfResults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		wait bool
		wrap func(first, second func(*http.Request) bool) func(http.Handler) http.Handler
	}{
		{"the second request is answered first", false, answeredLate},
		{"the first request is retried", false, answeredOnRetry},
		{"the second import job ends first", true, endedLate},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mustEnd(t)
			o := waitOptions(t, c.wrap(importOf(0), importOf(10)))
			o.Wait, o.Concurrency, o.mostRows = c.wait, 2, 10
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

// importOf returns what reports whether a request imports the batch with that person.
func importOf(person int) func(*http.Request) bool {
	return func(r *http.Request) bool {
		if !isImport(r) {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return bytes.Contains(body, fmt.Appendf(nil, `"p%d@example.com"`, person))
	}
}

// answeredLate answers the first import when the second is answered.
func answeredLate(first, second func(*http.Request) bool) func(http.Handler) http.Handler {
	done := make(chan struct{})
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if first(r) {
				<-done
			}
			isSecond := second(r)
			next.ServeHTTP(w, r)
			if isSecond {
				close(done)
			}
		})
	}
}

// answeredOnRetry answers 503 to the first import, when the second is answered, and takes it when it comes again.
func answeredOnRetry(first, second func(*http.Request) bool) func(http.Handler) http.Handler {
	done := make(chan struct{})
	var once sync.Once
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if first(r) {
				refused := false
				once.Do(func() { refused = true })
				if <-done; refused {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
			}
			isSecond := second(r)
			next.ServeHTTP(w, r)
			if isSecond {
				close(done)
			}
		})
	}
}

// endedLate ends the first import job when the end of the second has been told.
func endedLate(first, _ func(*http.Request) bool) func(http.Handler) http.Handler {
	var mu sync.Mutex
	told := false
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			switch id := jobID(r); {
			case isImport(r):
				id = "J2"
				if first(r) {
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
