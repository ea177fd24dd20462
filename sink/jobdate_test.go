package sink

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// The time of an import job's creation is Klaviyo's, in whole seconds. A job that is not there any more is an error that
// says so, and a failure is retried.
func TestJobCreated(t *testing.T) {
	ofJob := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "import-jobs/") }
	for _, c := range []struct {
		name string
		wrap func(http.Handler) http.Handler
		id   string
		want string // error
		kind Kind
	}{
		{name: "as it is"},
		{name: "after a failure", wrap: faulty(ofJob, html(503))},
		{name: "after a lost answer", wrap: faulty(ofJob, reset(true))},
		{name: "after an answer about another job",
			wrap: faulty(ofJob, says(200, mediaType, `{"data":{"id":"X","attributes":{"created_at":"2001-01-01T00:00:00Z"}}}`))},
		{name: "with a fraction", id: "X", wrap: faulty(ofJob,
			says(200, mediaType, `{"data":{"id":"X","attributes":{"created_at":"2000-01-01T01:00:01.654321+01:00"}}}`))},
		{name: "gone", id: "01M84QFHW400000001ZBEKQVRK",
			want: "read import job 01M84QFHW400000001ZBEKQVRK: Klaviyo no longer knows it"},
		{name: "without a time", id: "X", wrap: faulty(ofJob, says(200, mediaType, `{"data":{"id":"X"}}`)),
			want: "expected created_at"},
		{name: "refused", id: "X", wrap: faulty(ofJob, problem(400, "invalid", "/", "no")), want: "HTTP 400"},
		{name: "not Klaviyo", id: "X", wrap: faulty(ofJob, html(404)), want: "HTTP 404"},
		{name: "an outage", id: "X", wrap: func(next http.Handler) http.Handler { return faultyAlways(ofJob, html(502), next) },
			want: "HTTP 502", kind: Outage},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				list, id := w.list("News"), c.id
				time.Sleep(1500 * time.Millisecond)
				began := time.Now()
				if id == "" {
					set := people(1)
					if err := NewImport(w.client, list).Send(w.Context(), set); err != nil {
						t.Fatal(err)
					}
					id = set[0].Job
				}
				at, err := w.client.JobCreated(w.Context(), id)
				var failed *Error
				switch {
				case c.want == "" && (err != nil || !at.Equal(began.Truncate(time.Second))):
					t.Errorf("created at %v, want %v: %v", at, began, err)
				case c.want != "" && (!errors.As(err, &failed) || !strings.Contains(err.Error(), c.want) ||
					failed.Kind != c.kind || !at.IsZero()):
					t.Errorf("created at %v, error %v, want one of kind %d with %q", at, err, c.kind, c.want)
				}
			})
		})
	}
}

// faultyAlways gives the fault to every request that matches.
func faultyAlways(match func(*http.Request) bool, f fault, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if match(r) {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}
