package simulator_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// A delayed answer takes exactly its time, whatever the server's time limit for requests, and a client that gives up
// leaves behind the effect that its request had by then. Time is that of a synctest bubble.
func TestDelay(t *testing.T) {
	plan := readPlan(t, `faults:
- {on: POST /api/lists, do: delay, before: 5s, after: 20s, times: -1}
- {on: POST /api/lists, do: status, status: 503, skip: 3}
`)
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Plan: plan})
		near := &http.Client{Transport: &http.Transport{}}
		server, served := serveInMemory(t, s, near)
		for _, test := range []struct {
			patience, takes time.Duration
			status, lists   int
		}{
			{time.Hour, 25 * time.Second, 201, 1},
			{25*time.Second - 1, 25*time.Second - 1, 0, 2},
			{5*time.Second - 1, 5*time.Second - 1, 0, 2},
			{time.Hour, 25 * time.Second, 503, 2},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), test.patience)
			r, err := http.NewRequestWithContext(ctx, "POST", "http://127.0.0.1/api/lists",
				strings.NewReader(listBody))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Klaviyo-API-Key key")
			r.Header.Set("revision", "2026-07-15")
			r.Header.Set("Content-Type", mediaType)
			began, status := time.Now(), 0
			if answer, err := near.Do(r); err == nil {
				status = answer.StatusCode
				_ = answer.Body.Close()
			}
			same(t, "answer", []any{status, time.Since(began)}, []any{test.status, test.takes})
			cancel()
			synctest.Wait()
			same(t, "lists", s.Requests()["POST /api/lists 201"], test.lists)
		}
		near.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
}

// serveInMemory serves connections that are pipes, which a bubble needs, and makes the client dial them.
func serveInMemory(t *testing.T, h http.Handler, near *http.Client) (server *http.Server, served chan struct{}) {
	t.Helper()
	network := contract.NewPipes()
	near.Transport.(*http.Transport).DialContext = network.Dial
	server, served = &http.Server{Handler: h, ReadTimeout: 10 * time.Second}, make(chan struct{})
	go func() { // the test waits for it
		defer close(served)
		_ = server.Serve(network)
	}()
	return server, served
}

// A request that a fault delays does not delay Close.
func TestCloseInDelay(t *testing.T) {
	delayed := make(chan struct{})
	s := simulator.New(simulator.Options{
		Plan: readPlan(t, "faults: [{on: '*', do: delay, after: 1h, times: -1}]"),
		Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				close(delayed)
			})
		},
	})
	address, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const request = "POST /api/lists HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	<-delayed
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
