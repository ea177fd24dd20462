package sink

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// extras are all members of the list News, sorted as a mirror sorts them.
func (w *world) extras() (all []Extra) {
	w.Helper()
	text := func(m *Member, name string) (value string) {
		_ = json.Unmarshal(m.Of(name), &value)
		return value
	}
	err := w.client.Members(w.Context(), w.list("News"), []string{"email", "phone_number", "external_id"},
		func(members []Member) error {
			for i := range members {
				m := &members[i]
				all = append(all, Extra{
					ID: m.ID, Since: m.Since, Email: text(m, "email"), PhoneNumber: text(m, "phone_number"),
				})
			}
			return nil
		})
	if err != nil {
		w.Fatal(err)
	}
	slices.SortStableFunc(all, func(a, b Extra) int { return a.Since.Compare(b.Since) })
	return all
}

// unnamed lets extras be removed.
func unnamed([]*Extra) error { return nil }

// states are those of extras, by address.
func states(all []Extra) map[string]string {
	of := map[string]string{}
	for _, e := range all {
		state := [...]string{"stays", "removed", "rejoined", "left", "uncertain"}[e.State]
		if e.Fault != nil {
			state += " " + e.Fault.Code
		}
		name := e.Email
		if name == "" {
			name = e.PhoneNumber
		}
		of[name] = state
	}
	return of
}

const (
	readMembers   = "GET /api/lists/{id}/profiles"
	readMemberIDs = "GET /api/lists/{id}/relationships/profiles"
	removeMembers = "DELETE /api/lists/{id}/relationships/profiles"
)

// Extras come off the list when they are still there since the same second, and nobody else does: not who has left, nor
// who has joined again. Whether they left is looked up afterwards.
func TestExtras(t *testing.T) {
	people := func() *simulator.Plan {
		return given(
			simulator.Profile{Email: "ann@example.com"}, simulator.Profile{Email: "bob@example.com"},
			simulator.Profile{Phone: "+4930901820"}, simulator.Profile{External: "nobody"},
		)
	}
	const ann, bob, phone, bare = "ann@example.com", "bob@example.com", "+4930901820", ""
	all := func(state string) map[string]string {
		return map[string]string{ann: state, bob: state, phone: state, bare: state}
	}
	but := func(of map[string]string, who, state string) map[string]string {
		of[who] = state
		return of
	}
	for _, c := range []struct {
		name   string
		faults []simulator.Fault
		want   map[string]string
		fails  bool
		left   int // members at the end
	}{
		{name: "all", want: all("removed")},
		{name: "somebody leaves before", want: but(all("removed"), ann, "left"),
			faults: []simulator.Fault{{On: readMembers, Skip: 1, Do: "leave", Addresses: []string{ann}}}},
		{name: "somebody rejoins before", want: but(all("removed"), ann, "rejoined"), left: 1,
			faults: []simulator.Fault{{On: readMembers, Skip: 1, Do: "rejoin", Addresses: []string{ann}}}},
		{name: "a profile is deleted before", want: but(all("removed"), bob, "left"),
			faults: []simulator.Fault{{On: readMembers, Skip: 1, Do: "delete_profile", Addresses: []string{bob}}}},
		{name: "a profile is deleted after it was looked up", want: but(all("removed"), bob, "left"),
			faults: []simulator.Fault{{On: removeMembers, Do: "delete_profile", Addresses: []string{bob}}}},
		{name: "the answer to the removal is lost", want: all("removed"),
			faults: []simulator.Fault{{On: removeMembers, Do: "lose", As: "page", Status: 502}}},
		{name: "no answer to the removal arrives, and it is given up", want: all("uncertain answer_lost"), fails: true,
			faults: []simulator.Fault{{On: removeMembers, Do: "reset", Processed: true, Times: -1}}},
		{name: "the removal fails", want: all("stays"), fails: true, left: 4,
			faults: []simulator.Fault{{On: removeMembers, Do: "status", Status: 401}}},
		{name: "somebody is on the list with a later date afterwards", want: all("removed"), left: 1,
			faults: []simulator.Fault{
				{On: readMemberIDs, Do: "join", Addresses: []string{ann}},
			}},
		{name: "reading back fails", want: all("removed"), fails: true,
			faults: []simulator.Fault{{On: readMemberIDs, Do: "status", Status: 401}}},
		{name: "looking up fails", want: all("stays"), fails: true, left: 4,
			faults: []simulator.Fault{{On: readMembers, Skip: 1, Do: "status", Status: 401}}},
		{name: "the list is gone", want: all("stays"), fails: true,
			faults: []simulator.Fault{{On: readMembers, Skip: 1, Do: "delete_list"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := people()
			plan.Faults = c.faults
			bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
				list := w.list("News")
				id, _, _ := list.State()
				time.Sleep(time.Hour)
				extras := w.extras()
				err := NewExtras(w.client, list).Remove(w.Context(), extras, unnamed)
				if (err != nil) != c.fails {
					t.Errorf("error %v, want one: %v", err, c.fails)
				}
				if diff := cmp.Diff(c.want, states(extras)); diff != "" {
					t.Errorf("states (-want +got):\n%s", diff)
				}
				if n := len(w.sim.Memberships(id)); n != c.left {
					t.Errorf("%d members are left, want %d", n, c.left)
				}
			})
		})
	}
}

// TestExtrasInNoOrder: members in another order than that of joining end a removal with an error, before anybody is
// removed. Else the reading would begin again without end.
func TestExtrasInNoOrder(t *testing.T) {
	plan := given(simulator.Profile{External: "1", Joined: time.Hour}, simulator.Profile{External: "2"})
	bubble(t, newestFirst, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
		extras := w.extras()
		ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
		defer cancel()
		err := NewExtras(w.client, w.list("News")).Remove(ctx, extras, unnamed)
		if err == nil || !strings.Contains(err.Error(), "in the order in which they joined") {
			t.Errorf("error %v", err)
		}
		if diff := cmp.Diff(map[string]string{"": "stays"}, states(extras)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestExtrasStillThere: when Klaviyo says that it removed a member and still shows them, the removal is not proved.
func TestExtrasStillThere(t *testing.T) {
	ignore := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isRemoval(r) {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	plan := given(simulator.Profile{Email: "ann@example.com"})
	bubble(t, ignore, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
		extras := w.extras()
		err := NewExtras(w.client, w.list("News")).Remove(w.Context(), extras, unnamed)
		want := map[string]string{"ann@example.com": "uncertain still_on_list"}
		if diff := cmp.Diff(want, states(extras)); err != nil || diff != "" {
			t.Errorf("error %v, states (-want +got):\n%s", err, diff)
		}
	})
}

// TestExtrasUseTheQuota: removing extras takes little longer than the quota of their look-ups allows, however many of
// them joined in one second.
func TestExtrasUseTheQuota(t *testing.T) {
	n := rowsOfQuotaTests()
	bubble(t, slow(300*time.Millisecond), simulator.Options{}, wholeQuota, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		w.crowd(n)
		extras, x := w.extras(), NewExtras(w.client, w.list("News"))
		time.Sleep(2 * time.Minute)
		before, began := w.client.Stats().Sent, time.Now()
		parts := make(chan error)
		for part := range slices.Chunk(extras, 1000) {
			go func() { parts <- x.Remove(w.Context(), part, unnamed) }() // the loop below waits for it
		}
		for range (n + 999) / 1000 {
			if err := <-parts; err != nil {
				t.Error(err)
			}
		}
		if got := states(extras); len(got) != n {
			t.Errorf("%d extras, want %d", len(got), n)
		}
		for _, e := range extras {
			if e.State != Removed {
				t.Fatalf("%s: state %d", e.Email, e.State)
			}
		}
		if calls := w.client.Stats().Sent - before; calls > int64(n/100*2+n/1000) {
			t.Errorf("%d requests for %d extras", calls, n)
		}
		w.within(110, n/maxLookup, time.Since(began))
	})
}
