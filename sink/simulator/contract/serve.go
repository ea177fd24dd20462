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

// Layer puts the check around a handler. Without the description it returns the handler unchanged. A simulator with a
// plan needs it in Options.Wrap: around the simulator it would report the answers of faults as breaches.
func Layer(next http.Handler, violation func(error)) (http.Handler, error) {
	checker, err := load()
	if checker == nil {
		return next, err
	}
	return checker.Wrap(next, violation), nil
}

// Serve runs a simulated Klaviyo for a test and fails the test on every breach of the description. options.Wrap is
// outside the check: its own answers are not checked, and neither are the answers of faults that act on any request.
func Serve(t testing.TB, options simulator.Options) (url string, sim *simulator.Simulator) {
	t.Helper()
	outside := options.Wrap
	options.Wrap = func(next http.Handler) http.Handler {
		checked, err := Layer(next, func(breach error) { t.Errorf("breach of the API description: %v", breach) })
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
