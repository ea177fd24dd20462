package simulator_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// Requests counts every request under /api/ by operation and status, and unknown ones as other.
func TestRequests(t *testing.T) {
	c := startBare(t, simulator.Options{})
	c.want(404, "GET", "/api/lists/a", "")
	c.want(404, "GET", "/api/lists/b", "")
	c.want(404, "GET", "/api/nope", "")
	c.want(405, "PUT", "/api/lists", "{}")
	c.want(201, "POST", "/api/lists", listBody)
	c.do("GET", "/simulator/lists", "")
	same(t, "requests", c.Requests(), map[string]int{
		"GET /api/lists/{id} 404": 2, "POST /api/lists 201": 1, "other": 2})
}

// Start refuses every address that is not a loopback address, and Close without Start does nothing.
func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "localhost:0", "192.0.2.1:0", "example.com:80",
		"127.0.0.1", ""} {
		if url, err := simulator.New(simulator.Options{}).Start(addr); err == nil {
			t.Errorf("%s: expected an error, got a server on %s", addr, url)
		}
	}
	if err := simulator.New(simulator.Options{}).Close(); err != nil {
		t.Error(err)
	}
}

// Close cuts off a request in flight, and nothing runs after it.
func TestClose(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := simulator.New(simulator.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			close(release)
			next.ServeHTTP(w, r)
		})
	}})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	failed := make(chan error)
	go func() { // the test waits for it
		r, err := client.Get(url)
		if err == nil {
			_ = r.Body.Close()
		}
		failed <- err
	}()
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-release:
	default:
		t.Error("Close did not wait for the request")
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}

// A client that sends a too large body whole before it reads still gets 413.
func TestTooLargeIsRead(t *testing.T) {
	same(t, "status", startBare(t, simulator.Options{}).sendFirst(30_000_000), 413)
}

// sendFirst sends an import of size spaces whole, and only then reads the status.
func (c *client) sendFirst(size int) (status int) {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Klaviyo-API-Key key\r\n"+
		"revision: 2026-07-15\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", jobsPath, mediaType, size)
	if _, err := io.WriteString(conn, head+strings.Repeat(" ", size)); err != nil {
		c.t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// Many clients at once lose no profile and no import job.
func TestAtOnce(t *testing.T) {
	c := startBare(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 20 {
				var rows []string
				for n := range 10 {
					rows = append(rows, fmt.Sprintf(`{"email":"p%d-%d@example.org"}`, worker, (i*10+n)%150))
				}
				c.submit(list, rows...)
				c.want(200, "GET", "/api/lists/"+list+"/profiles", "")
				c.do("GET", "/simulator/lists/"+list+"/profiles", "")
				c.Requests()
			}
		})
	}
	wait.Wait()
	same(t, "members", len(c.stored(list)), 8*150)
	same(t, "jobs", c.Requests()["POST /api/profile-bulk-import-jobs 202"], 160)
}
