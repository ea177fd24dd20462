package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"
	"github.com/sourcegraph/conc/pool"

	"klaviyo-export/sink/simulator"
)

const (
	readMembers  = "GET /api/lists/{id}/profiles 200"
	removal204   = "DELETE /api/lists/{id}/relationships/profiles 204"
	relationship = "/relationships/profiles"
)

// kindOf is what a request of RemoveExtras does: "read" seconds, "search" for people elsewhere, or "remove"; "" is none
// of them.
func kindOf(r *http.Request) string {
	filter := r.URL.Query().Get("filter")
	switch {
	case isRemoval(r) && strings.HasSuffix(r.URL.Path, relationship):
		return "remove"
	case strings.HasPrefix(filter, "greater-or-equal(joined_group_at"):
		return "read"
	case strings.HasSuffix(r.URL.Path, "/profiles") && strings.HasPrefix(filter, "any("):
		return "search"
	}
	return ""
}

// steps are faults of the requests of RemoveExtras, by kind and in order, nil for none. They act once they are armed.
type steps struct {
	mu     sync.Mutex
	armed  bool
	faults map[string][]fault
}

func (s *steps) next(kind string) fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := s.faults[kind]
	if !s.armed || len(faults) == 0 {
		return nil
	}
	s.faults[kind] = faults[1:]
	return faults[0]
}

func (s *steps) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = true
}

func (s *steps) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.next(kindOf(r)); f != nil {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// membership changes who is on a list, as another client does.
func membership(next http.Handler, method, list string, ids ...string) {
	var body strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&body, `%s{"type":"profile","id":%q}`, map[bool]string{true: ","}[i > 0], id)
	}
	r, _ := http.NewRequest(method, "http://127.0.0.1/api/lists/"+list+relationship,
		strings.NewReader(`{"data":[`+body.String()+`]}`))
	for name, value := range map[string]string{
		"Authorization": "Klaviyo-API-Key k", "Revision": DefaultRevision, "Accept": mediaType, "Content-Type": mediaType,
	} {
		r.Header.Set(name, value)
	}
	answer := &status{nowhere: nowhere{header: http.Header{}}}
	next.ServeHTTP(answer, r)
	if answer.code != http.StatusNoContent {
		panic(fmt.Sprintf("change a list: HTTP %d", answer.code))
	}
}

// status keeps the status of an answer.
type status struct {
	nowhere
	code int
}

func (s *status) WriteHeader(code int) { s.code = code }

// walked returns the members whose address has the prefix as extras, as a mirror has them.
func (w *world) walked(list *List, prefix string) (extras []Extra) {
	w.Helper()
	var all []Member
	err := w.client.Members(w.Context(), list, []string{"email", "phone_number"}, func(members []Member) error {
		all = append(all, members...)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range all {
		e := Extra{ID: m.ID, Since: m.Since, Email: plain(m.Attributes["email"]),
			PhoneNumber: plain(m.Attributes["phone_number"])}
		if strings.HasPrefix(e.Email, prefix) {
			extras = append(extras, e)
		}
	}
	slices.SortFunc(extras, func(a, b Extra) int { return a.Since.Compare(b.Since) })
	return extras
}

// requestsSince counts the requests since an earlier count.
func (w *world) requestsSince(before map[string]int) map[string]int {
	counts := w.sim.Requests()
	for name, n := range before {
		if counts[name] -= n; counts[name] == 0 {
			delete(counts, name)
		}
	}
	return counts
}

// states counts extras by state and code.
func states(extras []Extra) map[string]int {
	counts := map[string]int{}
	for i := range extras {
		counts[extras[i].became()]++
	}
	return counts
}

func (e *Extra) became() string {
	name := [...]string{"stays", "removed", "rejoined", "left", "uncertain"}[e.State]
	if e.Fault != nil {
		name += " " + e.Fault.Code
	}
	return name
}

// Extras of one second are read page by page, and those far apart by one request each: a jump costs what a page costs.
// Nobody else is removed.
func TestRequestsOfRemoveExtras(t *testing.T) {
	for _, c := range []struct {
		name    string
		members int
		joined  func(i int) time.Duration
		extra   func(i int) bool
		read    int // requests, before the removal and after it
	}{
		{"none", 10, func(int) time.Duration { return 0 }, func(int) bool { return false }, 0},
		{"250 of one second", 250, func(int) time.Duration { return time.Hour }, func(int) bool { return true }, 3 + 1},
		{"250 of one second with 300", 300, func(int) time.Duration { return time.Hour },
			func(i int) bool { return i < 250 }, 3 + 1},
		{"30 far apart among 10,000", 10_000, func(i int) time.Duration { return time.Duration(i) * time.Minute },
			func(i int) bool { return i%333 == 0 && i < 30*333 }, 30 + 30},
		{"30 in three groups among 10,000", 10_000, func(i int) time.Duration { return time.Duration(i) * time.Minute },
			func(i int) bool { return i%3000 < 100 && i%10 == 0 && i < 9000 }, 3 + 3},
		{"1,000 of 1,000 seconds", 1000, func(i int) time.Duration { return time.Duration(i) * time.Second },
			func(int) bool { return true }, 10 + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, want := &simulator.Plan{}, 0
			for i := range c.members {
				name := "stays"
				if c.extra(i) {
					name, want = "extra", want+1
				}
				plan.Profiles = append(plan.Profiles, simulator.Profile{
					Email: fmt.Sprintf("%s%d@example.com", name, i), Lists: []string{"News"}, Joined: c.joined(i),
				})
			}
			bubble(t, nil, simulator.Options{Plan: plan}, wholeQuota, func(w *world) {
				list := w.list("News")
				id, _, _ := list.State()
				extras, before := w.walked(list, "extra"), w.sim.Requests()
				if err := w.client.RemoveExtras(w.Context(), list, extras); err != nil {
					t.Fatal(err)
				}
				expected, requests := map[string]int{}, map[string]int{}
				if want > 0 {
					expected["removed"], requests[readMembers], requests[removal204] = want, c.read, 1
				}
				if diff := cmp.Diff(expected, states(extras)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(requests, w.requestsSince(before)); diff != "" {
					t.Error(diff)
				}
				if left := len(w.sim.Members(id)); left != c.members-want {
					t.Errorf("%d members are left, want %d", left, c.members-want)
				}
			})
		})
	}
}

// Every extra gets the state that is true of it, whatever happens between the walk, the reading, the removal and the
// reading after it. Nobody is in a removal who was not seen at its second.
func TestStatesOfExtras(t *testing.T) {
	var now struct { // of the case that runs
		list   string
		ids    map[string]string
		cancel context.CancelFunc
	}
	change := func(then fault, method string, names ...string) fault {
		return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			var ids []string
			for _, name := range names {
				ids = append(ids, now.ids[name])
			}
			membership(next, method, now.list, ids...)
			if then != nil {
				then(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		}
	}
	leave := func(names ...string) fault { return change(nil, http.MethodDelete, names...) }
	leaveThen := func(then fault, names ...string) fault { return change(then, http.MethodDelete, names...) }
	rejoin := func(names ...string) fault {
		return leaveThen(change(nil, http.MethodPost, names...), names...)
	}
	rejoinAfter := func(names ...string) fault { return change(nil, http.MethodPost, names...) }
	refused := func(names ...string) fault {
		return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			var ids []string
			for _, name := range names {
				ids = append(ids, now.ids[name])
			}
			problem(400, "invalid", "/data/", "Invalid profile IDs: "+strings.Join(ids, ", "))(w, r, next)
		}
	}
	gone := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r2, _ := http.NewRequest(http.MethodDelete, "http://127.0.0.1/api/lists/"+now.list, http.NoBody)
		r2.Header = r.Header.Clone()
		r2.Header.Del("Content-Type")
		next.ServeHTTP(&nowhere{header: http.Header{}}, r2)
		next.ServeHTTP(w, r)
	}
	cancelled := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		now.cancel()
		next.ServeHTTP(w, r)
	}
	newestFirst := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "sort=joined", "sort=-joined", 1)
		next.ServeHTTP(w, r)
	}
	hidden := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		says(200, mediaType, `{"data":[],"links":{"next":null}}`)(w, r, nil)
	}
	unavailable := html(503)
	key := problem(401, "not_authenticated", "", "Missing or invalid private key.")
	// a to e joined at seconds of their own, with 10 minutes between them; d has a phone number alone.
	all := func(state string) []string { return []string{state, state, state, state, state} }
	for _, c := range []struct {
		name   string
		faults map[string][]fault
		want   []string // states of a to e
		err    string
		kind   Kind
		once   bool // failures are not retried
		sent   []string
		search int // requests for people elsewhere
	}{
		{name: "nothing", want: all("removed")},
		{name: "people who left before", faults: map[string][]fault{"read": {leave("a", "d", "e")}},
			want: []string{"left", "removed", "removed", "left", "left"}, sent: []string{"b", "c"}, search: 2},
		{name: "people who rejoined before", faults: map[string][]fault{"read": {rejoin("b", "d")}},
			want: []string{"removed", "rejoined", "removed", "rejoined", "removed"}, sent: []string{"a", "c", "e"}, search: 2},
		{name: "everybody rejoined before", faults: map[string][]fault{"read": {rejoin("a", "b", "c", "d", "e")}},
			want: all("rejoined"), sent: []string{}, search: 2},
		{name: "people whom a page hides", faults: map[string][]fault{"read": {hidden}}, want: all("removed"), search: 2},
		{name: "people who left between", faults: map[string][]fault{"remove": {leave("c")}}, want: all("removed")},
		{name: "people who rejoined after", faults: map[string][]fault{"read": {nil, rejoinAfter("c")}},
			want: all("removed")},
		{name: "a removal without effect", faults: map[string][]fault{"remove": {says(204, mediaType, "")}},
			want: all("uncertain still_on_list")},
		{name: "one failure in each step", faults: map[string][]fault{
			"read": {leaveThen(unavailable, "a"), nil, reset(false)}, "search": {unavailable}, "remove": {unavailable}},
			want: []string{"left", "removed", "removed", "removed", "removed"}, search: 2},
		{name: "a lost answer in each step", faults: map[string][]fault{
			"read": {reset(true), nil, reset(true)}, "remove": {reset(true)}}, want: all("removed")},
		{name: "first reading fails", faults: map[string][]fault{"read": {unavailable}}, once: true,
			want: all("stays"), err: "HTTP 503", kind: Outage, sent: []string{}},
		{name: "search fails", faults: map[string][]fault{"read": {leave("a")}, "search": {unavailable}}, once: true,
			want: all("stays"), err: "HTTP 503", kind: Outage, sent: []string{}, search: 1},
		{name: "removal fails", faults: map[string][]fault{"remove": {unavailable}}, once: true,
			want: all("uncertain still_on_list"), err: "HTTP 503", kind: Outage},
		{name: "removal's answer is lost", faults: map[string][]fault{"remove": {reset(true)}}, once: true,
			want: all("removed"), err: "EOF", kind: Outage},
		{name: "removal's answer and the last reading are lost",
			faults: map[string][]fault{"remove": {reset(true)}, "read": {nil, unavailable}}, once: true,
			want: all("uncertain answer_lost"), err: "EOF", kind: Outage},
		{name: "last reading fails", faults: map[string][]fault{"read": {nil, unavailable}}, once: true,
			want: all("removed"), err: "HTTP 503", kind: Outage},
		{name: "a refused id that is there", faults: map[string][]fault{"remove": {refused("b")}},
			want: []string{"removed", "stays invalid", "removed", "removed", "removed"}},
		{name: "a refused id that has left", faults: map[string][]fault{"remove": {leaveThen(refused("b"), "b")}},
			want: []string{"removed", "left", "removed", "removed", "removed"}},
		{name: "a refused id, last reading fails", once: true,
			faults: map[string][]fault{"remove": {refused("b")}, "read": {nil, unavailable}},
			want:   []string{"removed", "stays invalid", "removed", "removed", "removed"}, err: "HTTP 503", kind: Outage},
		{name: "list gone at first", faults: map[string][]fault{"read": {gone}}, want: all("stays"), err: "HTTP 404",
			sent: []string{}},
		{name: "list gone before the removal", faults: map[string][]fault{"remove": {gone}}, want: all("stays"),
			err: "no list in this account has this id"},
		{name: "list gone after the removal", faults: map[string][]fault{"read": {nil, gone}}, want: all("removed"),
			err: "HTTP 404"},
		{name: "key refused at first", faults: map[string][]fault{"read": {key}}, want: all("stays"),
			err: "does not know the API key", sent: []string{}},
		{name: "key refused at the removal", faults: map[string][]fault{"remove": {key}}, want: all("stays"),
			err: "does not know the API key"},
		{name: "key refused after a lost answer", faults: map[string][]fault{"remove": {reset(true), key}},
			want: all("removed"), err: "does not know the API key"},
		{name: "stopped at first", faults: map[string][]fault{"read": {cancelled}}, want: all("stays"),
			err: "canceled", kind: Stopped, sent: []string{}},
		{name: "stopped during the removal", faults: map[string][]fault{"remove": {cancelled}}, want: all("removed"),
			err: "canceled", kind: Stopped},
		{name: "stopped before the removal is sent again",
			faults: map[string][]fault{"remove": {func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				now.cancel()
				reset(true)(w, r, next)
			}}}, want: all("uncertain answer_lost"), err: "canceled", kind: Stopped},
		{name: "newest first", faults: map[string][]fault{"read": {newestFirst}}, want: all("stays"),
			err: "in the order in which they joined", sent: []string{}},
		{name: "throttled in each step", faults: map[string][]fault{
			"read":   {problem(429, "throttled"), nil, problem(429, "throttled")},
			"remove": {problem(429, "throttled")}}, want: all("removed")},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := &simulator.Plan{Profiles: []simulator.Profile{
				{Email: "stays@example.com", Lists: []string{"News"}, Joined: 35 * time.Minute},
				{Email: "new@example.com", Lists: []string{"News"}, Joined: time.Second},
			}}
			for i, name := range []string{"a", "b", "c", "d", "e"} {
				p := simulator.Profile{Email: name + "@example.com", Lists: []string{"News"},
					Joined: time.Hour - time.Duration(i)*10*time.Minute}
				if name == "d" {
					p.Email, p.Phone = "", "+4930901820"
				}
				plan.Profiles = append(plan.Profiles, p)
			}
			o := Options{RetryFor: time.Hour}
			if c.once {
				o.RetryFor = 0
			}
			s := &steps{faults: c.faults}
			var mu sync.Mutex
			sent, searches := map[string]bool{}, 0
			wrap := func(next http.Handler) http.Handler {
				faulty := s.wrap(next)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					switch kindOf(r) {
					case "search":
						searches++
					case "remove":
						for _, id := range idsOf(r) {
							sent[id] = true
						}
					}
					mu.Unlock()
					faulty.ServeHTTP(w, r)
				})
			}
			bubble(t, wrap, simulator.Options{Plan: plan}, o, func(w *world) {
				list := w.list("News")
				var extras []Extra
				now.list, _, _ = list.State()
				now.ids = map[string]string{}
				for _, e := range w.walked(list, "") {
					if strings.HasPrefix(e.Email, "stays") || strings.HasPrefix(e.Email, "new") {
						continue
					}
					name, _, _ := strings.Cut(e.Email, "@")
					if name == "" {
						name = "d"
					}
					now.ids[name] = e.ID
					extras = append(extras, e)
				}
				var ctx context.Context
				ctx, now.cancel = context.WithCancel(w.Context())
				defer now.cancel()
				s.arm()
				err := w.client.RemoveExtras(ctx, list, extras)
				var got []string
				for i := range extras {
					got = append(got, extras[i].became())
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				var failed *Error
				if c.err == "" && err != nil || c.err != "" &&
					(!errors.As(err, &failed) || failed.Kind != c.kind || !strings.Contains(err.Error(), c.err)) {
					t.Errorf("error %v, want one of kind %d with %q", err, c.kind, c.err)
				}
				mu.Lock()
				defer mu.Unlock()
				if c.sent == nil {
					c.sent = []string{"a", "b", "c", "d", "e"}
					if c.want[0] == "left" {
						c.sent = c.sent[1:]
					}
				}
				for name, id := range now.ids {
					if sent[id] != slices.Contains(c.sent, name) {
						t.Errorf("%s was in a removal: %v", name, sent[id])
					}
				}
				if searches != c.search {
					t.Errorf("%d requests to look people up, want %d", searches, c.search)
				}
				if len(s.faults["read"])+len(s.faults["search"])+len(s.faults["remove"]) > 0 {
					t.Error("not all faults were met")
				}
			})
		})
	}
}

// An extra who is seen with a later date among the pages that are read costs no other request, and one without email
// and phone number costs none either. Whoever else has an extra's address now does not stand for it.
func TestExtrasWhoAreSeenElsewhere(t *testing.T) {
	plan := &simulator.Plan{}
	for i, name := range []string{"a", "b", "c", "x"} {
		plan.Profiles = append(plan.Profiles, simulator.Profile{
			Email: name + "@example.com", Lists: []string{"News"}, Joined: time.Hour - time.Duration(i)*time.Minute})
	}
	bubble(t, nil, simulator.Options{Plan: plan}, wholeQuota, func(w *world) {
		list := w.list("News")
		id, _, _ := list.State()
		extras := w.walked(list, "")
		membership(w.sim, http.MethodDelete, id, extras[0].ID, extras[1].ID, extras[3].ID)
		membership(w.sim, http.MethodPost, id, extras[0].ID)
		time.Sleep(time.Minute)
		w.sim.Add(simulator.Profile{Email: "d@example.com", Lists: []string{"News"}})
		extras = append(extras, w.walked(list, "d")...)
		extras[1].Email, extras[3].Email = "", "d@example.com"
		before := w.sim.Requests()
		if err := w.client.RemoveExtras(w.Context(), list, extras); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"rejoined": 1, "left": 2, "removed": 2}, states(extras)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]int{readMembers: 3, removal204: 1}, w.requestsSince(before)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"a@example.com"}, w.sim.Members(id)); diff != "" {
			t.Error(diff)
		}
	})
}

// Removing extras takes at most 1.1 times what its longest quota allows, with four calls at once.
func TestExtrasUseTheQuota(t *testing.T) {
	n := 20_000 // extras
	if *million {
		n = 100_000
	}
	for _, c := range []struct {
		name        string
		each        int // how many join in one second
		of          int // one in so many is an extra
		least, most int // requests that read, for each thousand extras
	}{
		{"a thousand a second", 1000, 1, 11, 11},
		{"every other one of ten a second", 10, 2, 29, 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := &simulator.Plan{}
			for i := range n * c.of {
				name := "stays"
				if i%c.of == 0 {
					name = "extra"
				}
				plan.Profiles = append(plan.Profiles, simulator.Profile{Email: fmt.Sprintf("%s%d@example.com", name, i),
					Lists: []string{"News"}, Joined: time.Duration((n*c.of-1-i)/c.each+1) * time.Second})
			}
			bubble(t, slow(300*time.Millisecond), simulator.Options{Plan: plan}, wholeQuota, func(w *world) {
				list := w.list("News")
				extras := w.walked(list, "extra")
				time.Sleep(2 * time.Minute) // the windows are empty again
				before, began := w.sim.Requests(), time.Now()
				p := pool.New().WithErrors().WithMaxGoroutines(4)
				for part := range slices.Chunk(extras, maxExtras) {
					p.Go(func() error { return w.client.RemoveExtras(w.Context(), list, part) })
				}
				if err := p.Wait(); err != nil {
					t.Fatal(err)
				}
				took, reads := time.Since(began), w.requestsSince(before)[readMembers]
				if diff := cmp.Diff(map[string]int{"removed": n}, states(extras)); diff != "" {
					t.Error(diff)
				}
				if calls := n / maxExtras; reads < c.least*calls || reads > c.most*calls {
					t.Errorf("%d requests that read, want %d to %d for each of %d removals", reads, c.least, c.most, calls)
				}
				t.Logf("%d requests that read, %v", reads, took)
				w.within(110, reads, took)
			})
		})
	}
}

// idsOf reads the ids in a removal, and leaves its body as it was.
func idsOf(r *http.Request) (ids []string) {
	text, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	var doc struct {
		Data []profileResource `json:"data"`
	}
	_ = json.Unmarshal(text, &doc)
	for i := range doc.Data {
		ids = append(ids, doc.Data[i].ID)
	}
	return ids
}
