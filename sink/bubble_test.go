package sink

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// world is a bubble's Klaviyo.
type world struct {
	*testing.T
	client *Client
	sim    *simulator.Simulator
	net    *contract.Pipes
}

// bubble runs f with a client of a simulated Klaviyo under a clock that jumps ahead whenever all wait. Requests pass
// through wrap, which may be nil, and then the faults of far and the check of the contract.
func bubble(t *testing.T, wrap func(http.Handler) http.Handler, far simulator.Options, o Options, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		far.Wrap = func(next http.Handler) http.Handler {
			checked, err := contract.Layer(next, func(breach error) { t.Errorf("against the API's description: %v", breach) })
			if err != nil {
				t.Fatal(err)
			}
			return checked
		}
		sim := simulator.New(far)
		var handler http.Handler = sim
		if wrap != nil {
			handler = wrap(handler)
		}
		network := contract.NewPipes()
		server := &http.Server{Handler: handler}
		served := make(chan struct{})
		go func() { // ends with the server, which is closed and waited for below
			defer close(served)
			_ = server.Serve(network)
		}()
		o.Alone = true
		w := &world{T: t, sim: sim, net: network}
		w.client = w.join(o)
		f(w)
		w.client.Close()
		_ = network.Close()
		_ = server.Close()
		<-served
		time.Sleep(time.Second) // the server lets some connections linger
	})
}

// join returns another client of the bubble's Klaviyo.
func (w *world) join(o Options) *Client {
	w.Helper()
	o.BaseURL, o.Revision, o.Key, o.Concurrency = "http://127.0.0.1", DefaultRevision, "pk_bubble", 4
	c, err := New(o)
	if err != nil {
		w.Fatal(err)
	}
	c.http.Transport.(*http.Transport).DialContext = w.net.Dial
	return c
}

// list finds the list of the name, or may create it.
func (w *world) list(name string) *List {
	w.Helper()
	l, err := w.client.FindList(w.Context(), ListRef{Name: name, Create: true})
	if err != nil {
		w.Fatal(err)
	}
	return l
}

// people returns profiles for import, p0@example.com and so on.
func people(n int) []Profile {
	list := make([]Profile, n)
	for i := range list {
		list[i].JSON = fmt.Appendf(nil, `{"type":"profile","attributes":{"email":"p%d@example.com"}}`, i)
	}
	return list
}

// statuses counts profiles by status and code.
func statuses(list []Profile) map[string]int {
	counts := map[string]int{}
	for _, p := range list {
		name := [...]string{"unsent", "accepted", "applied", "rejected", "unknown"}[p.Status]
		if p.Fault != nil {
			name += " " + p.Fault.Code
		}
		counts[name]++
	}
	return counts
}

// isImport matches the requests that carry profiles to a list.
func isImport(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/api/profile-bulk-import-jobs"
}

func isRemoval(r *http.Request) bool { return r.Method == http.MethodDelete }

func isCreation(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/api/lists"
}

func isLookup(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Path == "/api/lists"
}

// fault answers a request in place of the handler behind it, or after it.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// faulty gives the first requests that match the faults in turn, and passes all others on.
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

// says answers with a status and a body, without the request having had an effect.
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

// problem is an answer in Klaviyo's form for errors; each of them is a pointer and a detail.
func problem(status int, code string, errors ...string) fault {
	body := `{"errors":[`
	for i := 0; i < len(errors); i += 2 {
		if i > 0 {
			body += ","
		}
		body += fmt.Sprintf(`{"id":"e","status":%d,"code":%q,"title":"T","detail":%q,"source":{"pointer":%q}}`, status, code, errors[i+1], errors[i])
	}
	return says(status, mediaType, body+"]}")
}

// reset cuts the connection, before the request has had an effect or after.
func reset(after bool) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if after {
			next.ServeHTTP(&nowhere{header: http.Header{}}, r)
		}
		panic(http.ErrAbortHandler)
	}
}

// replaced lets the request have its effect and gives another answer.
func replaced(status int, mediaType, body string) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&nowhere{header: http.Header{}}, r)
		says(status, mediaType, body)(w, r, nil)
	}
}

// truncated promises more of an answer than it gives.
func truncated(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(&nowhere{header: http.Header{}}, r)
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"data":{"id":"cut`)
	panic(http.ErrAbortHandler)
}

// late answers after so long.
func late(d time.Duration) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, _ := io.ReadAll(r.Body)
		_ = body
		time.Sleep(d)
		says(http.StatusAccepted, mediaType, `{"data":{"id":"late"}}`)(w, r, next)
	}
}

// nowhere swallows an answer.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}
