package contract

import (
	"net/http"
	"sync"
	"testing"

	"klaviyo-export/sink/simulator"
)

var load = sync.OnceValues(func() (*Checker, error) {
	path, ok := Find()
	if !ok {
		return nil, nil
	}
	return Load(path)
})

// Layer puts the check around a handler, or returns the handler as it is where the description is absent. For a
// simulator with a plan it belongs into Options.Wrap: around the simulator it would take the faults' answers for breaches.
func Layer(next http.Handler, violation func(error)) (http.Handler, error) {
	checker, err := load()
	if checker == nil {
		return next, err
	}
	return checker.Wrap(next, violation), nil
}

// Serve runs a simulated Klaviyo for a test and fails the test for every breach of the contract. options.Wrap lies
// outside of the check: what it answers by itself is not checked. Nor is what the faults of options.Plan answer to any request.
func Serve(t testing.TB, options simulator.Options) (url string, sim *simulator.Simulator) {
	t.Helper()
	outside := options.Wrap
	options.Wrap = func(next http.Handler) http.Handler {
		checked, err := Layer(next, func(breach error) { t.Errorf("against the API's description: %v", breach) })
		if err != nil {
			t.Fatal(err)
		}
		if outside != nil {
			return outside(checked)
		}
		return checked
	}
	sim = simulator.New(options)
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return url, sim
}
