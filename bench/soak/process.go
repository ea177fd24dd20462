package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// door is an address of the account for one actor. It counts the requests and the open connections.
type door struct {
	url      string
	server   *http.Server
	requests atomic.Int64
	conns    atomic.Int64
}

// open opens a door to the account.
func open(to http.Handler) (*door, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &door{url: "http://" + listener.Addr().String()}
	d.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/rest" {
				d.requests.Add(1)
				to.ServeHTTP(w, r)
			}
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				d.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				d.conns.Add(-1)
			}
		},
		ReadHeaderTimeout: time.Minute,
	}
	go func() { _ = d.server.Serve(listener) }() // ends with close
	return d, nil
}

// rest waits until the account has handled all requests of the processes that have ended. Their connections are
// accepted before its own.
func (d *door) rest() {
	own := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if res, err := own.Get(d.url + "/rest"); err == nil {
		_ = res.Body.Close()
	}
	for d.conns.Load() > 0 {
		time.Sleep(2 * time.Millisecond)
	}
}

func (d *door) close() { _ = d.server.Shutdown(context.Background()) }

// signals end a process. The zero signal lets it run.
var signals = []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}

// process is one run of the binary.
type process struct {
	args   []string
	in     []byte
	out    *os.File       // where the results are appended to, or nil
	signal syscall.Signal // sent after the time after, unless it is 0
	after  time.Duration
	hurry  bool // it may wait half an hour for a request for consent: it is ended before
}

// ended is how a process ended.
type ended struct {
	exit     int
	signaled bool   // it ended by SIGKILL
	out      []byte // standard output, without process.out
	said     string // standard error
	late     bool   // it was in a hurry, and did not end in time
}

// start runs a process to its end.
func (a *actor) start(p *process) (e ended, err error) {
	var out, errs bytes.Buffer
	command := exec.Command(a.binary, p.args...)
	command.Env, command.Stderr = append(os.Environ(), "KLAVIYO_API_KEY=pk_soak"), &errs
	command.Stdout = &out
	if p.out != nil {
		command.Stdout = p.out
	}
	in, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return e, err
	}
	if p.signal != 0 {
		defer time.AfterFunc(p.after, func() { _ = command.Process.Signal(p.signal) }).Stop()
	}
	longest, end := a.account.longest(), syscall.SIGQUIT
	if p.hurry {
		longest, end = 20*time.Second, syscall.SIGTERM
	}
	late := time.AfterFunc(longest, func() { _ = command.Process.Signal(end) })
	feed(in, p.in, a.dice)
	_ = command.Wait()
	a.door.rest()
	e.late = !late.Stop()
	if e.late && !p.hurry {
		return e, fmt.Errorf("the process has not ended after %v: %v: %s", longest, p.args, errs.String())
	}
	e.exit, e.signaled = command.ProcessState.ExitCode(), !command.ProcessState.Exited()
	e.out, e.said = out.Bytes(), errs.String()
	return e, nil
}

// feed writes text in bursts, so that requests have all sizes.
func feed(in io.WriteCloser, text []byte, dice *rand.Rand) {
	defer in.Close()
	for len(text) > 0 {
		n := min(1+dice.IntN(200_000), len(text))
		if _, err := in.Write(text[:n]); err != nil {
			return // the process was ended, or reports its own error
		}
		text = text[n:]
		time.Sleep(time.Duration(dice.IntN(20)) * time.Millisecond) // a query pauses too
	}
}
