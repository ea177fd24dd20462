package sink

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// mute is a connection that passes nothing more in either direction once it is dead.
type mute struct {
	net.Conn
	dead *atomic.Bool
	gone chan struct{}
}

func (m *mute) Write(p []byte) (int, error) {
	if m.dead.Load() {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

func (m *mute) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if m.dead.Load() {
		<-m.gone
		return 0, net.ErrClosed
	}
	return n, err
}

func (m *mute) Close() error {
	close(m.gone)
	return m.Conn.Close()
}

// TestHalfOpenHTTP2: an HTTP/2 connection that is silently dead is given up, and the request is resent on another
// one.
func TestHalfOpenHTTP2(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.ProtoMajor != 2 {
			t.Errorf("got a request by %s", r.Proto)
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
		}
		sendList(w)
	}
	config := &tls.Config{NextProtos: []string{"h2"}}
	secure(t, "https://127.0.0.1", config, 10*time.Minute, handler, func(s *secured) {
		var dead atomic.Bool
		dials := 0
		dial := s.transport.DialContext
		s.transport.DialContext = func(ctx context.Context, on, addr string) (net.Conn, error) {
			conn, err := dial(ctx, on, addr)
			if dials++; dials == 1 && err == nil {
				conn = &mute{Conn: conn, dead: &dead, gone: make(chan struct{})}
			}
			return conn, err
		}
		list := s.list()
		dead.Store(true)
		set := people(2)
		err := NewImport(s.client, list).Send(s.Context(), set)
		if err != nil || statuses(set)["accepted"] != 2 || dials != 2 || s.client.Stats().Resent != 1 {
			t.Errorf("error %v, %v by %d connections, %+v", err, statuses(set), dials, s.client.Stats())
		}
	})
}
