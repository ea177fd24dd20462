package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// listOptions are the options of a run that adds to the lists of a simulated Klaviyo that rows name in the column list.
func listOptions(t testing.TB, wrap func(http.Handler) http.Handler, names ...string) *Options {
	t.Helper()
	o, sim := addOptions(t, wrap)
	for _, name := range names {
		sim.AddList(name, "single_opt_in")
	}
	var err error
	if o.Checker, err = validate.New(validate.Options{ListColumn: "list"}); err != nil {
		t.Fatal(err)
	}
	o.Lists, o.List = new(ListsOptions), sink.ListRef{}
	return o
}

// listRows returns n rows for the lists that to names.
func listRows(n int, to func(i int) string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"email":"p%d@example.com","list":%q}`+"\n", i, to(i))
	}
	return b.String()
}

// named is a list's name.
func named(n int) string { return fmt.Sprint("L", n) }

// Rows of ten lists in any order fill the requests to each list. Only the last request to a list is not full.
func TestListsFillRequests(t *testing.T) {
	t.Parallel()
	const rows, lists, most = 5_000, 10, 50
	var names []string
	for i := range lists {
		names = append(names, named(i))
	}
	o := listOptions(t, nil, names...)
	o.mostRows = most
	random, counts := rand.New(rand.NewPCG(1, 2)), map[string]int{}
	in := listRows(rows, func(int) string {
		name := named(random.IntN(random.IntN(lists) + 1)) // some lists have many more rows than others
		counts[name]++
		return name
	})
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in), &out)
	results, _ := parse(t, out.Bytes())
	ownKeys(t, results)
	least := 0
	for _, l := range rep.Lists {
		if int(l.Rows) != counts[l.Name] {
			t.Errorf("list %s has %d rows, want %d", l.Name, l.Rows, counts[l.Name])
		}
		least += (counts[l.Name] + most - 1) / most
	}
	if err != nil || rep.Rows.Accepted != rows || len(rep.Lists) != lists || int(rep.Jobs.Submitted) != least {
		t.Errorf("%v, %+v, %d lists, %d requests, want %d", err, rep.Rows, len(rep.Lists), rep.Jobs.Submitted, least)
	}
}

// deleting deletes the list L0 before the first request of a kind.
func deleting(before func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var once sync.Once
		ask := func(method, path string) []byte {
			r := httptest.NewRequest(method, "http://localhost"+path, nil)
			r.Header.Set("Authorization", "Klaviyo-API-Key k")
			r.Header.Set("Revision", sink.DefaultRevision)
			w := httptest.NewRecorder()
			next.ServeHTTP(w, r)
			return w.Body.Bytes()
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if before(r) {
				once.Do(func() {
					var lists []struct{ ID, Name string }
					if err := json.Unmarshal(ask(http.MethodGet, "/simulator/lists"), &lists); err != nil || lists[0].Name != "L0" {
						panic(fmt.Sprint(err, lists))
					}
					ask(http.MethodDelete, "/api/lists/"+lists[0].ID)
				})
			}
			next.ServeHTTP(w, r)
		})
	}
}

// A list that is deleted during the run costs its rows that were not sent. The rows of other lists are sent and read
// back, and the run goes on.
func TestOneOfSeveralListsGone(t *testing.T) {
	t.Parallel()
	ofMembers := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/profiles") }
	isSubscribe := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "subscription-bulk-create") }
	for name, c := range map[string]struct {
		before func(*http.Request) bool
		by     validate.Operation
		verify bool
		want   string
	}{
		"before the import": {isImport, validate.Add, false,
			"1 rejected list_not_found, 2 accepted, 3 rejected list_not_found, 4 accepted"},
		"before it is read back": {ofMembers, validate.Add, true, "1 applied, 2 applied, 3 applied, 4 applied"},
		"before the look-up": {ofMembers, validate.Remove, false,
			"1 rejected list_not_found, 2 skipped not_on_list, 3 rejected list_not_found, 4 skipped not_on_list"},
		"before the subscribe": {isSubscribe, validate.Subscribe, true,
			"1 rejected list_not_found, 2 applied, 3 rejected list_not_found, 4 applied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := listOptions(t, deleting(c.before), "L0", "L1")
			var err error
			rules := validate.Options{ListColumn: "list", Operation: c.by, By: "email"}
			if o.Operation = c.by; c.by == validate.Subscribe {
				rules.Channels, o.Consent = validate.EmailMarketing, &ConsentOptions{Channels: sink.EmailMarketing}
			}
			if o.Checker, err = validate.New(rules); err != nil {
				t.Fatal(err)
			}
			o.mostRows = 1
			if o.Verify = c.verify && c.by == validate.Add; c.verify {
				o.Wait, o.WaitTimeout, o.MaxOpenJobs = true, time.Minute, 256
			}
			var out bytes.Buffer
			rep, _ := Run(t.Context(), o, strings.NewReader(listRows(4, func(i int) string { return named(i % 2) })), &out)
			results, _ := parse(t, out.Bytes())
			want := 1
			if rep.Rows.Rejected == 0 {
				want = 0
			}
			if rep.ExitCode != want || brief(results) != c.want {
				t.Errorf("exit status %d, %s", rep.ExitCode, brief(results))
			}
		})
	}
}

// filling is the stage batches of a run whose rows name their lists.
type filling struct {
	*stalled
	lists *lists
	sent  []string // the list of each batch that was handed on, with its rows
}

func newFilling(t *testing.T) *filling {
	s := &filling{stalled: newStalled(t)}
	var err error
	if s.checker, err = validate.New(validate.Options{ListColumn: "list"}); err != nil {
		t.Fatal(err)
	}
	s.lists = listsBy(nil, sink.ListRule{}, "list", target{})
	s.batches.checker, s.batches.lists = s.checker, s.lists
	s.fills = &fills{orders: newOrders(newWrites(s.control, nil, nil)), rest: s.lists.rest}
	s.emit = func(b *batch) {
		for name, to := range s.lists.known {
			if to == b.to {
				s.sent = append(s.sent, fmt.Sprint(name, " ", len(b.profiles)))
			}
		}
		if b.to == s.lists.rest {
			s.sent = append(s.sent, fmt.Sprint("rest ", b.rows))
		}
	}
	return s
}

// come adds rows, whose lists are all there. late says that the chunk also asks for batches that have waited too long.
func (s *filling) come(rows string, late bool) {
	c := s.control.newChunk()
	c.text, c.begun, c.tick = append(c.text, rows...), time.Now(), late
	c.check(s.checker)
	for _, name := range c.rows.Lists {
		if s.lists.known[name] == nil {
			s.lists.known[name] = &target{list: new(sink.List)}
			s.lists.order = append(s.lists.order, s.lists.known[name])
		}
		c.targets = append(c.targets, s.lists.known[name])
	}
	s.add(c)
}

// Rows that wait for their requests to fill take at most 32 MB, and are at most 200,000. With more, the request with
// the oldest row is sent as it is, also when its list has fewer rows than others.
func TestUnsentRowsAreBounded(t *testing.T) {
	s := newFilling(t)
	s.maxRows, s.maxBytes = 10_000, 4_900_000
	wide := strings.Repeat("w", 90_000)
	for i := range 600 {
		s.come(fmt.Sprintf(`{"email":"p%d@example.com","list":"L%d","note":"%s"}`, i, i/2%40, wide), false)
		if s.fills.held > maxUnsent {
			t.Fatalf("row %d: %d bytes wait", i, s.fills.held)
		}
	}
	if s.fills.held < maxUnsent*9/10 || len(s.sent) == 0 || s.sent[0] != "L0 10" || s.sent[1] != "L1 10" {
		t.Errorf("%d bytes wait, sent %q", s.fills.held, s.sent)
	}
	s = newFilling(t)
	s.seen, s.maxRows = nil, 10_000_000
	for s.rows < 201_000 {
		s.come(listRows(4000, func(i int) string { return named(i % 3 / 2) }), false)
	}
	if s.fills.rows > maxUnsentRows || len(s.sent) != 1 || !strings.HasPrefix(s.sent[0], "L0 ") {
		t.Errorf("%d rows wait, sent %q", s.fills.rows, s.sent)
	}
	s.wait()
	if s.fills.held != 0 || s.fills.rows != 0 || s.fills.queue.Len() != 0 {
		t.Errorf("%d bytes and %d rows wait in the end", s.fills.held, s.fills.rows)
	}
}

// The rows of a request lie within half a million rows of the input: wait finds all rows of an import job by that.
func TestRequestsDoNotSpread(t *testing.T) {
	s := newFilling(t)
	s.come(listRows(1, func(int) string { return "A" }), false)
	s.rows = maxSpread - 1
	s.come(listRows(2, func(int) string { return "A" }), false)
	if diff := cmp.Diff([]string{"A 1"}, s.sent); diff != "" { // row maxSpread went with row 1 until row maxSpread+1 came
		s.rows++
		t.Errorf("sent: %s", diff)
	}
}

// Requests that are not full are sent after the delay, oldest first. The time in which a slow Klaviyo keeps other
// requests from being sent does not count.
func TestListsWaitForTheirDelay(t *testing.T) {
	s := newFilling(t)
	s.delay = 300 * time.Millisecond
	s.come(listRows(3, func(i int) string { return named(i % 2) })+"nope\n", false)
	s.come("", true)
	if len(s.sent) != 0 {
		t.Errorf("sent at once: %q", s.sent)
	}
	s.fills.blocked += time.Hour
	time.Sleep(s.delay)
	if s.come("", true); len(s.sent) != 0 {
		t.Errorf("sent although others kept them: %q", s.sent)
	}
	s.fills.blocked -= time.Hour
	s.come("", true)
	if diff := cmp.Diff([]string{"L0 2", "L1 1", "rest 1"}, s.sent); diff != "" {
		t.Errorf("sent: %s", diff)
	}
}

// Who fills requests waits while too many results cannot be written, but never for a row that was not sent itself.
func TestBacklog(t *testing.T) {
	b := newBacklog()
	if b.add(maxUnwritten); b.crowded(5) {
		t.Error("it is crowded too early")
	}
	if b.add(1); !b.crowded(1) {
		t.Error("it is not crowded, and row 1 was not sent")
	}
	done := make(chan bool)
	go func() { done <- b.crowded(5) }() // received below
	select {
	case <-done:
		t.Error("it did not wait for rows that were sent")
	case <-time.After(20 * time.Millisecond):
	}
	b.move(3, 0, false)
	b.move(5, 0, false)
	if !<-done {
		t.Error("all rows before 5 are written, and it is not crowded")
	}
	go func() { done <- b.crowded(9) }() // received below
	b.move(6, 1, false)
	if <-done {
		t.Error("it is crowded, although results were written")
	}
	b.add(1)
	go func() { done <- b.crowded(9) }() // received below
	if b.move(6, 0, true); !<-done {
		t.Error("it is not crowded, and nobody waits for lost results")
	}
}

// A panic in any stage ends a run over several lists with a report and exit status 2. No row claims more than happened,
// and nothing hangs.
func TestPanicWithLists(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"check", "find", "batch", "send", "results", "settle", "verify", "write", "rehearse"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			mustEnd(t)
			o := listOptions(t, nil, "L0", "L1", "L2")
			o.Wait, o.WaitTimeout, o.Verify, o.MaxOpenJobs = true, time.Minute, stage == "verify", 1
			o.Concurrency, o.mostRows, o.CheckFirst = 2, 10, stage == "rehearse"
			o.probe = panicAtSecond(stage)
			wide := strings.Repeat("w", chunkSize/20)
			var in strings.Builder
			for i := range 200 {
				fmt.Fprintf(&in, `{"email":"p%d@example.com","list":"L%d","note":"%s"}`+"\n", i, i%3, wide)
			}
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, strings.NewReader(in.String()), &out)
			if rep.ExitCode != 2 || err == nil || !strings.Contains(rep.Error, "bug: in "+stage) {
				t.Errorf("exit %d, error %v, in the report %q", rep.ExitCode, err, rep.Error)
			}
			written := linesInOrder(t, out.Bytes())
			ownKeys(t, written)
			unknown := 0
			for _, r := range written {
				if r.Status == "unknown" {
					unknown++
				}
			}
			if want := map[string]int{"send": 10, "results": 10}[stage]; unknown != want {
				t.Errorf("%d rows are unknown, want %d", unknown, want)
			}
			lost := 0
			if n := len(written); n > 0 {
				lost = int(written[n-1].Row) - n
			}
			if want := map[string]int{"write": 10}[stage]; lost != want {
				t.Errorf("%d rows in the middle have no result, want %d", lost, want)
			}
		})
	}
}

// A signal leaves no row without a result: those that wait for their requests to fill are unsent, in input order.
func TestInterruptWithLists(t *testing.T) {
	t.Parallel()
	mustEnd(t)
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	var mu sync.Mutex
	imports := 0
	o := listOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			if isImport(r) {
				if imports++; imports == 2 {
					stop(&Interrupted{Signal: "SIGINT", ExitCode: 130})
				}
			}
		})
	}, "A", "B", "C")
	o.mostRows, o.Concurrency, o.BatchDelay = 10, 1, time.Second
	in := io.MultiReader(strings.NewReader(listRows(45, func(i int) string { return []string{"A", "A", "B", "C"}[i%4] })),
		reader(func([]byte) (int, error) { <-ctx.Done(); return 0, io.EOF }))
	var out bytes.Buffer
	rep, _ := Run(ctx, o, in, &out)
	rows, _ := parse(t, out.Bytes())
	ownKeys(t, rows)
	if rep.ExitCode != 130 || rep.Rows.Accepted != 20 || rep.Rows.Unsent != 25 {
		t.Errorf("exit %d, %+v", rep.ExitCode, rep.Rows)
	}
	for _, r := range rows {
		if r.Status == "unsent" && r.Code != "interrupted" {
			t.Errorf("row %d is unsent: %s", r.Row, r.Code)
		}
	}
}
