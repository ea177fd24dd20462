package sink

import (
	"fmt"
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
