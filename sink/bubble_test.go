package sink

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// world is the Klaviyo of a bubble.
type world struct {
	*testing.T
	client *Client
	sim    *simulator.Simulator
	net    *contract.Pipes
}

// bubble runs f with a client of a simulated Klaviyo, under a clock that jumps ahead whenever all goroutines wait.
// Requests pass through wrap, which may be nil, then through the faults of the simulator's plan and s.Wrap; nil is the
// check of the contract.
func bubble(t *testing.T, wrap func(http.Handler) http.Handler, s simulator.Options, o Options, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if s.Wrap == nil {
			s.Wrap = func(next http.Handler) http.Handler {
				checked, err := contract.Layer(next,
					func(breach error) { t.Errorf("breach of the API's description: %v", breach) })
				if err != nil {
					t.Fatal(err)
				}
				return checked
			}
		}
		sim := simulator.New(s)
		var handler http.Handler = sim
		if wrap != nil {
			handler = wrap(handler)
		}
		network := contract.NewPipes()
		server := &http.Server{Handler: handler}
		served := make(chan struct{})
		go func() { // ends with the server; the function below waits for it
			defer close(served)
			_ = server.Serve(network)
		}()
		defer func() {
			_ = network.Close()
			_ = server.Close()
			<-served
			time.Sleep(time.Second) // on the bubble's clock: the server keeps some connections for a moment
		}()
		o.Alone = true
		w := &world{T: t, sim: sim, net: network}
		w.client = w.join(o)
		defer w.client.Close()
		f(w)
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

// list finds the list of the name. If there is none, the first Send creates it.
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
		name := [...]string{"unsent", "accepted", "applied", "skipped", "rejected", "unknown"}[p.Status]
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
