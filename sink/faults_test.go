package sink

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// fault answers a request instead of the handler behind it, or after it.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// faulty gives one fault to each of the first requests that match, and passes all other requests on.
func faulty(match func(*http.Request) bool, faults ...fault) func(http.Handler) http.Handler {
	var mu sync.Mutex
	n := 0
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			at := n
			if match(r) {
				n++
			} else {
				at = len(faults)
			}
			mu.Unlock()
			if at < len(faults) {
				faults[at](w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// says answers with a status and a body. The request has no effect.
func says(status int, mediaType, body string, headers ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", mediaType)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const page = "<!DOCTYPE html><html><title>Just a moment...</title></html>"

func html(status int) fault { return says(status, "text/html", page) }

// problem is an answer in Klaviyo's form for errors. Each error is a pointer and a detail.
func problem(status int, code string, errors ...string) fault {
	body := `{"errors":[`
	for i := 0; i < len(errors); i += 2 {
		if i > 0 {
			body += ","
		}
		body += fmt.Sprintf(`{"id":"e","status":%d,"code":%q,"title":"T","detail":%q,"source":{"pointer":%q}}`,
			status, code, errors[i+1], errors[i])
	}
	return says(status, mediaType, body+"]}")
}

// reset cuts the connection, either before or after the request has its effect.
func reset(after bool) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if after {
			next.ServeHTTP(&nowhere{header: http.Header{}}, r)
		}
		panic(http.ErrAbortHandler)
	}
}

// replaced lets the request have its effect and sends another answer.
func replaced(status int, mediaType, body string) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&nowhere{header: http.Header{}}, r)
		says(status, mediaType, body)(w, r, nil)
	}
}

// truncated lets the request have its effect and sends an answer that is shorter than it says.
func truncated(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(&nowhere{header: http.Header{}}, r)
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"data":{"id":"cut`)
	panic(http.ErrAbortHandler)
}

// late answers after d.
func late(d time.Duration) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(d) // on the bubble's clock
		says(http.StatusAccepted, mediaType, `{"data":{"id":"late"}}`)(w, r, next)
	}
}

// nowhere discards an answer.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header { return n.header }

func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }

func (n *nowhere) WriteHeader(int) {}
