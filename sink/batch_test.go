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
	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// picky refuses every import that holds a bad profile, as told by judge for each address. judge returns
// the errors, pointer and detail in turn, relative to the profile; none takes the profile.
func picky(status int, named bool, judge func(email string) []string) func(http.Handler) http.Handler {
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
				said := judge(p.Attributes.Email)
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

// send adds n people and returns them, and the error.
func (w *world) send(n int) ([]Profile, error) {
	set := people(n)
	return set, NewImport(w.client, w.list("News")).Send(w.Context(), set)
}

// The rows that Klaviyo names are rejected with all that it says of them, and the others arrive.
func TestNamedRowsAreStripped(t *testing.T) {
	bad := map[string][]string{
		"p3@example.com": {"/attributes/email", "Invalid email address"},
		"p7@example.com": {"/attributes/phone_number", "Invalid phone number format", "/attributes/location/zip", "Zip?"},
		"p9@example.com": {"", "A profile with no identifier"},
	}
	bubble(t, picky(400, true, func(email string) []string { return bad[email] }), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		set, err := w.send(10)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range map[int]*Fault{
			3: {"invalid", "email", "Invalid email address"},
			7: {"invalid", "phone_number", "Invalid phone number format; Zip?"},
			9: {"invalid", "", "A profile with no identifier"},
		} {
			if diff := cmp.Diff(want, set[i].Fault); diff != "" || set[i].Status != Rejected || set[i].Job != "" {
				t.Errorf("profile %d, outcome %v: %s", i, set[i].Status, diff)
			}
		}
		if diff := cmp.Diff(map[string]int{"accepted": 7, "rejected invalid": 3}, statuses(set)); diff != "" {
			t.Error(diff)
		}
		if n := w.client.Stats().Sent; n != 5 {
			t.Errorf("%d requests, not list, list, creation, refusal, import", n)
		}
	})
}

// Klaviyo need not name all bad rows at once.
func TestStrippingInRounds(t *testing.T) {
	round := 0
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) && round < 5 {
				round++
				problem(400, "invalid", "/data/attributes/profiles/data/0/attributes/email", fmt.Sprintf("round %d", round))(w, r, next)
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

// When no row is named, halving finds the bad ones, and they alone are rejected.
func TestUnnamedRowsAreFound(t *testing.T) {
	for _, c := range []struct {
		status, n int
		bad       []int
	}{{400, 1000, []int{0, 499, 500, 999}}, {400, 1, []int{0}}, {413, 33, []int{17}}, {422, 2, []int{1}}} {
		t.Run(fmt.Sprint(c.status, c.n), func(t *testing.T) {
			isBad := map[string]bool{}
			for _, i := range c.bad {
				isBad[fmt.Sprintf("p%d@example.com", i)] = true
			}
			judge := func(email string) []string {
				if isBad[email] {
					return []string{"", "bad"}
				}
				return nil
			}
			bubble(t, picky(c.status, false, judge), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
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
					if set[i].Status != Rejected || !strings.Contains(set[i].Fault.Detail, "The payload provided in the request is invalid.") {
						t.Errorf("profile %d: %+v", i, set[i])
					}
				}
			})
		})
	}
}

// A request that is wrong in itself ends the run instead of blaming every row.
func TestHopelessRequest(t *testing.T) {
	all := func(string) []string { return []string{"", "bad"} }
	bubble(t, picky(400, false, all), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		set, err := w.send(10_000)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Setup {
			t.Fatalf("error %v", err)
		}
		if got := statuses(set); got["unsent"] < 9_900 || got["accepted"] != 0 {
			t.Error(got)
		}
		if n := w.client.Stats().Sent; n > 2+2*maxUnnamed {
			t.Errorf("%d requests", n)
		}
	})
}

// A list that is deleted meanwhile ends the run; no row is to blame.
func TestListGone(t *testing.T) {
	for _, c := range []struct {
		name string
		send func(w *world, l *List) Sender
	}{
		{"import", func(w *world, l *List) Sender { return NewImport(w.client, l) }},
		{"removal", func(w *world, l *List) Sender { return NewRemoval(w.client, l) }},
	} {
		for _, n := range []int{1, 5} {
			t.Run(fmt.Sprint(c.name, n), func(t *testing.T) {
				bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
					id := w.sim.AddList("News", "single_opt_in")
					list := w.list("News")
					req, _ := http.NewRequestWithContext(w.Context(), http.MethodDelete, "http://127.0.0.1/api/lists/"+id, nil)
					for name, value := range map[string]string{"Authorization": "Klaviyo-API-Key k", "Revision": DefaultRevision, "Accept": mediaType} {
						req.Header.Set(name, value)
					}
					if res, err := w.client.http.Do(req); err != nil || res.StatusCode != 204 {
						t.Fatal(err, res)
					}
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

// What may have arrived before the list went away is unknown, not unsent.
func TestLostBeforeTheListIsGone(t *testing.T) {
	gone := problem(404, "not_found", "/data/", "A list with that id does not exist.")
	byID := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/lists/")
	}
	wrap := func(next http.Handler) http.Handler {
		return faulty(byID, gone, gone)(faulty(isImport, reset(true), problem(400, "invalid", "/data", "List ID does not exist."))(next))
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

// Ids that Klaviyo does not know cost themselves alone, whether it names them by pointer or in words.
func TestUnknownIdsOnRemoval(t *testing.T) {
	for _, c := range []struct {
		name string
		wrap func(http.Handler) http.Handler
	}{
		{"by pointer", nil},
		{"in words", faulty(isRemoval, problem(404, "not_found", "/data/", "A profile with id 01M84QFHW400000001ZBEKQVRK does not exist."))},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				set := []Profile{
					{JSON: []byte(`{"type":"profile","id":"` + w.sim.AddProfile("a@example.com") + `"}`)},
					{JSON: []byte(`{"type":"profile","id":"01M84QFHW400000001ZBEKQVRK"}`)},
					{JSON: []byte(`{"type":"profile","id":"` + w.sim.AddProfile("b@example.com") + `"}`)},
				}
				if err := NewRemoval(w.client, w.list("News")).Send(w.Context(), set); err != nil {
					t.Fatal(err)
				}
				if set[0].Status != Applied || set[2].Status != Applied || set[1].Status != Rejected {
					t.Errorf("%+v", set)
				}
				if f := set[1].Fault; f == nil || f.Code != "not_found" || f.Column != "profile_id" || !strings.Contains(f.Detail, "01M84QFHW400000001ZBEKQVRK") {
					t.Errorf("fault %+v", f)
				}
			})
		})
	}
}

// An id inside of another word names nobody.
func TestIdsAreWholeWords(t *testing.T) {
	set := []*Profile{{JSON: []byte(`{"type":"profile","id":"1"}`)}, {JSON: []byte(`{"type":"profile","id":"12"}`)}}
	for detail, want := range map[string]int{"profile 12 not found": 1, "ids: 'x', '12'.": 1, "profile 112 or 1_2": -1, "12": 1, "id=1": 0, "": -1} {
		if at, _ := removalPlace()(&apiError{Detail: detail}, set); at != want {
			t.Errorf("%q names profile %d, not %d", detail, at, want)
		}
	}
}

// When Send returns nobody reads the profiles any more, even if Klaviyo answered before it had read them: the race detector tells.
func TestProfilesAreGivenBack(t *testing.T) {
	hasty := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) {
				problem401 := `{"errors":[{"code":"authentication_failed","detail":"No"}]}`
				w.Header().Set("Content-Type", mediaType)
				w.WriteHeader(401)
				_, _ = io.WriteString(w, problem401)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, hasty, simulator.Options{}, Options{}, func(w *world) {
		set := people(2)
		set[1].JSON = []byte(`{"type":"profile","attributes":{"email":"x@example.com","first_name":"` + strings.Repeat("x", 3_000_000) + `"}}`)
		if err := NewImport(w.client, w.list("News")).Send(w.Context(), set); err == nil {
			t.Error("no error")
		}
		for i := range set[1].JSON {
			set[1].JSON[i] = 'y'
		}
	})
}

// Nobody to send is no request: Klaviyo refuses empty ones, and a list is not made for nobody.
func TestNobody(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		list := w.list("News")
		for _, s := range []Sender{NewImport(w.client, list), NewRemoval(w.client, list)} {
			if err := s.Send(w.Context(), nil); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 1}, w.sim.Requests()); diff != "" {
			t.Error(diff)
		}
	})
}

// The request is what Klaviyo's documents say, to the byte, and nothing of it goes to other hosts.
func TestRequestBytes(t *testing.T) {
	var got *http.Request
	var text []byte
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) {
				got = r.Clone(r.Context())
				text, _ = io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(text))
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{UserAgent: "klaviyo-export/test"}, func(w *world) {
		id := w.sim.AddList("News", "single_opt_in")
		set := append(people(2), Profile{JSON: []byte(`{"type":"profile","attributes":{"email":"x@example.com","first_name":"` + strings.Repeat("é", 40_000) + `"}}`)})
		if err := NewImport(w.client, w.list("News")).Send(w.Context(), set); err != nil {
			t.Fatal(err)
		}
		want := `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[` +
			`{"type":"profile","attributes":{"email":"p0@example.com"}},{"type":"profile","attributes":{"email":"p1@example.com"}},` + string(set[2].JSON) +
			`]}},"relationships":{"lists":{"data":[{"type":"list","id":"` + id + `"}]}}}}`
		if string(text) != want || got.ContentLength != int64(len(want)) {
			t.Errorf("%d bytes, length %d, want %d: %.300s", len(text), got.ContentLength, len(want), text)
		}
	})
	headers := map[string]string{}
	for name := range got.Header {
		headers[name] = got.Header.Get(name)
	}
	delete(headers, "Content-Length")
	want := map[string]string{
		"Accept": "application/vnd.api+json", "Accept-Encoding": "gzip", "Authorization": "Klaviyo-API-Key pk_bubble",
		"Content-Type": "application/vnd.api+json", "Revision": "2026-07-15", "User-Agent": "klaviyo-export/test",
	}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Error(diff)
	}
}

// Answers that are huge, deep or of other types are no panic and no match.
func TestStrangeErrors(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", `{"errors":{}}`, `{"errors":[{"source":{"pointer":5}}]}`, `{"errors":[{"source":null,"detail":null}]}`,
		strings.Repeat("[", 2_000_000), `{"errors":` + strings.Repeat("[", 1000), "{\"errors\":[{\"detail\":\"\xff\"}]}", `{"errors":[5,"x"]}`,
	} {
		for i, e := range new(Client).apiErrors([]byte(text)) {
			if at, _ := importPlace(&e, nil); at != -1 {
				t.Errorf("%.40s: error %d names profile %d", text, i, at)
			}
		}
	}
	set := make([]*Profile, 3)
	for pointer, want := range map[string]int{
		"/data/attributes/profiles/data/2/attributes/email": 2, "/data/attributes/profiles/data/0": 0, "/data/attributes/profiles/data/3": -1,
		"/data/attributes/profiles/data/": -1, "/data/attributes/profiles/data/-1/x": -1, "/data/attributes/profiles/data/99999999999999999999": -1,
		"/data/attributes/profiles/data/1x": -1, "/data": -1, "": -1, "/data/1": -1,
	} {
		e := apiError{}
		e.Source.Pointer = pointer
		if at, _ := importPlace(&e, set); at != want {
			t.Errorf("pointer %q names profile %d, not %d", pointer, at, want)
		}
	}
}
