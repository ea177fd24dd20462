package sink

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// failure is an import-error as Klaviyo may send it.
func importFailure(pointer, payload, detail string) string {
	return fmt.Sprintf(`{"type":"import-error","id":"e","attributes":{"code":"invalid","title":"T","detail":%q,"source":{"pointer":%s},"original_payload":%s}}`, detail, pointer, payload)
}

func at(place int) string {
	return fmt.Sprintf(`"/data/attributes/profiles/data/%d/attributes/phone_number"`, place)
}

// Errors are attributed by what proves the row: its address first, then its place. What fits no row, or is too little,
// leaves no other row proved.
func TestJudge(t *testing.T) {
	people := []string{"a@example.com", "B@Example.com", "c@example.com", "twice@example.com", "Twice@example.com"}
	key := func(i int) []byte { return []byte(people[i]) }
	type want struct {
		Faults map[int]string
		Rest   Status
		Code   string
	}
	for _, c := range []struct {
		name   string
		errors []string
		failed int
		want   want
	}{
		{"none", nil, 0, want{Rest: Applied}},
		{"not counted, none", nil, -1, want{Rest: Applied}},
		{"by address", []string{importFailure(`"/data"`, `{"email":"c@example.com"}`, "bad")}, 1, want{map[int]string{2: "bad"}, Applied, ""}},
		{"by address in other letters", []string{importFailure(`null`, `{"email":"b@EXAMPLE.com"}`, "bad")}, 1, want{map[int]string{1: "bad"}, Applied, ""}},
		{"by address below attributes", []string{importFailure(`"/data"`, `{"type":"profile","id":null,"attributes":{"email":"a@example.com"}}`, "bad")}, 1, want{map[int]string{0: "bad"}, Applied, ""}},
		{"the address wins over the place", []string{importFailure(at(0), `{"email":"c@example.com"}`, "bad")}, 1, want{map[int]string{2: "bad"}, Applied, ""}},
		{"by place", []string{importFailure(at(2), `null`, "bad")}, 1, want{map[int]string{2: "bad"}, Applied, ""}},
		{"by place, payload without an address", []string{importFailure(at(1), `{"phone_number":"+1"}`, "bad")}, 1, want{map[int]string{1: "bad"}, Applied, ""}},
		{"by place, payload of another kind", []string{importFailure(at(1), `"text"`, "bad")}, 1, want{map[int]string{1: "bad"}, Applied, ""}},
		{"an address that several rows have", []string{importFailure(at(4), `{"email":"twice@example.com"}`, "bad")}, 1, want{map[int]string{4: "bad"}, Applied, ""}},
		{"an address that several rows have, another's place", []string{importFailure(at(0), `{"email":"twice@example.com"}`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"an address that several rows have, no place", []string{importFailure(`"/data"`, `{"email":"twice@example.com"}`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"an address of nobody", []string{importFailure(at(0), `{"email":"x@example.com"}`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"nothing to go by", []string{importFailure(`"/data"`, `null`, "bad"), importFailure(at(0), `null`, "worse")}, 2, want{map[int]string{0: "worse"}, Unknown, "error_unmatched"}},
		{"a place outside", []string{importFailure(at(5), `null`, "bad")}, 1, want{Rest: Unknown, Code: "error_unmatched"}},
		{"two errors of one row", []string{importFailure(at(0), `null`, "bad"), importFailure(at(0), `null`, "and worse")}, 1, want{map[int]string{0: "bad; and worse"}, Applied, ""}},
		{"two errors of one row of two", []string{importFailure(at(0), `null`, "bad"), importFailure(at(0), `null`, "and worse")}, 2, want{map[int]string{0: "bad; and worse"}, Unknown, "errors_incomplete"}},
		{"fewer than counted", []string{importFailure(at(0), `null`, "bad")}, 2, want{map[int]string{0: "bad"}, Unknown, "errors_incomplete"}},
		{"none though counted", nil, 3, want{Rest: Unknown, Code: "errors_incomplete"}},
		{"more than counted", []string{importFailure(at(0), `null`, "bad"), importFailure(at(1), `null`, "bad")}, 1, want{map[int]string{0: "bad", 1: "bad"}, Applied, ""}},
		{"not counted, some", []string{importFailure(at(1), `null`, "bad")}, -1, want{map[int]string{1: "bad"}, Applied, ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &End{State: Complete, failed: c.failed, total: len(people)}
			if err := json.Unmarshal([]byte("["+strings.Join(c.errors, ",")+"]"), &e.errors); err != nil {
				t.Fatal(err)
			}
			v := e.Settle(len(people), key)
			got := want{Rest: v.Rest}
			for i, f := range v.Faults {
				if got.Faults == nil {
					got.Faults = map[int]string{}
				}
				got.Faults[i] = f.Detail
				if f.Code != "invalid" {
					t.Errorf("code %q", f.Code)
				}
			}
			if v.RestFault != nil {
				got.Code = v.RestFault.Code
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for state, code := range map[JobState]string{Cancelled: "job_cancelled", Expired: "job_expired"} {
		if v := (&End{State: state}).Settle(1, key); v.Rest != Unknown || v.RestFault.Code != code {
			t.Errorf("state %v: %+v", state, v)
		}
	}
	if v := (&End{State: Open}).Settle(1, key); v.Rest != Accepted || v.RestFault != nil {
		t.Errorf("open: %+v", v)
	}
	// Results of which a job's rows are missing: its places say nothing, its addresses do.
	partial := &End{State: Complete, failed: 2, total: 3}
	if err := json.Unmarshal([]byte("["+importFailure(at(0), `null`, "bad")+","+importFailure(at(0), `{"email":"c@example.com"}`, "bad")+"]"), &partial.errors); err != nil {
		t.Fatal(err)
	}
	for _, partial.total = range []int{3, -1} {
		if v := partial.Settle(5, key); v.Rest != Unknown || len(v.Faults) != 1 || v.Faults[2] == nil {
			t.Errorf("a part of a job of %d rows: %+v", partial.total, v)
		}
	}
}

// jobs is a Klaviyo that knows some jobs and nothing else. Its methods are for one test at a time.
type jobs struct {
	mu       sync.Mutex
	status   map[string]string
	errors   map[string][]string
	failed   map[string]int
	requests map[string]int
	faults   []fault
}

func (j *jobs) wrap(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j.mu.Lock()
		defer j.mu.Unlock()
		rest := strings.TrimPrefix(r.URL.Path, "/api/profile-bulk-import-jobs")
		id, isErrors := strings.CutSuffix(strings.TrimPrefix(rest, "/"), "/import-errors")
		kind := map[bool]string{true: "errors", false: "one"}[isErrors]
		if rest == "" {
			kind = "all"
		}
		j.requests[kind]++
		if len(j.faults) > 0 {
			f := j.faults[0]
			j.faults = j.faults[1:]
			f(w, r, nil)
			return
		}
		switch {
		case kind == "all":
			j.page(w, r, j.all(), 100)
		case j.status[id] == "":
			problem(404, "not_found", "/data/", "Invalid job id")(w, r, nil)
		case isErrors:
			j.page(w, r, j.errors[id], 100)
		default:
			says(200, mediaType, `{"data":`+j.resource(id)+`}`)(w, r, nil)
		}
	})
}

func (j *jobs) all() (list []string) {
	for _, id := range slices.Sorted(maps.Keys(j.status)) {
		list = append(list, j.resource(id))
	}
	return list
}

func (j *jobs) resource(id string) string {
	return fmt.Sprintf(`{"type":"profile-bulk-import-job","id":%q,"attributes":{"status":%q,"failed_count":%d}}`, id, j.status[id], j.failed[id])
}

func (j *jobs) page(w http.ResponseWriter, r *http.Request, list []string, size int) {
	if r.URL.Query().Get("page[size]") != "100" {
		size = 20
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("page[cursor]"))
	to, next := min(from+size, len(list)), "null"
	if to < len(list) {
		next = fmt.Sprintf(`"https://elsewhere.example%s?page%%5Bsize%%5D=%d&page%%5Bcursor%%5D=%d"`, r.URL.Path, size, to)
	}
	says(200, mediaType, `{"data":[`+strings.Join(list[from:to], ",")+`],"links":{"self":"x","next":`+next+`}}`)(w, r, nil)
}

// watching runs f with a Jobs that watches k.
func watching(t *testing.T, k *jobs, f func(w *world, j *Jobs)) {
	k.requests = map[string]int{}
	bubble(t, k.wrap, simulator.Options{}, Options{RetryFor: time.Minute, RateShare: 100}, func(w *world) { f(w, NewJobs(w.client)) })
}

// All pages of a job's errors are read, through failing polls and links to other hosts.
func TestAllErrorsAreRead(t *testing.T) {
	k := &jobs{status: map[string]string{"J": "complete"}, failed: map[string]int{"J": 250}, errors: map[string][]string{}}
	k.faults = []fault{html(502), says(200, mediaType, ""), reset(false), html(403)}
	for i := range 250 {
		k.errors["J"] = append(k.errors["J"], importFailure(`"/data"`, fmt.Sprintf(`{"email":"p%d@example.com"}`, 2*i), "bad"))
	}
	watching(t, k, func(w *world, j *Jobs) {
		end, err := j.Wait(w.Context(), time.Now().Add(time.Hour), "J")
		if err != nil {
			t.Fatal(err)
		}
		v := end.Settle(500, func(i int) []byte { return fmt.Appendf(nil, "p%d@example.com", i) })
		if len(v.Faults) != 250 || v.Faults[498] == nil || v.Faults[499] != nil || v.Rest != Applied || k.requests["errors"] != 3 {
			t.Errorf("%d faults, rest %v, %d pages", len(v.Faults), v.Rest, k.requests["errors"])
		}
	})
}

// States that no later question changes end the wait; everything else goes on until the time is over.
func TestJobStates(t *testing.T) {
	for _, c := range []struct {
		status string
		want   JobState
		most   time.Duration
	}{
		{"complete", Complete, time.Second}, {"cancelled", Cancelled, time.Second}, {"", Expired, 2 * time.Minute},
		{"queued", Open, 20 * time.Minute}, {"processing", Open, 20 * time.Minute}, {"paused for ever", Open, 20 * time.Minute},
	} {
		t.Run(c.status, func(t *testing.T) {
			watching(t, &jobs{status: map[string]string{"J": c.status}}, func(w *world, j *Jobs) {
				ctx, cancel := context.WithTimeout(w.Context(), 20*time.Minute)
				defer cancel()
				began := time.Now()
				end, err := j.Wait(ctx, time.Now().Add(time.Hour), "J")
				if err != nil || end.State != c.want || time.Since(began) > c.most {
					t.Errorf("%v: state %v after %v", err, end.State, time.Since(began))
				}
			})
		})
	}
}

// A job that was just taken may not be found everywhere at once.
func TestJobNotFoundAtFirst(t *testing.T) {
	missing := problem(404, "not_found", "/data/", "Invalid job id")
	watching(t, &jobs{status: map[string]string{"J": "complete"}, faults: []fault{missing, missing}}, func(w *world, j *Jobs) {
		if end, err := j.Wait(w.Context(), time.Now().Add(time.Hour), "J"); err != nil || end.State != Complete {
			t.Errorf("%v: state %v", err, end.State)
		}
	})
}

// The key is in no reason that an import job gives.
func TestKeyInImportErrors(t *testing.T) {
	k := &jobs{status: map[string]string{"J": "complete"}, failed: map[string]int{"J": 1}, errors: map[string][]string{"J": {importFailure(at(0), `null`, strings.Repeat("x", maxText-4)+`pk_bubble is bad`)}}}
	watching(t, k, func(w *world, j *Jobs) {
		end, err := j.Wait(w.Context(), time.Now().Add(time.Hour), "J")
		if err != nil || len(end.errors) != 1 || !strings.HasSuffix(end.errors[0].Attributes.Detail, "x[API…") {
			t.Errorf("%v: %+v", err, end)
		}
	})
}

// Polls that fail all the time leave the job open. They do not end the run, but a refused key does.
func TestFailingPolls(t *testing.T) {
	always := make([]fault, 10_000)
	for i := range always {
		always[i] = html(503)
	}
	watching(t, &jobs{status: map[string]string{"J": "complete"}, faults: always}, func(w *world, j *Jobs) {
		ctx, cancel := context.WithTimeout(w.Context(), time.Hour)
		defer cancel()
		if end, err := j.Wait(ctx, time.Now().Add(time.Hour), "J"); err != nil || end.State != Open {
			t.Errorf("%v: state %v", err, end.State)
		}
	})
	watching(t, &jobs{status: map[string]string{"J": "complete"}, faults: []fault{problem(401, "authentication_failed", "/data/", "No")}}, func(w *world, j *Jobs) {
		if end, err := j.Wait(w.Context(), time.Now().Add(time.Hour), "J"); err == nil || end.State != Open {
			t.Errorf("%v: state %v", err, end.State)
		}
	})
}

// A job that cannot be asked for holds up no other.
func TestOneFailingPollHoldsUpNoOther(t *testing.T) {
	k := &jobs{status: map[string]string{"A": "complete", "B": "complete"}}
	wrap := func(http.Handler) http.Handler {
		well := k.wrap(nil)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/A") {
				html(500)(w, r, nil)
				return
			}
			well.ServeHTTP(w, r)
		})
	}
	k.requests = map[string]int{}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour, RateShare: 100}, func(w *world) {
		j := NewJobs(w.client)
		ctx, cancel := context.WithTimeout(w.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		var wait sync.WaitGroup
		for id, most := range map[string]time.Duration{"A": 2 * time.Hour, "B": 5 * time.Second} {
			wait.Go(func() {
				if _, err := j.Wait(ctx, time.Now().Add(time.Hour), id); err != nil || time.Since(began) > most {
					t.Errorf("%s: %v after %v", id, err, time.Since(began))
				}
			})
		}
		wait.Wait()
	})
}

// Whoever waits for the same job is woken by its end.
func TestTwoWaitForOneJob(t *testing.T) {
	watching(t, &jobs{status: map[string]string{"J": "complete"}}, func(w *world, j *Jobs) {
		began := time.Now()
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				end, err := j.Wait(w.Context(), time.Now().Add(time.Hour), "J")
				if err != nil || end.State != Complete || time.Since(began) > 5*time.Second {
					t.Errorf("%v: state %v after %v", err, end.State, time.Since(began))
				}
			})
		}
		wait.Wait()
	})
}

// A job whose errors cannot be read is not settled: its rows stay accepted and can be waited for again.
func TestErrorsThatCannotBeRead(t *testing.T) {
	for status, want := range map[int]JobState{503: Open, 404: Expired} {
		k := &jobs{status: map[string]string{"J": "complete"}, failed: map[string]int{"J": 1}}
		k.requests = map[string]int{}
		wrap := func(http.Handler) http.Handler {
			well := k.wrap(nil)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/import-errors") {
					problem(status, "x", "", "x")(w, r, nil)
					return
				}
				well.ServeHTTP(w, r)
			})
		}
		bubble(t, wrap, simulator.Options{}, Options{RateShare: 100}, func(w *world) {
			end, err := NewJobs(w.client).Wait(w.Context(), time.Now().Add(time.Hour), "J")
			if err != nil || end.State != want || w.client.Stats().Sent > 100 {
				t.Errorf("HTTP %d: %v, state %v, %d requests", status, err, end.State, w.client.Stats().Sent)
			}
		})
	}
}

// Many jobs are asked for a hundred at a call, by one of those who wait, at growing intervals and within the quota.
func TestManyJobs(t *testing.T) {
	const n = 250
	k := &jobs{status: map[string]string{}}
	for i := range n {
		k.status[fmt.Sprint("J", i)] = "processing"
	}
	watching(t, k, func(w *world, j *Jobs) {
		began := time.Now()
		var wait sync.WaitGroup
		for id := range k.status {
			wait.Go(func() {
				end, err := j.Wait(w.Context(), time.Now().Add(time.Hour), id)
				if err != nil || end.State != Complete || time.Since(began) > 11*time.Minute {
					t.Errorf("%s: %v, state %v after %v", id, err, end.State, time.Since(began))
				}
			})
		}
		time.Sleep(10 * time.Minute)
		k.mu.Lock()
		if k.requests["one"] != 0 || k.requests["all"] < 150 || k.requests["all"] > 250 {
			t.Errorf("%v requests in ten minutes", k.requests)
		}
		for id := range k.status {
			k.status[id] = "complete"
		}
		k.mu.Unlock()
		wait.Wait()
		if s := w.client.Stats(); s.Throttled != 0 || k.requests["errors"] != 0 {
			t.Errorf("%+v, %v", s, k.requests)
		}
	})
}
