package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
)

// proxyOptions are the options of a run with batches of 100 rows that reaches Klaviyo through a proxy. The look-up of
// the list takes connection 0. No import is answered before the connection last is opened: until then no import can
// take a connection that another one has left, so harm to connections 1 and 2 is harm to imports.
func proxyOptions(
	t *testing.T, retry time.Duration, last int, trips func(int) *trip,
) (*Options, *simulator.Simulator, string) {
	t.Helper()
	opened := make(chan struct{})
	open := sync.OnceFunc(func() { close(opened) })
	url, sim := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return // the connection is reset
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				<-opened
			}
			next.ServeHTTP(w, r)
		})
	})
	t.Cleanup(open) // where the run has ended before
	p := newProxy(t, "127.0.0.1:0", url, func(connection int) *trip {
		if connection == last {
			open()
		}
		return trips(connection)
	})
	list := sim.AddList("News", "single_opt_in")
	o := networkOptions(t, retry, "http://"+p.addr(), nil)
	o.List = sink.ListRef{ID: list}
	return o, sim, list
}

// serve starts a Klaviyo that does not check the contract, which requests that are cut short would break.
func serve(t *testing.T, wrap func(http.Handler) http.Handler) (url string, sim *simulator.Simulator) {
	t.Helper()
	sim = simulator.New(simulator.Options{Ledger: true, JobTime: time.Millisecond, Wrap: wrap})
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return url, sim
}

// networkOptions are the options of a run that adds to a list at a base URL and waits.
func networkOptions(t *testing.T, retry time.Duration, base string, notice func(string)) *Options {
	t.Helper()
	o := checkOptions(t)
	o.Client = newClient(t, &sink.Options{
		BaseURL: base, Concurrency: 4, RateShare: 100, RetryFor: retry, Notice: notice,
	})
	o.List, o.Wait, o.WaitTimeout, o.MaxOpenJobs = sink.ListRef{Name: "News"}, true, 30*time.Second, 4
	o.Concurrency, o.mostRows = 4, 100
	return o
}

const networkRows = 450

// networkRun runs networkRows rows of 2 KB, and compares the results with the report and the ledger.
func networkRun(t *testing.T, o *Options, sim *simulator.Simulator, list string) (report.Rows, *report.Report) {
	t.Helper()
	var in strings.Builder
	for i := range networkRows {
		fmt.Fprintf(&in, `{"email":"p%d@example.com","notes":"%s"}`+"\n", i, strings.Repeat("x", 2000))
	}
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, strings.NewReader(in.String()), &out)
	return agree(t, out.Bytes(), sim, list), rep
}

// agree compares results with their report, and with the ledger: who joined the list, and by which import job.
func agree(t *testing.T, out []byte, sim *simulator.Simulator, list string) (counts report.Rows) {
	t.Helper()
	rows, rep := parse(t, out)
	joined := map[string]string{} // jobs by address
	for _, e := range sim.Ledger() {
		if e.List == list && (e.Change == "joined" || e.Change == "stayed") {
			joined[e.Email] += e.Job + " "
		}
	}
	for _, r := range rows {
		jobs, on := joined[r.Key]
		switch r.Status {
		case "applied", "accepted":
			if counts.Applied++; r.Status == "accepted" {
				counts.Applied, counts.Accepted = counts.Applied-1, counts.Accepted+1
			}
			if !strings.Contains(jobs, r.Job+" ") {
				t.Errorf("row %d is applied by import job %s, the ledger has %q", r.Row, r.Job, jobs)
			}
		case "unknown":
			counts.Unknown++
		case "unsent":
			counts.Unsent++
			if on {
				t.Errorf("row %d is unsent and on the list", r.Row)
			}
		default:
			t.Errorf("row %d is %s %s", r.Row, r.Status, r.Code)
		}
		delete(joined, r.Key)
	}
	if len(joined) > 0 {
		t.Errorf("on the list without a row: %v", joined)
	}
	if counts.Read = int64(len(rows)); counts != rep.Rows {
		t.Errorf("the rows are %+v, the report counts %+v", counts, rep.Rows)
	}
	return counts
}

// A network fault that passes costs time and no row. Four imports are in flight at once.
func TestNetworkFaultsThatPass(t *testing.T) {
	t.Parallel()
	mustEnd(t)
	var running sync.WaitGroup // more at once than go test runs
	defer running.Wait()
	for _, c := range []struct {
		name    string
		last    int // the connection of the fourth import, or the first connection of a retry
		trips   func(int) *trip
		retried bool
		resent  string // whether a request that may have arrived is resent: "no", "yes", "" = depends on the machine's speed
	}{
		{"latency", 3, between(0, 99, &trip{latency: 30 * time.Millisecond}), false, "no"},
		{"bandwidth, 800 KB/s", 3, between(0, 99, &trip{piece: 8 << 10, latency: 10 * time.Millisecond}), false, "no"},
		{"fragments", 3, between(0, 99, &trip{piece: 1 << 9}), false, "no"},
		{"reset when accepted", 4, between(0, 0, nil), true, ""},
		{"reset when accepted, later", 4, between(1, 2, nil), true, ""},
		{"reset in the look-up", 4, between(0, 0, &trip{up: 40}), true, "no"},
		{"reset in the look-up's answer", 4, between(0, 0, &trip{down: 700}), true, "no"},
		{"reset in the request's head", 4, between(1, 2, &trip{up: 40}), true, "yes"},
		{"reset in the request", 4, between(1, 2, &trip{up: 100_000}), true, "yes"},
		{"reset before the answer", 3, between(1, 2, &trip{unanswered: true}), true, "yes"},
		{"reset in the answer's head", 3, between(1, 2, &trip{down: 10}), true, "yes"},
		{"reset in the answer", 3, between(1, 2, &trip{down: 700}), true, "yes"},
	} {
		running.Go(func() {
			o, sim, list := proxyOptions(t, time.Minute, c.last, c.trips)
			counts, rep := networkRun(t, o, sim, list)
			if counts.Applied != networkRows || rep.ExitCode != 0 {
				t.Errorf("%s: exit %d, %+v", c.name, rep.ExitCode, counts)
			}
			got := rep.Requests
			if (got.Retried > 0) != c.retried || c.resent != "" && (got.Resent > 0) != (c.resent == "yes") {
				t.Errorf("%s: requests are %+v", c.name, got)
			}
		})
	}
}

// A network fault that stays ends the run with exit status 4. Rows that may have arrived are unknown, the others
// unsent.
func TestNetworkFaultsThatStay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		trips func(int) *trip
	}{
		{"reset in the request", between(0, 99, &trip{up: 150_000})},
		{"reset before the answer", between(1, 99, &trip{unanswered: true})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, sim, list := proxyOptions(t, 0, 3, c.trips)
			counts, rep := networkRun(t, o, sim, list)
			if rep.ExitCode != 4 || counts.Unknown == 0 || counts.Unsent == 0 {
				t.Errorf("exit %d, %+v", rep.ExitCode, counts)
			}
		})
	}
}

// A Klaviyo that cannot be reached ends the run before a row is read, when --retry-for is over. A server without
// TLS ends it at once.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, nil)
	plainHTTP := "https://" + strings.TrimPrefix(url, "http://")
	cut := "https://" + newProxy(t, "127.0.0.1:0", url, between(0, 99, &trip{up: 20})).addr()
	for _, c := range []struct {
		name, base, want string
		exit             int
	}{
		{"no such host", "https://klaviyo.invalid", "klaviyo.invalid", 4},
		{"refused", "http://127.0.0.1:1", "connection refused", 4},
		{"TLS handshake cut", cut, "reset by peer", 4},
		{"no TLS", plainHTTP, "HTTP response to HTTPS client", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			o := networkOptions(t, 0, c.base, nil)
			rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(1, 10)), &out)
			if rep.ExitCode != c.exit || rep.Rows.Read != 0 || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("exit %d, %d rows, error %v", rep.ExitCode, rep.Rows.Read, err)
			}
			if rows, _ := parse(t, out.Bytes()); len(rows) != 0 {
				t.Errorf("%d results", len(rows))
			}
		})
	}
}

// A Klaviyo that refuses connections and comes back gets every row, by one request each.
func TestRefusedThenBack(t *testing.T) {
	t.Parallel()
	url, sim := serve(t, nil)
	list, addr := sim.AddList("News", "single_opt_in"), freePort(t)
	var back sync.Once
	o := networkOptions(t, time.Minute, "http://"+addr, func(text string) {
		if !strings.Contains(text, "connection refused; retrying") {
			t.Errorf("the message is %q", text)
		}
		back.Do(func() { newProxy(t, addr, url, between(0, 99, new(trip))) })
	})
	o.List = sink.ListRef{ID: list}
	counts, rep := networkRun(t, o, sim, list)
	if counts.Applied != networkRows || rep.ExitCode != 0 || rep.Requests.Retried != 1 || rep.Requests.Resent != 0 {
		t.Errorf("exit %d, %+v, requests %+v", rep.ExitCode, counts, rep.Requests)
	}
}

// A second signal abandons requests whose connection answers nothing, or half an answer: their rows are unknown.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	for _, c := range halfOpen {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mustEnd(t)
			// The look-up of the list has a whole connection, which is reset when the first import uses it.
			sent := make(chan struct{})
			url, sim := serve(t, imports(func(n int64, next func()) {
				next()
				if n == 4 {
					close(sent)
				}
			}))
			list := sim.AddList("News", "single_opt_in")
			p := newProxy(t, "127.0.0.1:0", url, func(n int) *trip {
				if n == 0 {
					return &trip{up: 4000} // enough for the look-up, and for no import
				}
				return c.harm
			})
			o := networkOptions(t, time.Minute, "http://"+p.addr(), nil)
			o.List = sink.ListRef{ID: list}
			ctx, stop := context.WithCancelCause(t.Context())
			defer context.AfterFunc(ctx, o.Client.Abort)()
			o.Concurrency = 5
			go func() { // ends with the imports; the run does not end before
				<-sent
				stop(&Interrupted{"SIGINT", 130})
			}()
			var out bytes.Buffer
			rep, _ := Run(ctx, o, strings.NewReader(rowsFrom(1, networkRows)), &out)
			counts := agree(t, out.Bytes(), sim, list)
			if rep.ExitCode != 130 || counts.Unknown == 0 || counts.Applied != 0 {
				t.Errorf("exit %d, %+v", rep.ExitCode, counts)
			}
		})
	}
}

// A request whose connection answers nothing, or half an answer, is given up after 2 minutes and resent: no row is
// lost.
func TestHalfOpenIsResent(t *testing.T) {
	if !*long {
		t.Skip("needs -long: it waits for the time limit of a request, 2 minutes")
	}
	t.Parallel()
	for _, c := range halfOpen {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, sim, list := proxyOptions(t, 10*time.Minute, 3, between(1, 2, c.harm))
			if counts, rep := networkRun(t, o, sim, list); counts.Applied != networkRows || rep.ExitCode != 0 {
				t.Errorf("exit %d, %+v", rep.ExitCode, counts)
			}
		})
	}
}

// halfOpen are connections that take everything.
var halfOpen = []struct {
	name string
	harm *trip
}{
	{"no answer", &trip{down: 1, silent: true}},
	{"half an answer", &trip{down: 500, silent: true}},
}
