package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Start listens on addr, a loopback address such as 127.0.0.1:0, and serves until Close. It answers only for loopback
// hosts. The URL has no slash at its end. Call Start at most once.
func (s *Simulator) Start(addr string) (url string, err error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("start the simulator: %w", err)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "", fmt.Errorf("start the simulator: expected a loopback address such as 127.0.0.1:0, got %q", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("start the simulator: %w", err)
	}
	s.served = make(chan struct{})
	s.server = &http.Server{
		Handler:           onlyLoopback(s),
		ConnContext:       withConn,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnState:         s.track,
	}
	go func() { // Close waits for it
		defer close(s.served)
		_ = s.server.Serve(listener) // returns only after Close
	}()
	return "http://" + listener.Addr().String(), nil
}

// Close stops serving, cuts off requests in flight, and returns when all goroutines of the server have ended.
// Without Start it does nothing. Call Close at most once.
func (s *Simulator) Close() error {
	if s.server == nil {
		return nil
	}
	err := s.server.Close()
	<-s.served
	s.conns.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// track counts the connections, so that Close can wait for their goroutines.
func (s *Simulator) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed:
		s.conns.Done()
	}
}

// connKey is the key of the connection in a request's context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}
