package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// While the run waits for import jobs, a row costs at most 40 bytes, beside what its key is longer than a usual
// address.
func TestWaitingCostsFewBytes(t *testing.T) {
	// Buffers that are kept for use again take some MB, more or less: so many rows make that a few bytes a row.
	const few, many = 200_000, 800_000
	per := (heapWhileWaiting(t, many) - heapWhileWaiting(t, few)) / (many - few)
	if per < 20 || per > 40 {
		t.Errorf("a row costs %.1f bytes", per)
	}
}

// heapWhileWaiting returns how many bytes the heap has grown by when a run waits for the import jobs of so many
// rows.
func heapWhileWaiting(t *testing.T, rows int) float64 {
	t.Helper()
	var accepted atomic.Int64
	all := make(chan struct{})
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case isImport(r):
				body, _ := io.ReadAll(r.Body)
				n := accepted.Add(int64(bytes.Count(body, []byte(`"email"`))))
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":"J%d"}}`, n)
				if n == int64(rows) {
					close(all)
				}
			case strings.HasPrefix(r.URL.Path, importPath): // no job ends
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	o.Window, o.BatchDelay, o.Concurrency = 0, time.Second, 1 // so that both runs keep as many buffers for use again
	before, during := heapNow(), 0.0
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	o.probe = func(stage string) {
		if stage == "settle" {
			<-all
		}
	}
	measured := make(chan struct{})
	go func() { // ends when every job is accepted; the test waits for measured
		defer close(measured)
		<-all
		during = heapNow()
		stop(&Interrupted{Signal: "SIGINT", ExitCode: 130})
	}()
	in := io.MultiReader(repeated(rows), reader(func([]byte) (int, error) { <-ctx.Done(); return 0, io.EOF }))
	var out bytes.Buffer
	rep, _ := Run(ctx, o, in, &out)
	<-measured
	if rep.Rows.Accepted != int64(rows) || rep.ExitCode != 130 {
		t.Fatalf("exit %d, %+v", rep.ExitCode, rep.Rows)
	}
	return during - before
}

// repeated is an input of so many good rows with 100 bytes beside their address. It keeps none of them.
func repeated(rows int) io.Reader {
	name, n := strings.Repeat("x", 100), 0
	var rest []byte
	return reader(func(p []byte) (int, error) {
		if len(rest) == 0 && n == rows {
			return 0, io.EOF
		}
		for len(rest) < 64<<10 && n < rows {
			rest = fmt.Appendf(rest, `{"email":"somebody.%06d@example.com","first_name":"%s"}`+"\n", n, name)
			n++
		}
		c := copy(p, rest)
		rest = rest[c:]
		return c, nil
	})
}

// ended is the report of a run that read all its rows.
const ended = `{"type":"report","status":"succeeded","exit_code":0,"operation":"add"}`

// wait keeps no results that it has passed on, however many there are.
func TestWaitKeepsNothing(t *testing.T) {
	const rows = 400_000
	n := 0
	var rest []byte
	in := reader(func(p []byte) (int, error) {
		if len(rest) == 0 && n == rows {
			return 0, io.EOF
		}
		for len(rest) < 64<<10 && n < rows {
			n++
			rest = fmt.Appendf(rest, `{"type":"row","row":%d,"status":"skipped","code":"duplicate","of":1}`+"\n", n)
		}
		c := copy(p, rest)
		rest = rest[c:]
		return c, nil
	})
	o := waitOptions(t, nil)
	o.MaxOpenJobs = 1
	var early, late float64
	out := &counting{at: func(lines int) {
		switch {
		case early == 0 && lines > rows/10:
			early = heapNow()
		case late == 0 && lines > rows-rows/10:
			late = heapNow()
		}
	}}
	rep, err := Wait(t.Context(), o, io.MultiReader(in, strings.NewReader(ended)), out)
	if err != nil || rep.Rows.Skipped != rows {
		t.Fatalf("%v, %+v", err, rep.Rows)
	}
	if grown := late - early; grown > 16<<20 { // a few groups of 4,096 results are in flight; all of them are some 100 MB
		t.Errorf("the heap grew by %.1f MB", grown/(1<<20))
	}
}

// counting calls at with the number of lines so far whenever something is written.
type counting struct {
	lines int
	at    func(lines int)
}

func (c *counting) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte{'\n'})
	c.at(c.lines)
	return len(p), nil
}

// Klaviyo's reasons against rows take at most 32 MB of a run, and 8 MB of an import job, however many rows wait behind
// an open job. No reason is lost silently: a long one is cut, then left out, and says so.
func TestReasonsAreBounded(t *testing.T) {
	jobs := 6
	if *whole {
		jobs = 40
	}
	const rows = 10_000
	before, during := heapNow(), 0.0
	k := &failing{fails: func(int) bool { return true }, reason: strings.Repeat("x", 960), held: jobs - 1}
	k.ready = func() { during = heapNow() }
	o := waitOptions(t, k.wrap)
	o.Window, o.MaxInvalid = 0, Bound{rows: 1_000_000}
	out := &reasons{}
	rep, err := Run(t.Context(), o, repeated(jobs*rows), out)
	if rejected := int64((jobs - 1) * rows); err != nil || rep.Rows.Applied != rows || rep.Rows.Rejected != rejected {
		t.Fatalf("%v: %+v", err, rep.Rows)
	}
	// In order of their jobs, each row has its own reason, or says why not.
	whole := out.rows - out.cut - out.left
	if out.rows != (jobs-1)*rows || out.wrong > 0 || whole < 14_000 || out.cut < 20_000 {
		t.Errorf("%+v, %d are whole", out, whole)
	}
	// 32 MB, 40 bytes a row, 30 bytes a rejected one more, and buffers.
	if grown, most := (during-before)/(1<<20), 32+0.07*float64(jobs*rows)/1000+24; grown > most {
		t.Errorf("the heap grew by %.1f MB, expected at most %.1f", grown, most)
	}
}

// reasons counts the rejected rows that are written, and how many of them have their reason cut or left out, or that of
// another row.
type reasons struct{ rows, cut, left, wrong int }

func (s *reasons) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		var r struct {
			Status, Code, Column, Detail, Job string
			Row                               int
		}
		if json.Unmarshal(line, &r) != nil || r.Status != "rejected" {
			continue
		}
		s.rows++
		own := fmt.Sprintf("%d ", (r.Row-1)%10_000)
		switch {
		case r.Code != "invalid" || r.Column != "phone_number" && r.Column != "email":
			s.wrong++
		case strings.HasPrefix(r.Detail, "the reason is left out: "):
			s.left++
		case !strings.HasPrefix(r.Detail, own):
			s.wrong++
		case strings.Contains(r.Detail, "x… (cut: "):
			s.cut++
		}
	}
	return len(p), nil
}

// The reasons of requests that Klaviyo refuses are bounded like those of import jobs, and their long answers are read
// one at a time.
func TestRefusalsAreBounded(t *testing.T) {
	requests, atOnce := 8, 8
	if *whole {
		requests, atOnce = 64, 16
	}
	const rows = 10_000
	var mu sync.Mutex
	before, most := heapNow(), 0.0
	var samples atomic.Int64
	sample := func() {
		if samples.Add(1)%4 != 0 {
			return
		}
		now := heapNow()
		mu.Lock()
		defer mu.Unlock()
		most = max(most, now-before)
	}
	url, _ := contract.Serve(t, simulator.Options{Wrap: refusing(strings.Repeat("x", 1090), sample)})
	o := checkOptions(t)
	o.Client = newClient(t, &sink.Options{BaseURL: url, Alone: true, Concurrency: atOnce, RetryFor: time.Minute})
	o.List = sink.ListRef{Name: "News", Create: true}
	o.Window, o.Concurrency, o.MaxInvalid = 0, atOnce, Bound{rows: 1_000_000}
	out := &reasons{}
	rep, err := Run(t.Context(), o, repeated(requests*rows), out)
	if err != nil || rep.Rows.Rejected != int64(requests*rows) {
		t.Fatalf("%v: %+v", err, rep.Rows)
	}
	if whole := out.rows - out.cut - out.left; out.rows != requests*rows || out.wrong > 0 || whole < 3000 {
		t.Errorf("%+v, %d are whole", out, whole)
	}
	// 5 MB and 10,000 results of 200 bytes for each request in flight, 32 MB of reasons, and one answer.
	if most > float64(7*atOnce+72)*(1<<20) {
		t.Errorf("the heap grew by %.1f MB", most/(1<<20))
	}
}

// refusing refuses every import, and names each row with a reason of its own. sample is called before and after an
// answer.
func refusing(reason string, sample func()) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isImport(r) {
				next.ServeHTTP(w, r)
				return
			}
			n, piece := 0, make([]byte, 32<<10) // the server's memory counts too
			for err := error(nil); err == nil; {
				var got int
				got, err = r.Body.Read(piece)
				n += bytes.Count(piece[:got], []byte("@"))
			}
			sample()
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"errors":[`)
			for row := range n {
				if row > 0 {
					fmt.Fprint(w, ",")
				}
				fmt.Fprintf(w, `{"code":"invalid","title":"T","detail":"%d %s",`+
					`"source":{"pointer":"/data/attributes/profiles/data/%d/attributes/email"}}`, row, reason, row)
			}
			fmt.Fprint(w, `]}`)
			sample()
		})
	}
}

// When results are written, other rows get the room that their reasons took: where only one request waits, no reason is
// cut, however many there are in the end.
func TestReasonsAreGivenBack(t *testing.T) {
	t.Parallel()
	const jobs, rows = 5, 10_000 // 18 MB: more than the run keeps uncut
	reason := strings.Repeat("x", 180)
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"failed":  (&failing{fails: func(int) bool { return true }, reason: reason}).wrap,
		"refused": refusing(reason, func() {}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := waitOptions(t, wrap)
			o.Window, o.Concurrency, o.MaxOpenJobs, o.MaxInvalid = 0, 1, 1, Bound{rows: 1_000_000}
			out := &reasons{}
			rep, err := Run(t.Context(), o, repeated(jobs*rows), out)
			if err != nil || rep.Rows.Rejected != jobs*rows || *out != (reasons{rows: jobs * rows}) {
				t.Errorf("%v: %+v, %+v", err, rep.Rows, out)
			}
		})
	}
}
