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
	"sync/atomic"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// TestAnswerAboutAnotherJob: an answer about another job proves nothing about this one.
func TestAnswerAboutAnotherJob(t *testing.T) {
	other := head(200) + `{"data":{"type":"profile-bulk-import-job","id":"J2",` +
		`"attributes":{"status":"complete","failed_count":0,"total_count":1}}}`
	wire(t, Options{RetryFor: time.Second}, spoken(other), func(t *testing.T, c *Client) {
		end, err := await(t.Context(), NewJobs(c), time.Now().Add(5*time.Minute), "J1")
		if err != nil || end.State != Open {
			t.Errorf("state %v, error %v", end.State, err)
		}
	})
}

// await waits for the first of several jobs of one row each, which are watched together.
func await(ctx context.Context, j *Jobs, until time.Time, ids ...string) (first *End, err error) {
	var list []Job
	for _, id := range ids {
		list = append(list, jobOf(id, "p0@example.com"))
	}
	err = j.Wait(ctx, until, list, func(job int, e *End) {
		if job == 0 {
			first = e
		}
	})
	return first, err
}

// jobOf is a job with rows of these addresses.
func jobOf(id string, addresses ...string) Job {
	return Job{ID: id, Rows: len(addresses), Keys: func(yield func([]byte) bool) {
		for _, address := range addresses {
			if !yield([]byte(address)) {
				return
			}
		}
	}}
}

// jobs is a Klaviyo with some jobs and nothing else. Each test has its own.
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
	return fmt.Sprintf(`{"type":"profile-bulk-import-job","id":%q,"attributes":{"status":%q,"failed_count":%d}}`,
		id, j.status[id], j.failed[id])
}

func (j *jobs) page(w http.ResponseWriter, r *http.Request, list []string, size int) {
	if r.URL.Query().Get("page[size]") != "100" {
		size = 20
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("page[cursor]"))
	to, next := min(from+size, len(list)), "null"
	if to < len(list) {
		next = fmt.Sprintf(`"https://elsewhere.example%s?page%%5Bsize%%5D=%d&page%%5Bcursor%%5D=%d"`, r.URL.Path, size,
			to)
	}
	data := strings.Join(list[from:to], ",")
	says(200, mediaType, `{"data":[`+data+`],"links":{"self":"x","next":`+next+`}}`)(w, r, nil)
}

// complete are the jobs of most tests: one that is complete.
var complete = map[string]string{"J": "complete"}

// watching runs f with a Jobs that watches k.
func watching(t *testing.T, k *jobs, f func(w *world, j *Jobs)) {
	k.requests = map[string]int{}
	o := Options{RetryFor: time.Minute, RateShare: 100}
	bubble(t, k.wrap, simulator.Options{}, o, func(w *world) { f(w, NewJobs(w.client)) })
}

// TestAllErrorsAreRead: all pages of a job's errors are read, in spite of failing polls and of links to other hosts.
func TestAllErrorsAreRead(t *testing.T) {
	k := &jobs{status: complete, failed: map[string]int{"J": 250}, errors: map[string][]string{}}
	k.faults = []fault{html(502), says(200, mediaType, ""), reset(false), html(403)}
	for i := range 250 {
		k.errors["J"] = append(k.errors["J"],
			jobError(`"/data"`, fmt.Sprintf(`{"email":"p%d@example.com"}`, 2*i), "bad"))
	}
	watching(t, k, func(w *world, j *Jobs) {
		var addresses []string
		for i := range 500 {
			addresses = append(addresses, fmt.Sprintf("p%d@example.com", i))
		}
		var v Settlement
		ended := func(_ int, e *End) { v = e.Settlement }
		if err := j.Wait(w.Context(), time.Now().Add(time.Hour), []Job{jobOf("J", addresses...)}, ended); err != nil {
			t.Fatal(err)
		}
		if len(v.named) != 250 || v.Fault(498) == nil || v.Fault(499) != nil || v.Rest != Applied ||
			k.requests["errors"] != 3 {
			t.Errorf("%d faults, rest %v, %d pages", len(v.named), v.Rest, k.requests["errors"])
		}
	})
}

// TestJobStates: a state that no later poll can change ends the wait. In any other state it goes on until the time is
// over.
func TestJobStates(t *testing.T) {
	for _, c := range []struct {
		name, status string
		want         JobState
		most         time.Duration
	}{
		{"complete", "complete", Complete, time.Second},
		{"cancelled", "cancelled", Cancelled, time.Second},
		{"not found", "", Expired, 2 * time.Minute},
		{"queued", "queued", Open, 20 * time.Minute},
		{"processing", "processing", Open, 20 * time.Minute},
		{"a state that is not documented", "paused for ever", Open, 20 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			watching(t, &jobs{status: map[string]string{"J": c.status}}, func(w *world, j *Jobs) {
				ctx, cancel := context.WithTimeout(w.Context(), 20*time.Minute)
				defer cancel()
				began := time.Now()
				end, err := await(ctx, j, time.Now().Add(time.Hour), "J")
				if err != nil || end.State != c.want || time.Since(began) > c.most {
					t.Errorf("%v: state %v after %v", err, end.State, time.Since(began))
				}
			})
		})
	}
}

// TestJobNotFoundAtFirst: a job that polls miss at first is not expired, as a new job may not be found everywhere at
// once.
func TestJobNotFoundAtFirst(t *testing.T) {
	missing := problem(404, "not_found", "/data/", "Invalid job id")
	watching(t, &jobs{status: complete, faults: []fault{missing, missing}}, func(w *world, j *Jobs) {
		if end, err := await(w.Context(), j, time.Now().Add(time.Hour), "J"); err != nil || end.State != Complete {
			t.Errorf("%v: state %v", err, end.State)
		}
	})
}

// TestKeyInImportErrors: an import job's errors are kept without the key, even if the cut would halve it.
func TestKeyInImportErrors(t *testing.T) {
	long := jobError(at(0), `{"email":"p0@example.com"}`, strings.Repeat("x", maxText-4)+`pk_bubble is bad`)
	k := &jobs{status: complete, failed: map[string]int{"J": 1}, errors: map[string][]string{"J": {long}}}
	watching(t, k, func(w *world, j *Jobs) {
		end, err := await(w.Context(), j, time.Now().Add(time.Hour), "J")
		if f := end.Settlement.Fault(0); err != nil || f == nil || !strings.HasSuffix(f.Detail, "x[API…") {
			t.Errorf("%v: %+v", err, f)
		}
	})
}

// TestFailingPolls: polls that always fail leave the job open and are no error. A refused key is one.
func TestFailingPolls(t *testing.T) {
	always := make([]fault, 10_000)
	for i := range always {
		always[i] = html(503)
	}
	watching(t, &jobs{status: complete, faults: always}, func(w *world, j *Jobs) {
		ctx, cancel := context.WithTimeout(w.Context(), time.Hour)
		defer cancel()
		if end, err := await(ctx, j, time.Now().Add(time.Hour), "J"); err != nil || end.State != Open {
			t.Errorf("%v: state %v", err, end.State)
		}
	})
	refused := problem(401, "authentication_failed", "/data/", "No")
	watching(t, &jobs{status: complete, faults: []fault{refused}}, func(w *world, j *Jobs) {
		if end, err := await(w.Context(), j, time.Now().Add(time.Hour), "J"); err == nil || end.State != Open {
			t.Errorf("%v: state %v", err, end.State)
		}
	})
}

// TestOneFailingPollHoldsUpNoOther: a job whose polls fail delays no other job.
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
				if _, err := await(ctx, j, time.Now().Add(time.Hour), id); err != nil || time.Since(began) > most {
					t.Errorf("%s: %v after %v", id, err, time.Since(began))
				}
			})
		}
		wait.Wait()
	})
}

// TestTwoWaitForOneJob: the end of a job wakes all callers that wait for it.
func TestTwoWaitForOneJob(t *testing.T) {
	watching(t, &jobs{status: complete}, func(w *world, j *Jobs) {
		began := time.Now()
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				end, err := await(w.Context(), j, time.Now().Add(time.Hour), "J")
				if err != nil || end.State != Complete || time.Since(began) > 5*time.Second {
					t.Errorf("%v: state %v after %v", err, end.State, time.Since(began))
				}
			})
		}
		wait.Wait()
	})
}

// TestJobsOfOneCall: the jobs of one call are watched together, however many they are: all of them need the time of
// the slowest. One that Klaviyo does not know adds its minute once.
func TestJobsOfOneCall(t *testing.T) {
	for _, c := range []struct {
		name     string
		complete int
		expired  int
		most     time.Duration
	}{
		{"complete", 214, 0, 1500 * time.Millisecond},
		{"two are gone", 214, 2, 75 * time.Second},
		{"many are gone", 214, 60, 75 * time.Second},
		{"hundreds are gone", 14, 300, 3 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &jobs{status: map[string]string{}}
			var list []Job
			for i := range c.complete + c.expired {
				id := fmt.Sprint("J", i)
				if list = append(list, jobOf(id, "p0@example.com")); i >= c.expired {
					k.status[id] = "complete"
				}
			}
			watching(t, k, func(w *world, j *Jobs) {
				began, known := time.Now(), time.Duration(0)
				states := map[JobState]int{}
				err := j.Wait(w.Context(), began.Add(time.Hour), list, func(_ int, e *End) {
					if states[e.State]++; e.State == Complete {
						known = time.Since(began)
					}
				})
				if err != nil || states[Complete] != c.complete || states[Expired] != c.expired {
					t.Errorf("%v: %v", err, states)
				}
				if took := time.Since(began); took > c.most || known > 2500*time.Millisecond {
					t.Errorf("took %v, the complete ones %v", took, known)
				}
			})
		})
	}
}

// TestFewJobsAreReadAtOnce: what is known of a job's rows while its errors are read takes memory, so few are read at
// once, to their last page, however many have ended.
func TestFewJobsAreReadAtOnce(t *testing.T) {
	k := &jobs{status: map[string]string{}, failed: map[string]int{}, errors: map[string][]string{}}
	for i := range 20 {
		id := fmt.Sprint("J", i)
		k.status[id], k.failed[id] = "complete", 1
		k.errors[id] = slices.Repeat([]string{jobError(at(0), `{"email":"p0@example.com"}`, "bad")}, 101)
	}
	var mu sync.Mutex
	begun, most := map[string]bool{}, 0
	wrap := func(http.Handler) http.Handler {
		well := k.wrap(nil)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id, isErrors := strings.CutSuffix(r.URL.Path, "/import-errors"); isErrors {
				mu.Lock()
				if begun[id] = true; r.URL.Query().Get("page[cursor]") != "" {
					delete(begun, id)
				}
				most = max(most, len(begun))
				mu.Unlock()
				time.Sleep(time.Second) // on the bubble's clock: requests that are sent at once meet
			}
			well.ServeHTTP(w, r)
		})
	}
	k.requests = map[string]int{}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute, RateShare: 100}, func(w *world) {
		j := NewJobs(w.client)
		var wait sync.WaitGroup
		for id := range k.status {
			wait.Go(func() {
				end, err := await(w.Context(), j, time.Now().Add(time.Hour), id)
				if err != nil || end.State != Complete || end.Settlement.Fault(0).Detail != "bad" {
					t.Errorf("%s: %v, %+v", id, err, end)
				}
			})
		}
		wait.Wait()
	})
	if most < 2 || most > readers {
		t.Errorf("%d jobs were read at once", most)
	}
}

// TestUnreadableErrorsHoldNoOther: jobs whose errors cannot be read, or whose server does not answer, do not hold up
// those of others, in the same call and in others. Their wait ends with its own time limit and says why.
func TestUnreadableErrorsHoldNoOther(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }
	for name, bad := range map[string]fault{"HTTP 500": html(500), "no answer within 2m0s": hang} {
		t.Run(name, func(t *testing.T) {
			k := &jobs{
				status: map[string]string{}, failed: map[string]int{}, errors: map[string][]string{}, requests: map[string]int{},
			}
			var one, other []Job
			for i := range 20 {
				id := fmt.Sprint("J", i)
				k.status[id], k.failed[id] = "complete", 1
				k.errors[id] = []string{jobError(at(0), `{"email":"p0@example.com"}`, "bad")}
				if i < 10 {
					one = append(one, jobOf(id, "p0@example.com"))
				} else {
					other = append(other, jobOf(id, "p0@example.com"))
				}
			}
			wrap := func(http.Handler) http.Handler {
				well := k.wrap(nil)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					id, isErrors := strings.CutSuffix(r.URL.Path, "/import-errors")
					if isErrors && strings.ContainsAny(id[len(id)-1:], "1234") { // of J1 and J11, and so on
						bad(w, r, nil)
						return
					}
					well.ServeHTTP(w, r)
				})
			}
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour, RateShare: 100}, func(w *world) {
				j, began := NewJobs(w.client), time.Now()
				var wait sync.WaitGroup
				for _, list := range [][]Job{one, other} {
					wait.Go(func() {
						good := 0
						err := j.Wait(w.Context(), began.Add(20*time.Minute), list, func(job int, e *End) {
							if e.State == Open && (e.Unread != name || time.Since(began) != 20*time.Minute) {
								t.Errorf("%s after %v: %q", list[job].ID, time.Since(began), e.Unread)
							}
							// Each of the 8 bad jobs may take one of 4 places twice, for 2 minutes.
							if e.State == Complete && e.Settlement.Fault(0).Detail == "bad" && time.Since(began) < 9*time.Minute {
								good++
							}
						})
						if err != nil || good != 6 {
							t.Errorf("%v: %d good ones in time", err, good)
						}
					})
				}
				wait.Wait()
			})
		})
	}
}

// TestBrokenPageOfErrors: a page of errors that is not as documented is read again, and counts for nothing.
func TestBrokenPageOfErrors(t *testing.T) {
	bad := jobError(at(0), `{"email":"p0@example.com"}`, "bad")
	k := &jobs{status: complete, failed: map[string]int{"J": 1}, errors: map[string][]string{"J": {bad}}}
	done := says(200, mediaType, `{"data":`+k.resource("J")+`}`)
	k.faults = []fault{done, says(200, mediaType, `{"data":[1]}`)}
	watching(t, k, func(w *world, j *Jobs) {
		end, err := await(w.Context(), j, time.Now().Add(time.Hour), "J")
		f := end.Settlement.Fault(0)
		if err != nil || f == nil || f.Detail != "bad" || k.requests["errors"] != 2 {
			t.Errorf("%v: %+v after %d pages", err, f, k.requests["errors"])
		}
	})
}

// TestJobFigures: what Klaviyo says of a job is shown while it is open: how many rows it has done. At the end it is how
// long the job took.
func TestJobFigures(t *testing.T) {
	var said atomic.Value
	wrap := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			says(200, mediaType, `{"data":{"id":"J","attributes":{`+said.Load().(string)+`}}}`)(w, r, nil)
		})
	}
	said.Store(`"status":"processing","completed_count":3,"failed_count":2,"total_count":10`)
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
		j, began := NewJobs(w.client), time.Now()
		var wait sync.WaitGroup
		wait.Go(func() {
			end, err := await(w.Context(), j, began.Add(time.Hour), "J")
			if err != nil || end.State != Complete || end.Took != 90*time.Second {
				t.Errorf("%v: state %v, took %v", err, end.State, end.Took)
			}
		})
		time.Sleep(time.Minute) // on the bubble's clock
		if p, want := j.Progress(), (Progress{Jobs: 1, Rows: 10, Done: 5, Left: 59 * time.Minute}); p != want {
			t.Errorf("got %+v, want %+v", p, want)
		}
		said.Store(`"status":"complete","failed_count":0,` +
			`"created_at":"2026-11-23T09:00:00Z","completed_at":"2026-11-23T09:01:30Z"`)
		wait.Wait()
	})
}

// TestWaitPollsForItself: a wait whose jobs are over does not poll for others, whose slow answer would hold it up.
func TestWaitPollsForItself(t *testing.T) {
	wrap := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			status, failed := "complete", 1
			switch {
			case strings.HasSuffix(r.URL.Path, "/import-errors"):
				time.Sleep(30 * time.Second)
				says(200, mediaType, `{"data":[`+jobError(at(0), `{"email":"p0@example.com"}`, "bad")+`]}`)(w, r, nil)
				return
			case strings.HasSuffix(r.URL.Path, "/B"):
				time.Sleep(time.Minute)
				status, failed = "processing", 0
			}
			says(200, mediaType, fmt.Sprintf(`{"data":{"id":%q,"attributes":{"status":%q,"failed_count":%d}}}`,
				r.URL.Path[len(r.URL.Path)-1:], status, failed))(w, r, nil)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
		j, began := NewJobs(w.client), time.Now()
		var wait sync.WaitGroup
		wait.Go(func() {
			end, err := await(w.Context(), j, began.Add(time.Hour), "A")
			if took := time.Since(began); err != nil || end.State != Complete || took > 40*time.Second {
				t.Errorf("A: %v, state %v after %v", err, end.State, took)
			}
		})
		time.Sleep(10 * time.Second) // on the bubble's clock: A's errors are being read
		ctx, cancel := context.WithTimeout(w.Context(), 5*time.Minute)
		defer cancel()
		if end, err := await(ctx, j, began.Add(time.Hour), "B"); err != nil || end.State != Open {
			t.Errorf("B: %v, state %v", err, end.State)
		}
		wait.Wait()
		time.Sleep(time.Minute) // for the last answer
	})
}

// TestErrorsThatCannotBeRead: a job whose errors cannot be read stays open, so that its rows stay accepted and a
// later run can wait for them. If Klaviyo no longer knows the errors, the job has expired.
func TestErrorsThatCannotBeRead(t *testing.T) {
	for status, want := range map[int]JobState{503: Open, 404: Expired} {
		k := &jobs{status: complete, failed: map[string]int{"J": 1}, requests: map[string]int{}}
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
			end, err := await(w.Context(), NewJobs(w.client), time.Now().Add(time.Hour), "J")
			if err != nil || end.State != want || w.client.Stats().Sent > 130 {
				t.Errorf("HTTP %d: %v, state %v, %d requests", status, err, end.State, w.client.Stats().Sent)
			}
		})
	}
}

// TestManyJobs: many jobs are polled a hundred at a call, by one caller for all, at growing intervals and within the
// quota.
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
				end, err := await(w.Context(), j, time.Now().Add(time.Hour), id)
				if err != nil || end.State != Complete || time.Since(began) > 11*time.Minute {
					t.Errorf("%s: %v, state %v after %v", id, err, end.State, time.Since(began))
				}
			})
		}
		time.Sleep(10 * time.Minute) // on the bubble's clock
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
