package sink

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// identifiers returns what a removal by another identifier than the profile id sends.
func identifiers(values ...string) []Profile {
	set := make([]Profile, len(values))
	for i, value := range values {
		set[i].JSON = fmt.Appendf(nil, "%q", value)
	}
	return set
}

// fill adds profiles with these attributes to the list News, and waits until they are on it.
func (w *world) fill(attributes ...string) {
	w.Helper()
	set := make([]Profile, len(attributes))
	for i, a := range attributes {
		set[i].JSON = []byte(`{"type":"profile","attributes":{` + a + `}}`)
	}
	if err := NewImport(w.client, w.list("News")).Send(w.Context(), set); err != nil {
		w.Fatal(err)
	}
	end, err := await(w.Context(), NewJobs(w.client), time.Now().Add(time.Hour), set[0].Job)
	if err != nil || end.State != Complete || end.Settlement.Rest != Applied {
		w.Fatalf("fill the list: %+v, %v", end, err)
	}
}

// removed sends a removal and returns what it did to each row.
func (w *world) removed(by Identifier, values ...string) (rows []string) {
	w.Helper()
	set := identifiers(values...)
	if err := NewRemoval(w.client, w.list("News"), by).Send(w.Context(), set); err != nil {
		w.Fatal(err)
	}
	for _, p := range set {
		row := [...]string{"unsent", "accepted", "applied", "skipped", "rejected", "unknown"}[p.Status]
		if p.Fault != nil {
			row += " " + p.Fault.Code
		}
		if p.Others > 0 {
			row += fmt.Sprintf(" and %d more", p.Others)
		}
		rows = append(rows, row)
	}
	return rows
}

// A removal by email, phone number or external id takes off the list whoever has it, and skips whoever is not there.
func TestRemovalByIdentifier(t *testing.T) {
	for _, c := range []struct {
		name   string
		by     Identifier
		values []string
		want   []string
		left   int
	}{
		{"emails in any case", Email, []string{"ANN@example.com", "nobody@example.com", "bob+x@example.com"},
			[]string{"applied", "skipped not_on_list", "applied"}, 2},
		{"one person twice", Email, []string{"ann@example.com", "Ann@example.com"}, []string{"applied", "applied"}, 3},
		{"phone numbers", PhoneNumber, []string{"+4930901820", "+4930901829"},
			[]string{"applied", "skipped not_on_list"}, 3},
		{"external ids", ExternalID, []string{`A "7"\`, "a", "only id", "none"},
			[]string{"applied", "skipped profile_not_found", "applied", "skipped profile_not_found"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				id := w.sim.AddList("News", "single_opt_in")
				w.fill(`"email":"ann@example.com"`, `"email":"bob+x@example.com","external_id":"A \"7\"\\"`,
					`"phone_number":"+4930901820"`, `"external_id":"only id"`)
				if diff := cmp.Diff(c.want, w.removed(c.by, c.values...)); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				if n := len(w.sim.Members(id)); n != c.left {
					t.Errorf("%d members are left, want %d", n, c.left)
				}
			})
		})
	}
}

// A thousand people cost ten look-ups and one removal.
func TestRequestsOfASearch(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour, RateShare: 100}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		var attributes, values []string
		for i := range 1000 {
			values = append(values, fmt.Sprintf("p%d@example.com", i))
			attributes = append(attributes, fmt.Sprintf(`"email":"p%d@example.com"`, i))
		}
		w.fill(attributes...)
		before := w.client.Stats().Sent
		for i, row := range w.removed(Email, values...) {
			if row != "applied" {
				t.Fatalf("row %d is %s", i+1, row)
			}
		}
		if n := w.client.Stats().Sent - before; n != 12 {
			t.Errorf("%d requests, want a look-up of the list, 10 of people and a removal", n)
		}
	})
}

// Reading back tells who is on the list, since when, and who can be mailed; and who is off it.
func TestReadBack(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		w.fill(`"email":"ann@example.com"`, `"email":"bob@example.com","external_id":"b"`, `"phone_number":"+4930901820"`)
		states := func(proofs []Proof, err error) (states []ProofState) {
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range proofs {
				states = append(states, p.State)
				if recent := time.Since(p.Since) < time.Hour; recent != (p.State == OnList) {
					t.Errorf("proof %+v", p)
				}
			}
			return states
		}
		read := func(by Identifier) *ReadBack { return NewReadBack(w.client, w.list("News"), by) }
		ctx := w.Context()
		for _, c := range []struct {
			name      string
			got, want []ProofState
		}{
			{"emails", states(read(Email).Added(ctx, []string{"ANN@example.com", "no@example.com"})),
				[]ProofState{OnList, OffList}},
			{"phone numbers", states(read(PhoneNumber).Added(ctx, []string{"+4930901820", "+4930901829"})),
				[]ProofState{OnList, OffList}},
			{"external ids", states(read(ExternalID).Added(ctx, []string{"b", "c"})), []ProofState{OnList, OffList}},
			{"removed", states(read(Email).Removed(ctx, []string{"no@example.com", "nobody@example.com"})),
				[]ProofState{OffList, OffList}},
		} {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
		left, err := read(Email).Removed(ctx, []string{"no@example.com", "ann@example.com"})
		if err != nil || left[0].State != OffList || left[1].State != OnList {
			t.Errorf("of two, one still there: %+v, %v", left, err)
		}
	})
}

// given are people who are on the list News from the start.
func given(profiles ...simulator.Profile) *simulator.Plan {
	for i := range profiles {
		profiles[i].Lists = []string{"News"}
	}
	return &simulator.Plan{Profiles: profiles}
}

// With one number, all its members come off, however many pages they fill.
func TestSharedNumber(t *testing.T) {
	profiles := make([]simulator.Profile, 150)
	for i := range profiles {
		profiles[i].Phone, profiles[i].External = "+4930901820", fmt.Sprint(i)
	}
	profiles = append(profiles, simulator.Profile{Phone: "+4930901821"})
	bubble(t, nil, simulator.Options{Plan: given(profiles...)}, Options{RetryFor: time.Hour}, func(w *world) {
		id, _, _ := w.list("News").State()
		want := []string{"applied and 149 more", "skipped not_on_list"}
		if diff := cmp.Diff(want, w.removed(PhoneNumber, "+4930901820", "+4930901822")); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if left := w.sim.Members(id); len(left) != 1 {
			t.Errorf("%d members are left, want 1", len(left))
		}
	})
}

// An external id names one profile: somebody else with the same number stays.
func TestExternalIDIsOneProfile(t *testing.T) {
	plan := given(
		simulator.Profile{Phone: "+4930901820", External: "a"}, simulator.Profile{Phone: "+4930901820", External: "b"},
	)
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
		id, _, _ := w.list("News").State()
		if diff := cmp.Diff([]string{"applied"}, w.removed(ExternalID, "a")); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if left := w.sim.Members(id); len(left) != 1 {
			t.Errorf("members that are left: %v, want one", left)
		}
		if diff := cmp.Diff([]string{"skipped not_on_list", "applied"}, w.removed(ExternalID, "a", "b")); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}

// A second address of a profile is found where Klaviyo's filter finds it. Nobody else is removed for it.
func TestSecondAddress(t *testing.T) {
	for _, c := range []struct {
		found string
		want  []string
		left  int
	}{
		{"any", []string{"applied", "skipped not_on_list", "applied"}, 1},
		{"equals", []string{"skipped not_on_list", "skipped not_on_list", "applied"}, 2},
		{"never", []string{"skipped not_on_list", "skipped not_on_list", "applied"}, 2},
	} {
		t.Run(c.found, func(t *testing.T) {
			plan := given(
				simulator.Profile{Email: "ann@example.org", Also: []string{"ann@example.com"}},
				simulator.Profile{Email: "bo@example.com"}, simulator.Profile{Email: "cy@example.com"},
			)
			plan.AlsoFound = c.found
			bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
				id, _, _ := w.list("News").State()
				rows := w.removed(Email, "ann@example.com", "nobody@example.com", "bo@example.com")
				if diff := cmp.Diff(c.want, rows); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				if left := w.sim.Members(id); len(left) != c.left {
					t.Errorf("members that are left: %v, want %d", left, c.left)
				}
			})
		})
	}
}

// What happens between look-up and removal is told as it is: who left meanwhile is off the list, and a list that is
// gone ends the run with its rows unsent.
func TestBetweenLookUpAndRemoval(t *testing.T) {
	people := []simulator.Profile{{Email: "ann@example.com"}, {Email: "bo@example.com"}}
	t.Run("a member leaves", func(t *testing.T) {
		plan := given(people...)
		plan.Faults = []simulator.Fault{{
			On: "DELETE /api/lists/{id}/relationships/profiles", Do: "leave", Addresses: []string{"ann@*"},
		}}
		bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
			want := []string{"applied", "applied"}
			if diff := cmp.Diff(want, w.removed(Email, "ann@example.com", "bo@example.com")); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("a profile is deleted", func(t *testing.T) {
		refused := false
		deleted := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !isRemoval(r) || refused {
					next.ServeHTTP(rw, r)
					return
				}
				refused = true
				text, _ := io.ReadAll(r.Body)
				id := regexp.MustCompile(`"id":"([^"]+)"`).FindSubmatch(text)[1]
				gone := httptest.NewRequest(http.MethodDelete, r.URL.String(),
					strings.NewReader(`{"data":[{"type":"profile","id":"`+string(id)+`"}]}`))
				gone.Header = r.Header
				next.ServeHTTP(httptest.NewRecorder(), gone)
				problem(400, "invalid", "/data/", "Invalid profile IDs: "+string(id))(rw, r, next)
			})
		}
		bubble(t, deleted, simulator.Options{Plan: given(people...)}, Options{RetryFor: time.Hour}, func(w *world) {
			want := []string{"applied", "applied"}
			if diff := cmp.Diff(want, w.removed(Email, "ann@example.com", "bo@example.com")); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("Klaviyo refuses somebody who is still there", func(t *testing.T) {
		refuse := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !isRemoval(r) {
					next.ServeHTTP(rw, r)
					return
				}
				text, _ := io.ReadAll(r.Body)
				id := regexp.MustCompile(`"id":"([^"]+)"`).FindSubmatch(text)[1]
				problem(400, "invalid", "/data/", "Invalid profile IDs: "+string(id))(rw, r, next)
			})
		}
		bubble(t, refuse, simulator.Options{Plan: given(people[0])}, Options{RetryFor: time.Hour}, func(w *world) {
			if diff := cmp.Diff([]string{"rejected invalid"}, w.removed(Email, "ann@example.com")); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("the list vanishes", func(t *testing.T) {
		plan := given(people...)
		plan.Faults = []simulator.Fault{{On: "DELETE /api/lists/{id}/relationships/profiles", Do: "delete_list"}}
		bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
			set := identifiers("ann@example.com", "bo@example.com")
			err := NewRemoval(w.client, w.list("News"), Email).Send(w.Context(), set)
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != Setup || set[0].Status != Unsent || set[1].Status != Unsent {
				t.Errorf("%v, statuses %v, %v", err, set[0].Status, set[1].Status)
			}
		})
	})
}

// A value that Klaviyo refuses among a hundred costs its own row. The request itself may be wrong only if all are
// refused.
func TestRefusedValue(t *testing.T) {
	refuse := func(bad string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Query().Get("filter"), bad) && strings.Contains(r.URL.Path, "/profiles") {
					problem(400, "invalid", "/data/", "Invalid filter provided.")(w, r, next)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	plan := given(simulator.Profile{Email: "p1@example.com"})
	bubble(t, refuse("p7@"), simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
		for i, row := range w.removed(Email, addresses(0, 100)...) {
			want := map[int]string{1: "applied", 7: "rejected invalid"}[i]
			if want == "" {
				want = "skipped not_on_list"
			}
			if row != want {
				t.Errorf("row %d is %s, want %s", i, row, want)
			}
		}
	})
	bubble(t, refuse("@"), simulator.Options{Plan: given(simulator.Profile{Email: "p1@example.com"})},
		Options{RetryFor: time.Hour}, func(w *world) {
			set := identifiers(addresses(0, 100)...)
			err := NewRemoval(w.client, w.list("News"), Email).Send(w.Context(), set)
			if got := statuses(set); err == nil || got["unsent"] != 100 {
				t.Errorf("%v: %v", err, got)
			}
		})
}
