package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// Requests are filled up to the most rows that one takes. A rejected row among them keeps its place in the results.
func TestOrderAndBatches(t *testing.T) {
	o, sim := addOptions(t, nil)
	in := rowsFrom(0, 12_000) + "nope\n" + rowsFrom(5, 1) + rowsFrom(12_000, 13_000)
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, strings.NewReader(in), &out)
	rows, _ := parse(t, out.Bytes())
	jobs := map[string]int{}
	for _, r := range rows {
		if r.Status == "accepted" {
			jobs[r.Job]++
		}
	}
	if got := brief(rows[12_000:12_002]); rep.ExitCode != 1 || got != "12001 rejected json_invalid, 12002 accepted" {
		t.Errorf("exit %d, rows %s", rep.ExitCode, got) // the window of 1,000 rows has forgotten row 6
	}
	sizes := []int{jobs[rep.Jobs.Open[0]], jobs[rep.Jobs.Open[1]], jobs[rep.Jobs.Open[2]]}
	if diff := cmp.Diff([]int{10_000, 10_000, 5_001}, sizes); diff != "" {
		t.Errorf("rows in each request: %s", diff)
	}
	if got := sim.Requests()["POST /api/profile-bulk-import-jobs 202"]; got != 3 {
		t.Errorf("%d imports", got)
	}
}

// A request never has more bytes than Klaviyo takes, and each but the last comes close to that.
func TestBatchesAreBoundedInBytes(t *testing.T) {
	var mu sync.Mutex
	var sizes []int64
	o, _ := addOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) {
				mu.Lock()
				sizes = append(sizes, r.ContentLength)
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	})
	var in strings.Builder
	for i := range 150 {
		fmt.Fprintf(&in, `{"email":"p%d@example.com","note":"%s"}`+"\n", i, strings.Repeat("n", 90_000))
	}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in.String()), &out)
	if err != nil || rep.Rows.Accepted != 150 || len(sizes) != 3 {
		t.Errorf("%v, %+v, requests of %v bytes", err, rep.Rows, sizes)
	}
	total := int64(len(`{"data":{"type":"list","attributes":{"name":"News"}}}`))
	slices.Sort(sizes)
	for i, n := range sizes {
		total += n
		if n > 4_900_000 || i > 0 && n < 4_800_000 {
			t.Errorf("a request of %d bytes", n)
		}
	}
	if rep.Requests.Bytes != total {
		t.Errorf("%d bytes reported, %d sent", rep.Requests.Bytes, total)
	}
}

// Rejected rows and duplicates leave no gaps in requests, which Klaviyo's quota counts. Only the last is not full.
func TestRequestsAreFull(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	var mu sync.Mutex
	var sizes []int
	o, _ := addOptions(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if n := bytes.Count(body, []byte(`{"type":"profile","attributes":`)); n > 0 {
				mu.Lock()
				sizes = append(sizes, n)
				mu.Unlock()
			}
			takeAll(w, r)
		})
	})
	o.List, o.Window = sink.ListRef{ID: "L1"}, 1_000_000
	var in bytes.Buffer
	for i := range rows {
		switch {
		case i%33 == 1:
			fmt.Fprintf(&in, `{"email":"p%d"}`, i)
		case i%50 == 1:
			fmt.Fprintf(&in, `{"email":"p%d@example.com"}`, i-1)
		default:
			fmt.Fprintf(&in, `{"email":"p%d@example.com","first_name":"太郎","note":"%0*d"}`, i, i%200, i)
		}
		in.WriteByte('\n')
	}
	rep, err := Run(t.Context(), o, &in, io.Discard)
	if rep.ExitCode != 1 { // for the rejected rows
		t.Fatal(err)
	}
	slices.Sort(sizes)
	full := (len(sizes) - 1) * 10_000
	if sent := int64(full + sizes[0]); sent != rep.Rows.Accepted || len(sizes) < 19 || sizes[1] != 10_000 {
		t.Errorf("%d rows were accepted in requests of %v", rep.Rows.Accepted, sizes)
	}
}

// stalled is the stage batches whose rows came in two delays ago.
type stalled struct {
	*batches
	control *control
	checker *validate.Checker
	sizes   []int // rows of each batch that was handed on
}

func newStalled(t *testing.T) *stalled {
	o := checkOptions(t)
	s := &stalled{control: newControl(t.Context(), o, time.Now(), func(error) {}), checker: o.Checker}
	s.batches = newBatches(s.control, nil, o, nil, nil, func(b *batch) {
		s.sizes = append(s.sizes, b.rows)
		s.control.free(b)
	})
	return s
}

// come adds rows, and has the stage look whether its open batch has waited long enough.
func (s *stalled) come(rows string) {
	c, tick := s.control.newChunk(), s.control.newChunk()
	c.text, c.begun, tick.tick = append(c.text, rows...), time.Now().Add(-2*s.delay), true
	for _, c := range []*chunk{c, tick} {
		c.check(s.checker)
		s.add(c)
	}
}

// Rows that waited for a slow Klaviyo do not hurry their batch: its delay begins when the batch before is handed on.
func TestRequestsStayFullUnderBackpressure(t *testing.T) {
	s := newStalled(t)
	s.come(rowsFrom(0, 3)) // nothing was handed on before: they have waited long enough
	s.come(rowsFrom(3, 4))
	s.come(rowsFrom(7, 5))
	s.wait()
	if diff := cmp.Diff([]int{3, 9}, s.sizes); diff != "" {
		t.Errorf("rows in each batch: %s", diff)
	}
}

// Rows that are no objects wait, whatever the delay, for an object that shows whether the required column exists.
func TestRowsWaitForTheRequiredColumn(t *testing.T) {
	s := newStalled(t)
	s.come("x\n")
	s.come("x\n")
	if len(s.sizes) > 0 {
		t.Errorf("rows in each batch: %v", s.sizes)
	}
	s.come(rowsFrom(0, 1))
	if diff := cmp.Diff([]int{3}, s.sizes); diff != "" {
		t.Errorf("rows in each batch: %s", diff)
	}
	s.wait()
}

// A Klaviyo that takes longer for a request than the batches' delay still gets full requests.
func TestSlowKlaviyoGetsFullRequests(t *testing.T) {
	if !*long {
		t.Skip("needs -long: Klaviyo's answers take their time; TestRequestsStayFullUnderBackpressure is quick")
	}
	t.Parallel()
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		time.Sleep(3 * time.Second) // the latency of this Klaviyo
		next()
	}))
	o.Concurrency, o.BatchDelay, o.mostRows = 1, 2*time.Second, 4_000
	var out bytes.Buffer
	in := strings.ReplaceAll(rowsFrom(0, 16_000), "}", `,"note":"`+strings.Repeat("n", 300)+`"}`)
	rep, err := Run(t.Context(), o, strings.NewReader(in), &out)
	if err != nil || rep.Jobs.Submitted != 4 {
		t.Errorf("%v; %d requests for 16,000 rows", err, rep.Jobs.Submitted)
	}
}

// A slow producer's rows are sent when their delay is over, before the input ends. A row that is half there waits
// for its end.
func TestBatchDelay(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 2)
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		next()
		arrived <- struct{}{}
	}))
	o.BatchDelay = 300 * time.Millisecond
	in, feed := io.Pipe()
	var out bytes.Buffer
	done := started(t.Context(), o, in, &out)
	began := time.Now()
	fmt.Fprint(feed, rowsFrom(0, 3)+`{"email":"half`)
	<-arrived
	if took := time.Since(began); took < o.BatchDelay/2 { // the input has not ended: it is the delay that ended the wait
		t.Errorf("sent after %v", took)
	}
	fmt.Fprint(feed, `@example.com"}`+"\n")
	<-arrived
	feed.Close()
	rep := <-done
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 accepted, 2 accepted, 3 accepted, 4 accepted" || rep.Jobs.Submitted != 2 {
		t.Errorf("%s with %d requests", got, rep.Requests.Sent)
	}
}

// A good row is not held back by very many bad rows behind it: they end its batch.
func TestBadRowsDoNotHoldResultsBack(t *testing.T) {
	arrived := make(chan struct{})
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		close(arrived)
		next()
	}))
	in, feed := io.Pipe()
	var out bytes.Buffer
	done := started(t.Context(), o, in, &out)
	fmt.Fprint(feed, rowsFrom(0, 1))
	bad := []byte(strings.Repeat("x\n", 100_000))
	sent := 1
	for going := true; going; {
		select {
		case <-arrived:
			going = false
		default:
			if sent > 30_000_000 {
				t.Fatal("60 MB of bad rows are held back")
			}
			_, _ = feed.Write(bad)
			sent += 100_000
		}
	}
	feed.Close()
	rep := <-done
	if rep.Rows.Read != int64(sent) || rep.Rows.Accepted != 1 || rep.Rows.Rejected != int64(sent-1) {
		t.Errorf("of %d rows: %+v", sent, rep.Rows)
	}
}
