package sink

import (
	"bytes"
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

// unknownID is the id of no profile.
const unknownID = "01M84QFHW400000001ZBEKQVRK"

// TestUnknownIdsOnRemoval: an id that Klaviyo does not know costs only its own row, whether Klaviyo names it by a
// pointer or in its text.
func TestUnknownIdsOnRemoval(t *testing.T) {
	for _, c := range []struct {
		name, code string
		wrap       func(http.Handler) http.Handler
	}{
		{"as the simulator says", "invalid", nil},
		{
			"by pointer", "not_found",
			faulty(isRemoval, problem(404, "not_found", "/data/1/id", "No profile "+unknownID+" here.")),
		},
		{
			"in the text", "not_found",
			faulty(isRemoval, problem(404, "not_found", "/data/", "A profile with id "+unknownID+" does not exist.")),
		},
		{
			"in a list", "invalid",
			faulty(isRemoval, problem(400, "invalid", "/data/", "Invalid profile IDs: "+unknownID)),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				set := removals(w.sim.AddProfile("a@example.com"), unknownID, w.sim.AddProfile("b@example.com"))
				if err := NewRemoval(w.client, w.list("News"), ProfileID).Send(w.Context(), set); err != nil {
					t.Fatal(err)
				}
				if set[0].Status != Applied || set[2].Status != Applied || set[1].Status != Rejected {
					t.Errorf("statuses %v, %v, %v", set[0].Status, set[1].Status, set[2].Status)
				}
				f := set[1].Fault
				if f == nil || f.Code != c.code || f.Column != "profile_id" ||
					!strings.Contains(f.Detail, unknownID) {
					t.Errorf("fault %+v", f)
				}
				if n := w.client.Stats().Sent; n != 3 {
					t.Errorf("%d requests, want a look-up, a refusal and a removal", n)
				}
			})
		})
	}
}

// removals returns the profiles of a removal.
func removals(ids ...string) []Profile {
	set := make([]Profile, len(ids))
	for i, id := range ids {
		set[i].JSON = []byte(`{"type":"profile","id":"` + id + `"}`)
	}
	return set
}

// idOf is the id of the profile at a place.
func idOf(i int) string { return fmt.Sprintf("01HQ%022d", i) }

// thousand returns a removal of a thousand profiles, and the ids of those that f says Klaviyo does not know.
func thousand(f func(i int) bool) (set []Profile, unknown map[string]bool) {
	unknown = map[string]bool{}
	ids := make([]string, maxRemoval)
	for i := range ids {
		if ids[i] = idOf(i); f(i) {
			unknown[ids[i]] = true
		}
	}
	return removals(ids...), unknown
}

// strict refuses removals with ids that are unknown, in one error as Klaviyo does. say writes the ids in its text.
func strict(unknown map[string]bool, say func(ids []string) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isRemoval(r) {
				next.ServeHTTP(w, r)
				return
			}
			text, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(text))
			var doc struct {
				Data []struct {
					ID string `json:"id"`
				} `json:"data"`
			}
			_ = json.Unmarshal(text, &doc)
			var ids []string
			for _, p := range doc.Data {
				if unknown[p.ID] {
					ids = append(ids, p.ID)
				}
			}
			if len(ids) == 0 {
				next.ServeHTTP(w, r)
				return
			}
			problem(400, "invalid", "/data/", "Invalid profile IDs: "+say(ids))(w, r, next)
		})
	}
}

// TestManyUnknownIDs: all ids that one error names are read, however long its text is, and the reason of each row
// names its own id alone. Five bad ids of a thousand cost two requests.
func TestManyUnknownIDs(t *testing.T) {
	all := func(ids []string) string { return strings.Join(ids, ", ") }
	upTo := func(n int, sign string) func([]string) string {
		return func(ids []string) string {
			if text := all(ids); len(text) > n {
				return text[:n] + sign
			}
			return all(ids)
		}
	}
	other := func(ids []string) string {
		return idOf(5000) + ", " + all(ids) + ", " + idOf(5001) + ", " + idOf(5002)
	}
	five := func(i int) bool { return i%200 == 7 }
	for _, c := range []struct {
		name     string
		unknown  func(i int) bool
		say      func(ids []string) string
		requests int64 // removals
	}{
		{"five of a thousand", five, all, 2},
		{"all", func(int) bool { return true }, all, 1},
		{"all but one", func(i int) bool { return i != 500 }, all, 2},
		{"repeated", five, func(ids []string) string { return all(ids) + ", " + all(ids) }, 2},
		{"among ids of no row", five, other, 2},
		{"without blanks", five, func(ids []string) string { return strings.Join(ids, ",") }, 2},
		{"quoted", five, func(ids []string) string { return "['" + strings.Join(ids, "', '") + "']" }, 2},
		{"ended by a full stop", five, func(ids []string) string { return all(ids) + "." }, 2},
		// 35 whole ids and the beginning of another in each text.
		{"100, cut with a sign", func(i int) bool { return i%10 == 7 }, upTo(985, "…"), 4},
		{"100, cut with dots", func(i int) bool { return i%10 == 7 }, upTo(985, "..."), 4},
		{"100, cut without a sign", func(i int) bool { return i%10 == 7 }, upTo(985, ""), 4},
		{"only three are told", func(i int) bool { return i%200 < 2 }, func(ids []string) string {
			return all(ids[:min(3, len(ids))]) + fmt.Sprintf(" and %d more", len(ids))
		}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, unknown := thousand(c.unknown)
			o := simulator.Options{AnyProfile: true}
			bubble(t, strict(unknown, c.say), o, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				list := w.list("News")
				before := w.client.Stats().Sent
				if err := NewRemoval(w.client, list, ProfileID).Send(w.Context(), set); err != nil {
					t.Fatal(err)
				}
				if n := w.client.Stats().Sent - before; n != c.requests {
					t.Errorf("%d requests, want %d", n, c.requests)
				}
			})
			for i := range set {
				id, p := idOf(i), &set[i]
				if !unknown[id] {
					if p.Status != Applied {
						t.Fatalf("%s: status %v", id, p.Status)
					}
					continue
				}
				if p.Status != Rejected || p.Fault.Code != "invalid" || p.Fault.Column != "profile_id" {
					t.Fatalf("%s: status %v, fault %+v", id, p.Status, p.Fault)
				}
				said := p.Fault.Detail
				if !strings.HasPrefix(said, "Invalid profile IDs: ") || strings.Count(said, "01HQ") != 1 ||
					!strings.Contains(said, id) || len(said) > 60 {
					t.Fatalf("%s: detail %q", id, said)
				}
			}
		})
	}
}

// TestUnknownIDsAtTheSimulator: five ids of a thousand that the simulator does not know cost two requests.
func TestUnknownIDsAtTheSimulator(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		set := make([]Profile, maxRemoval)
		for i := range set {
			id := idOf(i)
			if i%200 != 7 {
				id = w.sim.AddProfile(fmt.Sprintf("p%d@example.com", i))
			}
			set[i] = removals(id)[0]
		}
		if err := NewRemoval(w.client, w.list("News"), ProfileID).Send(w.Context(), set); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"applied": 995, "rejected invalid": 5}, statuses(set)); diff != "" {
			t.Error(diff)
		}
		for i := 7; i < maxRemoval; i += 200 {
			want := &Fault{Code: "invalid", Column: "profile_id", Detail: "Invalid profile IDs: " + idOf(i)}
			if diff := cmp.Diff(want, set[i].Fault, cmpopts.IgnoreUnexported(Fault{})); diff != "" {
				t.Error(diff)
			}
		}
		want := map[string]int{
			"GET /api/lists 200": 1, "DELETE /api/lists/{id}/relationships/profiles 400": 1,
			"DELETE /api/lists/{id}/relationships/profiles 204": 1,
		}
		if diff := cmp.Diff(want, w.sim.Requests()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUnknownIDOfTwoRows: rows of the same unknown id are all rejected by the first refusal.
func TestUnknownIDOfTwoRows(t *testing.T) {
	set := removals("A1", "B2", "A1")
	say := func(ids []string) string { return ids[0] }
	o := simulator.Options{AnyProfile: true}
	bubble(t, strict(map[string]bool{"A1": true}, say), o, Options{}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		if err := NewRemoval(w.client, w.list("News"), ProfileID).Send(w.Context(), set); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"applied": 1, "rejected invalid": 2}, statuses(set)); diff != "" {
			t.Error(diff)
		}
		if n := w.client.Stats().Sent; n != 3 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestIDsAreWholeWords: an id inside another word of an error's text names no profile, nor does one that may be the
// beginning of another.
func TestIDsAreWholeWords(t *testing.T) {
	places := map[string][]int{"1": {0}, "12": {1}}
	long := strings.Repeat("long text ", 30)
	for detail, want := range map[string][]string{
		"profile 12 not found": {"12"},
		"ids: 'x', '12'.":      {"12"},
		"profile 112 or 1_2":   nil,
		"12":                   {"12"},
		"id=1":                 {"1"},
		"12, 1, 12":            {"12", "1"},
		"12, 1…":               {"12"},
		"12, 1...":             {"12"},
		"12, 1, …":             {"12", "1"},
		long + "12, 1":         {"12"},
		long + "1, 12":         {"1", "12"},
		long + "12, 1.":        {"12", "1"},
		"":                     nil,
	} {
		if diff := cmp.Diff(want, findIDs(detail, places).ids); diff != "" {
			t.Errorf("%q: %s", detail, diff)
		}
	}
}

// TestOwnIDInReasons: where an error names several ids, the reason of a row has its own id in place of all of them.
func TestOwnIDInReasons(t *testing.T) {
	places := map[string][]int{"A1": {0}, "B2": {1}}
	long := strings.Repeat("x ", 2000)
	for detail, want := range map[string]string{
		"Invalid profile IDs: A1":                  "Invalid profile IDs: B2",
		"Invalid profile IDs: A1, B2":              "Invalid profile IDs: B2",
		"Invalid profile IDs: Z9, A1, Y8, B2, X7":  "Invalid profile IDs: B2",
		"Invalid profile IDs: A1, B2, 01M8…":       "Invalid profile IDs: B2",
		"Invalid profile IDs: A1, B2, ...":         "Invalid profile IDs: B2",
		"Invalid profile IDs: ['A1', 'B2', 'X7'].": "Invalid profile IDs: ['B2'].",
		"Invalid profile IDs: [\"Z9\",\"A1\"]":     "Invalid profile IDs: [\"B2\"]",
		"Profiles A1 and B2 do not exist.":         "Profiles B2 do not exist.",
		"Sorry, A1 is unknown":                     "Sorry, B2 is unknown",
		"Error: the profiles A1, B2 are unknown":   "Error: the profiles B2 are unknown",
		long + "A1, B2":                            long[:aroundID] + "…B2",
		"A1, B2 " + long:                           "B2 " + long[:aroundID-1] + "…",
	} {
		found := findIDs(detail, places)
		if got := found.about("B2"); got != want {
			t.Errorf("%.80q:\ngot  %q\nwant %q", detail, got, want)
		}
	}
}

// TestManyIDsInReasons: when a removal is refused with very many errors, the profiles are read once and not for each
// error.
func TestManyIDsInReasons(t *testing.T) {
	set, _ := thousand(func(int) bool { return false })
	refs := make([]*Profile, len(set))
	for i := range set {
		refs[i] = &set[i]
	}
	body := `{"errors":[` + strings.Repeat(`{"detail":"no id"},`, 100_000) +
		`{"code":"not_found","detail":"no profile 01HQ0000000000000000000007."}]}`
	a := &answer{status: 404, errors: new(Client).apiErrors([]byte(body))}
	var rest []*Profile
	bytes := allocated(func() {
		refused, err := refuse(a, "remove profiles", refs, new(Client).newTexts(), removalNamed())
		if err != nil {
			t.Fatal(err)
		}
		rest = refused.rest(refs)
	})
	if len(rest) != maxRemoval-1 || set[7].Status != Rejected || set[7].Fault.Column != "profile_id" {
		t.Errorf("%d profiles are left, profile 7: %+v", len(rest), set[7])
	}
	if bytes > 64<<20 { // reading the profiles for each error would take 10 GB
		t.Errorf("stripping took %d MB", bytes>>20)
	}
}
