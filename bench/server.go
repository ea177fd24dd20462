package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/encoding/json"
)

// list is the id of the only list that a server has.
const list = "Bench1"

// counts says what reached a server.
type counts struct {
	Requests int64 `json:"requests"` // imports
	Rows     int64 `json:"rows"`     // profiles in all imports
	Bytes    int64 `json:"bytes"`    // size of all bodies
	AtOnce   int64 `json:"at_once"`  // most imports in flight at once

	Removed      int64 `json:"removed"`      // members that are off the list now
	Subscribed   int64 `json:"subscribed"`   // people whose consent is set
	Unsubscribed int64 `json:"unsubscribed"` // people whose consent is withdrawn
	Lookups      int64 `json:"lookups"`      // emails that were asked for
	Pages        int64 `json:"pages"`        // pages of members
}

// server answers as Klaviyo does, in the fewest bytes that clients accept. It reads whole bodies. It keeps counts, and
// a byte for each of its people (people.go).
type server struct {
	people people
	delay  time.Duration // time between an import's body and its answer
	bodies sync.Pool

	mu       sync.Mutex
	counts   counts
	inFlight int64
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/api/profile-bulk-import-jobs":
		s.take(w, r)
	case r.Method == http.MethodGet:
		s.show(w, r)
	default:
		s.change(w, r)
	}
}

// take reads an import and answers with the id of an import job.
func (s *server) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.inFlight++
	s.counts.AtOnce = max(s.counts.AtOnce, s.inFlight)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inFlight--
		s.mu.Unlock()
	}()
	body, _ := s.bodies.Get().(*bytes.Buffer)
	if body == nil {
		body = new(bytes.Buffer)
	}
	defer s.bodies.Put(body)
	body.Reset()
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	if _, err := body.ReadFrom(r.Body); err != nil {
		return // the client has gone
	}
	select {
	case <-time.After(s.delay):
	case <-r.Context().Done():
		return
	}
	s.mu.Lock()
	s.counts.Requests++
	s.counts.Rows += profiles(body.Bytes())
	s.counts.Bytes += int64(body.Len())
	s.people.imported = time.Now()
	job := s.counts.Requests
	s.mu.Unlock()
	answer(w, http.StatusAccepted, `{"data":{"id":"`+jobID(job)+`"}}`)
}

// profiles returns the number of profiles in a body. It counts the members "attributes" that hold an object: each
// profile has one, and the import job has one more.
func profiles(body []byte) int64 {
	n := int64(-1)
	for i := 0; ; i++ {
		next := bytes.IndexByte(body[i:], '{')
		if next < 0 {
			return max(n, 0)
		}
		i += next
		before := body[max(i-len(` "attributes": `), 0):i]
		if bytes.HasSuffix(bytes.TrimRight(before, " "), []byte(`"attributes":`)) {
			n++
		}
	}
}

// jobID returns an id that is as long as Klaviyo's ids.
func jobID(n int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "AbC123_maintenance.Bench1.1790000000.%06d", n))
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/vnd.api+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// serve runs a server until standard input ends. It prints the server's URL first and its counts last, each as a line.
func serve(_ context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	delay := flags.Duration("delay", 0, "time that the server takes to answer an import")
	members := flags.Int("members", 0, "people who are on the list from the beginning")
	if err := parse(flags, args, std); err != nil {
		return err
	}
	debug.SetGCPercent(400) // its memory is in no figure
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &server{delay: *delay, people: people{states: make([]state, *members)}}
	web := &http.Server{Handler: s}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }() // ends when web is closed; the receive below waits for it
	fmt.Fprintf(std.out, "http://%s\n", listener.Addr())
	_, _ = io.Copy(io.Discard, std.in)
	_ = web.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.NewEncoder(std.out).Encode(s.counts)
}

// remote is a server in another process.
type remote struct {
	url string
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// startServer starts a server that takes delay to answer an import. More are arguments of serve.
func startServer(ctx context.Context, delay time.Duration, more ...string) (*remote, error) {
	cmd, err := self(ctx, append([]string{"serve", "-delay", delay.String()}, more...)...)
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	r := &remote{cmd: cmd, in: in, out: bufio.NewReader(out)}
	line, err := r.out.ReadString('\n')
	if err != nil {
		_, _ = r.stop()
		return nil, fmt.Errorf("start the server: %w", err)
	}
	r.url = strings.TrimSpace(line)
	return r, nil
}

// stop ends the server and returns its counts.
func (r *remote) stop() (counts, error) {
	var c counts
	_ = r.in.Close()
	err := json.NewDecoder(r.out).Decode(&c)
	if ended := r.cmd.Wait(); ended != nil || err != nil {
		return c, fmt.Errorf("stop the server: %w", errors.Join(ended, err))
	}
	return c, nil
}
