package sink

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// TestFinalAnswers: an answer that no other try can change ends the run at once. Rows that may have arrived by an
// earlier try are unknown, all others are unsent.
func TestFinalAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault
	}{
		{"401", problem(401, "authentication_failed", "/data/", "Incorrect authentication credentials.")},
		{"403 of Klaviyo", problem(403, "permission_denied", "/data/", "The API key lacks the scope profiles:write.")},
		{"403 of another form", says(403, mediaType, `{"errors":[{"code":403}]}`)},
		{"410", problem(410, "gone", "", "This revision is retired.")},
		{"404 of a revision", problem(404, "not_found", "/data/", "No valid revisions found for method")},
		{
			"404 of a revision, without a code",
			says(404, mediaType, `{"errors":[{"title":"No valid revision found."}]}`),
		},
		{"400 of a revision", problem(400, "invalid", "/data/", "Unable to specify a future revision date.")},
		{"407", says(407, "text/html", page)},
		{"302", says(302, "text/html", "", "Location", "http://127.0.0.1:81/api/lists")},
		{"308", says(308, "text/html", "", "Location", "/api/elsewhere")},
		{"405", problem(405, "method_not_allowed", "", "Method not allowed.")},
		{"415", problem(415, "unsupported", "", "Unsupported media type.")},
	} {
		for _, before := range []bool{false, true} {
			name, want := c.name, map[string]int{"unsent": 2}
			faults := []fault{c.fault}
			if before {
				name, want = name+" after a lost answer", map[string]int{"unknown answer_lost": 2}
				faults = []fault{reset(false), c.fault}
			}
			t.Run(name, func(t *testing.T) {
				wrap := faulty(isImport, faults...)
				bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
					set, err := w.send(2)
					var failed *Error
					if !errors.As(err, &failed) || failed.Kind != Setup {
						t.Errorf("error %v", err)
					}
					if diff := cmp.Diff(want, statuses(set)); diff != "" {
						t.Error(diff)
					}
					if s := w.client.Stats(); s.Sent != int64(4+len(faults)) {
						t.Errorf("%d requests", s.Sent)
					}
				})
			})
		}
	}
}

// TestOddAnswers: a look-up whose answer has a value of another type than expected is tried once more, as something
// between may have answered, and then ends the run with an error.
func TestOddAnswers(t *testing.T) {
	const list = `{"data":{"type":"list","id":"Aaaaaa","attributes":{"name":"News","opt_in_process":%v}}}`
	for _, c := range []struct {
		name  string
		wrong int // answers before the right one
		sent  int64
	}{
		{"for good", 100, 2}, {"once", 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			wrap := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					value := any("\"single_opt_in\"")
					if n++; n <= c.wrong {
						value = 7
					}
					says(200, mediaType, fmt.Sprintf(list, value))(w, r, next)
				})
			}
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				_, err := w.client.FindList(w.Context(), ListRef{ID: "Aaaaaa"})
				const want = `look up list "Aaaaaa": HTTP 200: a value in the answer is of another type than expected`
				if c.wrong == 1 && err != nil || c.wrong > 1 && (err == nil || err.Error() != want) {
					t.Errorf("error %v", err)
				}
				if n := w.client.Stats().Sent; n != c.sent {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}
