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

// TestNearNames: a list whose name differs only in letter case or blanks is named before another list is created, and
// in the error where none may be. It is never used.
func TestNearNames(t *testing.T) {
	const (
		exact  = "check the exact name, letter case included, or "
		listID = "pass --list-id with the id in the list's address in Klaviyo"
		leave  = "leave out --no-create to create the list"
	)
	for _, c := range []struct {
		name         string
		lists        []string
		near         string // %s is the id of the first list
		hint         string // where no list may be created
		hintNoCreate string
	}{
		{"no list", nil, "", exact + listID, exact + leave},
		{"another list", []string{"Newspaper", "New"}, "", exact + listID, exact + leave},
		{"letter case", []string{"news letter", "Other"}, `"news letter" (%s)`, "", ""},
		{"blanks at the ends", []string{" News Letter "}, `" News Letter " (%s)`, "", ""},
		{"blanks within", []string{"News  Letter"}, `"News  Letter" (%s)`, "", ""},
		{"no blank", []string{"Newsletter"}, `"Newsletter" (%s)`, "", ""},
		{"a no-break space", []string{"News\u00a0Letter"}, `"News\u00a0Letter" (%s)`, "", ""},
		{"a zero-width space", []string{"News Letter\u200b"}, `"News Letter\u200b" (%s)`, "", ""},
	} {
		if c.near != "" {
			c.hint = "pass its exact name to --list-name, or its id to --list-id"
			c.hintNoCreate = "pass its exact name to --list-name, or leave out --no-create to create another list"
		}
		t.Run(c.name, func(t *testing.T) {
			told, notice := notices()
			bubble(t, nil, simulator.Options{}, Options{Notice: notice}, func(w *world) {
				near := ""
				for i, name := range c.lists {
					if id := w.sim.AddList(name, "single_opt_in"); i == 0 && c.near != "" {
						near = "; list " + fmt.Sprintf(c.near, id) + " differs only in letter case or blanks"
					}
				}
				for _, ref := range []ListRef{{}, {NoCreate: true}, {Create: true, NoCreate: true}} {
					hint := c.hint
					if ref.NoCreate {
						hint = c.hintNoCreate
					}
					ref.Name = "News Letter"
					_, err := w.client.FindList(w.Context(), ref)
					var failed *Error
					if !errors.As(err, &failed) || failed.Kind != Setup || failed.Hint != hint ||
						failed.Error() != `look up list "News Letter": no list has this name`+near {
						t.Errorf("%+v: error %v, hint %+v", ref, err, failed)
					}
				}
				if len(told()) > 0 {
					t.Errorf("notices %q", told())
				}
				l, err := w.client.FindList(w.Context(), ListRef{Name: "News Letter", Create: true})
				if err != nil {
					t.Fatal(err)
				}
				if err := NewImport(w.client, l).Send(w.Context(), people(1)); err != nil {
					t.Fatal(err)
				}
				id, name, created := l.State()
				if name != "News Letter" || !created {
					t.Errorf("list %q, created %v", name, created)
				}
				want := []string{fmt.Sprintf(`created list "News Letter" (%s)`, id)}
				if near != "" {
					want = append([]string{`no list has the name "News Letter" yet` + near}, want...)
				}
				if diff := cmp.Diff(want, told()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestExistingListIsNotTold: a list that exists is used without a word, and without a search for other names.
func TestExistingListIsNotTold(t *testing.T) {
	told, notice := notices()
	bubble(t, nil, simulator.Options{}, Options{Notice: notice}, func(w *world) {
		w.sim.AddList("news", "single_opt_in")
		w.sim.AddList("News", "single_opt_in")
		if _, err := w.send(1); err != nil || len(told()) > 0 || w.client.Stats().Sent != 2 {
			t.Errorf("error %v, notices %q, %+v", err, told(), w.client.Stats())
		}
	})
}

// TestSeveralNearNames: three of many near names are told, over all pages.
func TestSeveralNearNames(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		near := ""
		for i := range 40 {
			name := fmt.Sprint("Other ", i)
			if i%10 == 0 {
				name = fmt.Sprintf("NE%*s", i/10+2, "WS")
			}
			id := w.sim.AddList(name, "single_opt_in")
			if i == 20 || i == 10 || i == 30 {
				near = fmt.Sprintf(", %q (%s)", name, id) + near // the one that was changed last comes first
			}
			time.Sleep(time.Second) // on the bubble's clock
		}
		_, err := w.client.FindList(w.Context(), ListRef{Name: "News"})
		want := `look up list "News": no list has this name; lists ` + near[2:] +
			` differ only in letter case or blanks`
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

// TestNearNamesAreACourtesy: a search for near names that fails, hangs or does not end changes nothing else.
func TestNearNamesAreACourtesy(t *testing.T) {
	isSearch := func(r *http.Request) bool { return isLookup(r) && r.URL.Query().Get("filter") == "" }
	endless := says(200, mediaType, `{"data":[{"type":"list","id":"Aaaaaa","attributes":{"name":"Other"}}],`+
		`"links":{"self":"x","next":"https://a.klaviyo.com/api/lists?page%5Bcursor%5D=2"}}`)
	for _, c := range []struct {
		name     string
		fault    fault
		most     time.Duration
		requests int64 // of the search
	}{
		{"401", wrongKey, 0, 1},
		{"500", serverError, 0, 1},
		{"429", says(429, mediaType, "", "Retry-After", "60"), 0, 1},
		{"no answer", late(time.Minute), nearTime, 1},
		{"unusable", says(200, mediaType, `{"data":[{"id":""}]}`), 0, 1},
		{"endless", endless, 30 * time.Second, nearPages},
	} {
		t.Run(c.name, func(t *testing.T) {
			told, notice := notices()
			o := Options{RetryFor: time.Hour, RateShare: 100, Notice: notice}
			bubble(t, faulty(isSearch, always(c.fault)...), simulator.Options{}, o, func(w *world) {
				began := time.Now()
				list, err := w.client.FindList(w.Context(), ListRef{Name: "News", Create: true})
				if took := time.Since(began); err != nil || took > c.most {
					t.Fatalf("error %v after %v", err, took)
				}
				if s := w.client.Stats(); s.Sent != 1+c.requests || s.Retried != 0 || s.Waited != 0 {
					t.Errorf("%+v", s)
				}
				time.Sleep(2 * time.Minute) // on the bubble's clock: an answer that is late is over
				if err := NewImport(w.client, list).Send(w.Context(), people(1)); err != nil {
					t.Error(err)
				}
				if n := len(told()); n == 0 || n > 2 {
					t.Errorf("notices %q", told())
				}
			})
		})
	}
}

// TestNoCreateUsesTheOldest: a run that adds and may create no list still takes lists that were created at the same
// time for one, as the run that created them does.
func TestNoCreateUsesTheOldest(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		create := func() string {
			l := w.list("Other")
			l.ref.Name = "News"
			made, err := l.create(w.Context())
			if err != nil {
				t.Fatal(err)
			}
			return made.ID
		}
		oldest := create()
		time.Sleep(time.Second) // on the bubble's clock
		create()
		list, err := w.client.FindList(w.Context(), ListRef{Name: "News", NoCreate: true})
		if id, _, _ := list.State(); err != nil || id != oldest {
			t.Errorf("list %s, error %v, want %s", id, err, oldest)
		}
	})
}
