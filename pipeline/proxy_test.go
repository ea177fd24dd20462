package pipeline

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// trip says what happens to one connection. The zero value passes everything on.
type trip struct {
	up, down   int64         // the connection is reset after so many bytes to Klaviyo, or from it; 0 = never
	silent     bool          // instead of the reset, nothing more comes from Klaviyo
	unanswered bool          // the connection is reset at the first byte from Klaviyo: it has acted
	latency    time.Duration // of every piece, each way
	piece      int           // bytes that pass at once, 0 = 32 KiB
}

// proxy passes connections on to Klaviyo and harms some of them.
type proxy struct {
	to    string                     // host and port
	trips func(connection int) *trip // nil: the connection is reset at once

	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
	running  sync.WaitGroup
}

// newProxy listens at addr until the test ends.
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

// own has close close a connection.
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

// reset closes a connection so that the other side sees a reset, not an end.
func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// pass copies from one side to the other until one is gone or the trip ends.
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

// between harms the connections from the first to the last, counted from 0.
func between(first, last int, harm *trip) func(int) *trip {
	return func(connection int) *trip {
		if connection >= first && connection <= last {
			return harm
		}
		return new(trip)
	}
}

// freePort returns an address of this machine at which no program listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
