package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// picky refuses every import that holds a bad profile. fails returns the errors of an address, pointer and detail in
// turn, relative to the profile, and none for a good profile. If named is false, the refusal names no profile.
func picky(status int, named bool, fails func(email string) []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isImport(r) {
				next.ServeHTTP(w, r)
				return
			}
			text, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(text))
			var doc struct {
				Data struct {
					Attributes struct {
						Profiles struct {
							Data []struct {
								Attributes struct {
									Email string `json:"email"`
								} `json:"attributes"`
							} `json:"data"`
						} `json:"profiles"`
					} `json:"attributes"`
				} `json:"data"`
			}
			_ = json.Unmarshal(text, &doc)
			var errs []string
			for i, p := range doc.Data.Attributes.Profiles.Data {
				said := fails(p.Attributes.Email)
				for k := 0; k < len(said); k += 2 {
					errs = append(errs, fmt.Sprintf("/data/attributes/profiles/data/%d%s", i, said[k]), said[k+1])
				}
			}
			switch {
			case len(errs) == 0:
				next.ServeHTTP(w, r)
			case named:
				problem(status, "invalid", errs...)(w, r, next)
			default:
				problem(status, "invalid", "/data", "The payload provided in the request is invalid.")(w, r, next)
			}
		})
	}
}

// send adds n people to a list. It returns them and the error.
func (w *world) send(n int) ([]Profile, error) {
	set := people(n)
	return set, NewImport(w.client, w.list("News")).Send(w.Context(), set)
}

// TestNamedRowsAreStripped: rows that Klaviyo names are rejected with every error about them, and the others are
// sent.
func TestNamedRowsAreStripped(t *testing.T) {
	bad := map[string][]string{
		"p3@example.com": {"/attributes/email", "Invalid email address"},
		"p7@example.com": {
			"/attributes/phone_number", "Invalid phone number format", "/attributes/location/zip", "Zip?",
		},
		"p9@example.com": {"", "A profile with no identifier"},
	}
	wrap := picky(400, true, func(email string) []string { return bad[email] })
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		set, err := w.send(10)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range map[int]*Fault{
			3: {Code: "invalid", Column: "email", Detail: "Invalid email address"},
			7: {Code: "invalid", Column: "phone_number", Detail: "Invalid phone number format; Zip?"},
			9: {Code: "invalid", Detail: "A profile with no identifier"},
		} {
			diff := cmp.Diff(want, set[i].Fault, cmpopts.IgnoreUnexported(Fault{}))
			if diff != "" || set[i].Status != Rejected || set[i].Job != "" {
				t.Errorf("profile %d, status %v: %s", i, set[i].Status, diff)
			}
		}
		if diff := cmp.Diff(map[string]int{"accepted": 7, "rejected invalid": 3}, statuses(set)); diff != "" {
			t.Error(diff)
		}
		if n := w.client.Stats().Sent; n != 6 {
			t.Errorf("got %d requests, want 6: three look-ups, a creation, a refusal, an import", n)
		}
	})
}

// TestStrippingInRounds: Klaviyo may name one bad row in each refusal; each of them is rejected with its own reason.
func TestStrippingInRounds(t *testing.T) {
	round := 0
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) && round < 5 {
				round++
				said := fmt.Sprintf("round %d", round)
				problem(400, "invalid", "/data/attributes/profiles/data/0/attributes/email", said)(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		set, err := w.send(8)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if set[i].Status != Rejected || set[i].Fault.Detail != fmt.Sprintf("round %d", i+1) {
				t.Errorf("profile %d: %+v", i, set[i])
			}
		}
		if diff := cmp.Diff(map[string]int{"accepted": 3, "rejected invalid": 5}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUnnamedRowsAreFound: when a refusal names no row, halving finds the bad rows, and only they are rejected.
func TestUnnamedRowsAreFound(t *testing.T) {
	for _, c := range []struct {
		name      string
		status, n int
		bad       []int
	}{
		{"400, 4 of 1000", 400, 1000, []int{0, 499, 500, 999}},
		{"400, alone", 400, 1, []int{0}},
		{"413, 1 of 33", 413, 33, []int{17}},
		{"422, 1 of 2", 422, 2, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			isBad := map[string]bool{}
			for _, i := range c.bad {
				isBad[fmt.Sprintf("p%d@example.com", i)] = true
			}
			fails := func(email string) []string {
				if isBad[email] {
					return []string{"", "bad"}
				}
				return nil
			}
			wrap := picky(c.status, false, fails)
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				set, err := w.send(c.n)
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]int{"rejected invalid": len(c.bad)}
				if c.n > len(c.bad) {
					want["accepted"] = c.n - len(c.bad)
				}
				if diff := cmp.Diff(want, statuses(set)); diff != "" {
					t.Error(diff)
				}
				for _, i := range c.bad {
					detail := "The payload provided in the request is invalid."
					if set[i].Status != Rejected || !strings.Contains(set[i].Fault.Detail, detail) {
						t.Errorf("profile %d: %+v", i, set[i])
					}
				}
			})
		})
	}
}

// TestWrongRequest: a request that is wrong in itself ends the run after 30 refusals. No row is blamed for it, not
// even one that was refused alone on the way. Rows that Klaviyo names stay rejected.
func TestWrongRequest(t *testing.T) {
	all := func(string) []string { return []string{"", "bad"} }
	always := picky(400, false, all)
	first := "/data/attributes/profiles/data/5/attributes/email"
	for _, c := range []struct {
		name string
		n    int
		wrap func(http.Handler) http.Handler
		want map[string]int
	}{
		{"10,000 rows", 10_000, always, map[string]int{"unsent": 10_000}},
		{"200 rows", 200, always, map[string]int{"unsent": 200}},
		{"16 rows", 16, always, map[string]int{"unsent": 16}},
		{
			"one row is named first", 200,
			func(next http.Handler) http.Handler {
				return faulty(isImport, problem(400, "invalid", first, "Invalid email address"))(always(next))
			},
			map[string]int{"unsent": 199, "rejected invalid": 1},
		},
		{
			"a lost answer before", 200,
			func(next http.Handler) http.Handler { return faulty(isImport, reset(true))(always(next)) },
			map[string]int{"unknown answer_lost": 200},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				set, err := w.send(c.n)
				var failed *Error
				const said = "send profiles: Klaviyo refused 30 requests for one batch without naming a profile, " +
					"and accepted none: HTTP 400: The payload provided in the request is invalid. (invalid), " +
					"request id e"
				if !errors.As(err, &failed) || failed.Kind != Setup || failed.Error() != said {
					t.Fatalf("error %v", err)
				}
				if diff := cmp.Diff(c.want, statuses(set)); diff != "" {
					t.Error(diff)
				}
				if n := w.client.Stats().Sent; n > 2+2*maxUnnamed {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// TestBlamedBeforeTheEnd: a row that was refused alone stays rejected when a request went through before the run
// ended: then the request itself is right. Otherwise it is unsent.
func TestBlamedBeforeTheEnd(t *testing.T) {
	refused := problem(400, "invalid", "/data", "The payload provided in the request is invalid.")
	badKey := problem(401, "not_authenticated", "/data/", "Missing or invalid private key.")
	for _, c := range []struct {
		name   string
		faults []fault // of the requests for rows 0-3, 0-1, 0, 1, 2-3
		want   map[string]int
	}{
		{
			"through", []fault{refused, refused, refused, pass, badKey},
			map[string]int{"rejected invalid": 1, "accepted": 1, "unsent": 2},
		},
		{"none through", []fault{refused, refused, refused, refused, badKey}, map[string]int{"unsent": 4}},
		{"outage", []fault{refused, refused, refused, refused, html(403), html(403)}, map[string]int{"unsent": 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, faulty(isImport, c.faults...), simulator.Options{}, Options{}, func(w *world) {
				set, err := w.send(4)
				if err == nil {
					t.Error("no error")
				}
				if diff := cmp.Diff(c.want, statuses(set)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// deleteList deletes a list of the simulated Klaviyo.
func (w *world) deleteList(id string) {
	w.Helper()
	req, _ := http.NewRequestWithContext(w.Context(), http.MethodDelete, "http://127.0.0.1/api/lists/"+id, nil)
	req.Header.Set("Authorization", "Klaviyo-API-Key k")
	req.Header.Set("Revision", DefaultRevision)
	req.Header.Set("Accept", mediaType)
	res, err := w.client.http.Do(req)
	if err != nil || res.StatusCode != http.StatusNoContent {
		w.Fatal(err, res)
	}
}

// TestListGone: a list that is deleted during the run ends it, and no row is blamed.
func TestListGone(t *testing.T) {
	for _, c := range []struct {
		name string
		send func(w *world, l *List) Sender
	}{
		{"import", func(w *world, l *List) Sender { return NewImport(w.client, l) }},
		{"removal", func(w *world, l *List) Sender { return NewRemoval(w.client, l, ProfileID) }},
	} {
		for _, n := range []int{1, 5} {
			t.Run(fmt.Sprintf("%s of %d", c.name, n), func(t *testing.T) {
				bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
					id := w.sim.AddList("News", "single_opt_in")
					list := w.list("News")
					w.deleteList(id)
					set := people(n)
					for i := range set {
						if c.name == "removal" {
							set[i].JSON = fmt.Appendf(nil, `{"type":"profile","id":"01M84QFHW40000000%dZBEKQVRK"}`, i)
						}
					}
					err := c.send(w, list).Send(w.Context(), set)
					var failed *Error
					if !errors.As(err, &failed) || failed.Kind != Setup || !strings.Contains(err.Error(), id) {
						t.Errorf("error %v", err)
					}
					if diff := cmp.Diff(map[string]int{"unsent": n}, statuses(set)); diff != "" {
						t.Error(diff)
					}
				})
			})
		}
	}
}

// TestLostBeforeTheListIsGone: rows that may have arrived before the list was deleted are unknown, not unsent.
func TestLostBeforeTheListIsGone(t *testing.T) {
	gone := problem(404, "not_found", "/data/", "A list with that id does not exist.")
	byID := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/lists/")
	}
	wrap := func(next http.Handler) http.Handler {
		noList := problem(400, "invalid", "/data", "List ID does not exist.")
		return faulty(byID, gone, gone)(faulty(isImport, reset(true), noList)(next))
	}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		set, err := w.send(3)
		if err == nil {
			t.Error("no error")
		}
		if diff := cmp.Diff(map[string]int{"unknown answer_lost": 3}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestNoProfiles: without profiles no request is sent, as Klaviyo refuses empty ones, and no list is created.
func TestNoProfiles(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		list := w.list("News")
		for _, s := range []Sender{NewImport(w.client, list), NewRemoval(w.client, list, ProfileID)} {
			if err := s.Send(w.Context(), nil); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 2}, w.sim.Requests()); diff != "" {
			t.Error(diff)
		}
	})
}
