package sink

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// unknownID is the id of no profile.
const unknownID = "01M84QFHW400000001ZBEKQVRK"

// TestUnknownIdsOnRemoval: an id that Klaviyo does not know costs only its own row, whether Klaviyo names it by a
// pointer or in its text.
func TestUnknownIdsOnRemoval(t *testing.T) {
	inText := problem(404, "not_found", "/data/", "A profile with id "+unknownID+" does not exist.")
	for _, c := range []struct {
		name string
		wrap func(http.Handler) http.Handler
	}{
		{"by pointer", nil},
		{"in the text", faulty(isRemoval, inText)},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				set := []Profile{
					{JSON: []byte(`{"type":"profile","id":"` + w.sim.AddProfile("a@example.com") + `"}`)},
					{JSON: []byte(`{"type":"profile","id":"` + unknownID + `"}`)},
					{JSON: []byte(`{"type":"profile","id":"` + w.sim.AddProfile("b@example.com") + `"}`)},
				}
				if err := NewRemoval(w.client, w.list("News")).Send(w.Context(), set); err != nil {
					t.Fatal(err)
				}
				if set[0].Status != Applied || set[2].Status != Applied || set[1].Status != Rejected {
					t.Errorf("statuses %v, %v, %v", set[0].Status, set[1].Status, set[2].Status)
				}
				f := set[1].Fault
				if f == nil || f.Code != "not_found" || f.Column != "profile_id" ||
					!strings.Contains(f.Detail, unknownID) {
					t.Errorf("fault %+v", f)
				}
			})
		})
	}
}

// TestIdsAreWholeWords: an id inside another word of an error's text names no profile.
func TestIdsAreWholeWords(t *testing.T) {
	set := []*Profile{{JSON: []byte(`{"type":"profile","id":"1"}`)}, {JSON: []byte(`{"type":"profile","id":"12"}`)}}
	for detail, want := range map[string]int{
		"profile 12 not found": 1,
		"ids: 'x', '12'.":      1,
		"profile 112 or 1_2":   -1,
		"12":                   1,
		"id=1":                 0,
		"":                     -1,
	} {
		if at, _ := removalPlace()(&apiError{Detail: detail}, set); at != want {
			t.Errorf("%q names profile %d, want %d", detail, at, want)
		}
	}
}

// TestManyIDsInReasons: when a removal is refused with very many errors, the profiles are read once and not for each
// error.
func TestManyIDsInReasons(t *testing.T) {
	set := make([]Profile, maxRemoval)
	refs := make([]*Profile, len(set))
	for i := range set {
		set[i].JSON = fmt.Appendf(nil, `{"type":"profile","id":"01HQ%022d"}`, i)
		refs[i] = &set[i]
	}
	body := `{"errors":[` + strings.Repeat(`{"detail":"no id"},`, 100_000) +
		`{"code":"not_found","detail":"no profile 01HQ0000000000000000000007."}]}`
	a := &answer{status: 404, errors: new(Client).apiErrors([]byte(body))}
	refused, err := refuse(a, "remove profiles", removalPlace())
	if err != nil {
		t.Fatal(err)
	}
	var rest []*Profile
	bytes := allocated(func() { rest = refused.strip(refs) })
	if len(rest) != maxRemoval-1 || set[7].Status != Rejected || set[7].Fault.Column != "profile_id" {
		t.Errorf("%d profiles are left, profile 7: %+v", len(rest), set[7])
	}
	if bytes > 64<<20 { // reading the profiles for each error would take 10 GB
		t.Errorf("stripping took %d MB", bytes>>20)
	}
}
