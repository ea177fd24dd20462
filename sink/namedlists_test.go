package sink

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// briefly writes what a look-up found: an id, "new" or why there is no list.
func briefly(named []Named) (texts []string) {
	for _, n := range named {
		switch id := ""; {
		case n.List == nil:
			texts = append(texts, n.Absent)
		default:
			if id, _, _ = n.List.State(); id == "" {
				id = "new"
			}
			texts = append(texts, id)
		}
	}
	return texts
}

// Lists are found by exactly their names, whatever characters those hold, ten with one request. One that is missing or
// ambiguous says so, and the others are found.
func TestNamedLists(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		var values, want []string
		for _, name := range oddNames {
			values, want = append(values, name), append(want, w.sim.AddList(name, "single_opt_in"))
		}
		for i := range 20 {
			values, want = append(values, fmt.Sprint("L", i)), append(want, w.sim.AddList(fmt.Sprint("L", i), "single_opt_in"))
		}
		a, b := w.sim.AddList("Twin", "single_opt_in"), w.sim.AddList("Twin", "single_opt_in")
		two := []string{a, b}
		slices.Sort(two)
		near := `no list has the name "NEWS"; lists "News" (` + want[0] + `), "news" (` + want[1] + `), " News" (` + want[2] +
			`) differ only in letter case or blanks`
		values = append(values, "Twin", "NEWS", "None", strings.Repeat("x", 1001))
		want = append(want, `look up list "Twin": 2 lists have that name: `+strings.Join(two, ", ")+
			`; rename one of them, or name lists by their ids with --lists-by id`, near+"; correct it",
			`no list has the name "None"; correct it, or create missing lists with --create-lists N`,
			"the list's name has more than 1000 bytes")
		named, err := NewNamedLists(w.client, ListRule{}).Find(w.Context(), values)
		if got := briefly(named); err != nil || !sameNear(got, want) {
			t.Errorf("%v, got %q\nwant %q", err, got, want)
		}
		if n := w.client.Stats().Sent; n > 12 {
			t.Errorf("%d requests", n)
		}
	})
}

// sameNear compares texts, in which near lists may come in any order.
func sameNear(got, want []string) bool {
	return slices.EqualFunc(got, want, func(a, b string) bool {
		one, two := []byte(a), []byte(b)
		slices.Sort(one)
		slices.Sort(two)
		return string(one) == string(two)
	})
}

// TestOldNamedLists: nobody waits for lists that other processes may just be creating when those found are old.
func TestOldNamedLists(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		other := w.join(Options{})
		defer other.Close()
		id := w.sim.AddList("News", "single_opt_in")
		time.Sleep(time.Hour)
		began := time.Now()
		named, err := NewNamedLists(other, ListRule{}).Find(w.Context(), []string{"News"})
		if got := briefly(named); err != nil || len(got) != 1 || got[0] != id {
			t.Errorf("%v, got %q", err, got)
		}
		if took, n := time.Since(began), other.Stats().Sent; took > time.Second || n != 1 {
			t.Errorf("it took %v and %d requests", took, n)
		}
	})
}

// Lists are found by their ids in the same way, with their names.
func TestNamedListsByID(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		var ids []string
		for i := range 25 {
			ids = append(ids, w.sim.AddList(fmt.Sprint("L", i), "single_opt_in"))
		}
		named, err := NewNamedLists(w.client, ListRule{ByID: true}).Find(w.Context(), append(ids, "NOPE01"))
		want := append(ids, `no list in this account has the id "NOPE01"; copy it from the list's address in Klaviyo`)
		if got := briefly(named); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, got %q\nwant %q", err, got, want)
		}
		if _, name, _ := named[3].List.State(); name != "L3" || w.client.Stats().Sent != 3 {
			t.Errorf("list %q, %d requests", name, w.client.Stats().Sent)
		}
	})
}

// No more lists are created than the rule allows, in the order of the names. A command that creates none says nothing
// of a flag that it does not have.
func TestNamedListsCreate(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		lists := NewNamedLists(w.client, ListRule{Create: 2})
		for _, round := range []struct{ values, want []string }{
			{[]string{"A"}, []string{"new"}},
			{[]string{"B", "C"}, []string{"new", `no list has the name "C"; --create-lists 2 is used up`}},
		} {
			named, err := lists.Find(w.Context(), round.values)
			if got := briefly(named); err != nil || !slices.Equal(got, round.want) {
				t.Errorf("%v, got %q, want %q", err, got, round.want)
			}
		}
		named, err := NewNamedLists(w.client, ListRule{Create: -1}).Find(w.Context(), []string{"A"})
		if got := briefly(named); err != nil || !slices.Equal(got, []string{`no list has the name "A"; correct it`}) {
			t.Errorf("%v, got %q", err, got)
		}
	})
}

// A name that Klaviyo refuses to look up costs its rows alone: the names that were asked for with it are found.
func TestRefusedNames(t *testing.T) {
	refuse := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Query().Get("filter"), "bad") {
				says(400, mediaType, `{"errors":[{"code":"invalid","title":"T","detail":"Bad filter."}]}`)(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, refuse, simulator.Options{}, Options{}, func(w *world) {
		var values, want []string
		for i := range 9 {
			values, want = append(values, fmt.Sprint("L", i)), append(want, w.sim.AddList(fmt.Sprint("L", i), "single_opt_in"))
		}
		values, want = slices.Insert(values, 4, "bad"),
			slices.Insert(want, 4, "look up lists: HTTP 400: Bad filter. (invalid)")
		named, err := NewNamedLists(w.client, ListRule{}).Find(w.Context(), values)
		if got := briefly(named); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, got %q\nwant %q", err, got, want)
		}
	})
}

// A refused key, and an outage, end the look-up. The key is in no name that is looked up.
func TestNamedListsEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		f    fault
		want Kind
	}{
		{"key", says(401, mediaType, `{"errors":[{"code":"not_authenticated"}]}`), Setup},
		{"scope", says(403, mediaType, `{"errors":[{"code":"permission_denied"}]}`), Setup},
		{"outage", says(503, mediaType, `{}`), Outage},
	} {
		bubble(t, func(next http.Handler) http.Handler { return faultyAlways(isLookup, c.f, next) }, simulator.Options{},
			Options{}, func(w *world) {
				_, err := NewNamedLists(w.client, ListRule{}).Find(w.Context(), []string{"A", "B"})
				var failed *Error
				if !errors.As(err, &failed) || failed.Kind != c.want {
					t.Errorf("%s: %v", c.name, err)
				}
				named, err := NewNamedLists(w.client, ListRule{}).Find(w.Context(), []string{"my pk_bubble"})
				if err != nil || named[0].Absent != "the list's name holds the API key" {
					t.Errorf("%s: %v, %+v", c.name, err, named)
				}
			})
	}
}

// Two requests that are refused alone without a name, to two lists, show that the request itself is wrong: no row is
// blamed. When a request to one list is accepted, the row of the other is to blame.
func TestSendersCountTogether(t *testing.T) {
	for _, accepted := range []bool{false, true} {
		refuse := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost {
					next.ServeHTTP(w, r)
					return
				}
				time.Sleep(time.Second) // on the bubble's clock: both requests are there before one is answered
				says(400, mediaType, `{"errors":[{"code":"invalid","title":"T","detail":"No."}]}`)(w, r, next)
			})
		}
		bubble(t, refuse, simulator.Options{}, Options{Concurrency: 2}, func(w *world) {
			var all Sender = NewImport(w.client, nil)
			if accepted {
				all.(*importer).trial.pass()
			}
			errs := make(chan error)
			rows := [][]Profile{people(1), people(1)}
			for i, name := range []string{"A", "B"} {
				w.sim.AddList(name, "single_opt_in")
				to := all.To(w.list(name))
				go func() { errs <- to.Send(w.Context(), rows[i]) }() // the loop below receives its error
			}
			for range rows {
				if err := <-errs; (err == nil) != accepted {
					t.Errorf("accepted %v: %v", accepted, err)
				}
			}
			want := Unsent
			if accepted {
				want = Rejected
			}
			for i := range rows {
				if rows[i][0].Status != want {
					t.Errorf("accepted %v: row %d has status %d", accepted, i, rows[i][0].Status)
				}
			}
		})
	}
}
