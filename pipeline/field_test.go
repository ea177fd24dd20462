package pipeline

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
)

var fieldSlow = flag.Bool("field.slow", false, "let TestHalfOpen wait for the time limit of a request, 2 minutes")

// trip is what happens to one connection. The zero value passes everything on.
type trip struct {
	up, down   int64         // the connection is reset when so many bytes have passed towards Klaviyo, or from it, 0 = it is not
	silent     bool          // in place of the reset nothing more passes down
	unanswered bool          // reset at the first byte from Klaviyo: it has acted
	latency    time.Duration // of every piece, each way
	piece      int           // bytes that pass at once, 0 = 32 KiB
}

// proxy is a way to Klaviyo on which connections come to harm.
type proxy struct {
	to    string                     // host and port
	trips func(connection int) *trip // nil: it is reset at once

	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
	running  sync.WaitGroup
}

// newProxy listens at addr, or at any free port of this machine if that is "", until the test ends.
func newProxy(t *testing.T, addr, url string, trips func(int) *trip) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: strings.TrimPrefix(url, "http://"), trips: trips, listener: listener}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// own sees to it that close closes a connection.
func (p *proxy) own(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
	if p.closed {
		_ = c.Close()
	}
}

func (p *proxy) accept() {
	for n := 0; ; n++ {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.own(client)
		t := p.trips(n)
		if t == nil {
			reset(client)
			continue
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil {
			reset(client)
			continue
		}
		p.own(server)
		both := func() { reset(client); reset(server) }
		p.running.Go(func() { defer both(); t.pass(server, client, t.up, false) })
		p.running.Go(func() { defer both(); t.pass(client, server, t.down, true) })
	}
}

// reset closes a connection so that the other side is told of a reset, not of an end.
func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// pass copies from one side to the other until either is gone or the trip ends.
func (t *trip) pass(to, from net.Conn, limit int64, down bool) {
	buf := make([]byte, max(t.piece, 1))
	if t.piece == 0 {
		buf = make([]byte, 32<<10)
	}
	for passed := int64(0); ; {
		n, err := from.Read(buf)
		if n == 0 && err != nil || down && t.unanswered {
			return
		}
		if limit > 0 && passed+int64(n) >= limit {
			_, _ = to.Write(buf[:limit-passed])
			if down && t.silent {
				_, _ = io.Copy(io.Discard, from) // until close
			}
			return
		}
		time.Sleep(t.latency)
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
		passed += int64(n)
	}
}

// between lets the connections from one to another, counted from 0, come to harm.
func between(first, last int, harm *trip) func(int) *trip {
	return func(connection int) *trip {
		if connection >= first && connection <= last {
			return harm
		}
		return new(trip)
	}
}

// fieldOptions is a job with batches of 100 rows whose Klaviyo is reached by a proxy. The list's look-up takes the first connection:
// what harms later ones harms imports, as connections are used again.
func fieldOptions(t *testing.T, retry time.Duration, trips func(int) *trip) (*Options, *simulator.Simulator, string) {
	t.Helper()
	url, sim := fieldServe(t, nil)
	list := sim.AddList("News", "single_opt_in")
	o := fieldClient(t, retry, "http://"+newProxy(t, "127.0.0.1:0", url, trips).addr(), nil)
	o.List = sink.ListRef{ID: list}
	return o, sim, list
}

// fieldServe is a Klaviyo without the check of the contract, which requests that are cut short would break.
func fieldServe(t *testing.T, wrap func(http.Handler) http.Handler) (url string, sim *simulator.Simulator) {
	t.Helper()
	sim = simulator.New(simulator.Options{Ledger: true, JobTime: time.Millisecond, Wrap: wrap})
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return url, sim
}

func fieldClient(t *testing.T, retry time.Duration, base string, notice func(string)) *Options {
	t.Helper()
	client, err := sink.New(sink.Options{BaseURL: base, Revision: sink.DefaultRevision, Key: "pk_field", Concurrency: 4, RateShare: 100, RetryFor: retry, Notice: notice})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	o := checkOptions(t)
	o.Client, o.List, o.Wait, o.WaitTimeout, o.MaxOpenJobs = client, sink.ListRef{Name: "News"}, true, 30*time.Second, 4
	o.Concurrency, o.mostRows = 4, 100
	return o
}

const fieldRows = 450

// fieldRun runs a job with fieldRows rows, each of 2 KB, and compares the results with the report and the ledger.
func fieldRun(t *testing.T, o *Options, sim *simulator.Simulator, list string) (counts report.Rows, rep *report.Report) {
	t.Helper()
	var in strings.Builder
	for i := range fieldRows {
		fmt.Fprintf(&in, `{"email":"p%d@example.com","notes":"%s"}`+"\n", i, strings.Repeat("x", 2000))
	}
	var out bytes.Buffer
	rep, _ = Run(t.Context(), o, strings.NewReader(in.String()), &out)
	return agree(t, out.Bytes(), sim, list), rep
}

// agree compares results with their report, and with what the ledger has: who joined the list, and by which job.
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

// What passes by itself costs time and no row. The first connection is the list's look-up, and then one of the imports.
func TestNetworkFaultsThatPass(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	defer running.Wait()
	for _, c := range []struct {
		name    string
		trips   func(int) *trip
		retried bool
		resent  string // what may have arrived: "no", "yes", or "" where that depends on how fast the machine is
	}{
		{"latency", between(0, 99, &trip{latency: 30 * time.Millisecond}), false, "no"},
		{"bandwidth", between(0, 99, &trip{piece: 8 << 10, latency: 10 * time.Millisecond}), false, "no"}, // 800 KB/s
		{"fragments", between(0, 99, &trip{piece: 1 << 9}), false, "no"},
		{"reset when accepted", between(0, 0, nil), true, ""},
		{"reset when accepted, later", between(1, 2, nil), true, ""},
		{"reset in the look-up", between(0, 0, &trip{up: 40}), true, "yes"},
		{"reset in the look-up's answer", between(0, 0, &trip{down: 700}), true, "yes"},
		{"reset in the request's head", between(1, 2, &trip{up: 40}), true, "yes"},
		{"reset in the request", between(1, 2, &trip{up: 100_000}), true, "yes"},
		{"reset before the answer", between(1, 2, &trip{unanswered: true}), true, "yes"},
		{"reset in the answer's head", between(1, 2, &trip{down: 10}), true, "yes"},
		{"reset in the answer", between(1, 2, &trip{down: 700}), true, "yes"},
	} {
		running.Go(func() {
			o, sim, list := fieldOptions(t, time.Minute, c.trips)
			counts, rep := fieldRun(t, o, sim, list)
			if counts.Applied != fieldRows || rep.ExitCode != 0 {
				t.Errorf("%s: exit %d, %+v", c.name, rep.ExitCode, counts)
			}
			if got := rep.Requests; (got.Retried > 0) != c.retried || c.resent != "" && (got.Resent > 0) != (c.resent == "yes") {
				t.Errorf("%s: requests are %+v", c.name, got)
			}
		})
	}
}

// What doesn't pass ends the run with exit status 4; rows of requests that may have arrived are unknown, the others unsent.
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
			o, sim, list := fieldOptions(t, 0, c.trips)
			counts, rep := fieldRun(t, o, sim, list)
			if rep.ExitCode != 4 || counts.Unknown == 0 || counts.Unsent == 0 {
				t.Errorf("exit %d, %+v", rep.ExitCode, counts)
			}
		})
	}
}

// A Klaviyo that cannot be reached ends the run before a row is read, when --retry-for is over; the wrong kind of server ends it at once.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	url, _ := fieldServe(t, nil)
	plainHTTP := "https://" + strings.TrimPrefix(url, "http://")
	cut := "https://" + newProxy(t, "127.0.0.1:0", url, between(0, 99, &trip{up: 20})).addr()
	for _, c := range []struct {
		name, base, want string
		exit             int
	}{
		{"no such host", "https://klaviyo.invalid", "klaviyo.invalid", 4},
		{"refused", "http://" + freePort(t), "connection refused", 4},
		{"TLS handshake cut", cut, "reset by peer", 4},
		{"no TLS", plainHTTP, "HTTP response to HTTPS client", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			rep, err := Run(t.Context(), fieldClient(t, 0, c.base, nil), strings.NewReader(rowsFrom(1, 10)), &out)
			if rep.ExitCode != c.exit || rep.Rows.Read != 0 || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("exit %d, %d rows, error %v", rep.ExitCode, rep.Rows.Read, err)
			}
			if rows, _ := parse(t, out.Bytes()); len(rows) != 0 {
				t.Errorf("%d results", len(rows))
			}
		})
	}
}

// freePort returns an address of this machine at which nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A Klaviyo that refuses connections and is back later takes all rows, each by one request.
func TestRefusedThenBack(t *testing.T) {
	t.Parallel()
	url, sim := fieldServe(t, nil)
	list, addr := sim.AddList("News", "single_opt_in"), freePort(t)
	var back sync.Once
	o := fieldClient(t, time.Minute, "http://"+addr, func(text string) {
		if !strings.Contains(text, "connection refused; trying again") {
			t.Errorf("people are told %q", text)
		}
		back.Do(func() { newProxy(t, addr, url, between(0, 99, new(trip))) })
	})
	o.List = sink.ListRef{ID: list}
	counts, rep := fieldRun(t, o, sim, list)
	if counts.Applied != fieldRows || rep.ExitCode != 0 || rep.Requests.Retried != 1 || rep.Requests.Resent != 0 {
		t.Errorf("exit %d, %+v, requests %+v", rep.ExitCode, counts, rep.Requests)
	}
}

// A connection that takes everything and answers nothing, or half, is given up after a request's time limit, and the request sent again.
// The second signal gives it up at once: then its rows are unknown.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		harm *trip
	}{
		{"no answer", &trip{down: 1, silent: true}},
		{"half an answer", &trip{down: 500, silent: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if *fieldSlow {
				o, sim, list := fieldOptions(t, 10*time.Minute, between(1, 2, c.harm))
				if counts, rep := fieldRun(t, o, sim, list); counts.Applied != fieldRows || rep.ExitCode != 0 {
					t.Errorf("exit %d, %+v", rep.ExitCode, counts)
				}
				return
			}
			// The look-up of the list has a connection that is whole, and is cut when the first import uses it.
			sent := make(chan struct{})
			url, sim := fieldServe(t, imports(func(n int64, next func()) {
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
			o := fieldClient(t, time.Minute, "http://"+p.addr(), nil)
			o.List = sink.ListRef{ID: list}
			ctx, stop := context.WithCancelCause(t.Context())
			defer context.AfterFunc(ctx, o.Client.Abort)()
			o.Concurrency = 5
			go func() { // ends with the imports
				<-sent
				stop(&Interrupted{"SIGINT", 130})
			}()
			var out bytes.Buffer
			rep, _ := Run(ctx, o, strings.NewReader(rowsFrom(1, fieldRows)), &out)
			counts := agree(t, out.Bytes(), sim, list)
			if rep.ExitCode != 130 || counts.Unknown == 0 || counts.Applied != 0 {
				t.Errorf("exit %d, %+v", rep.ExitCode, counts)
			}
		})
	}
}
