package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The key is told to nobody who cannot prove to be the base URL's host, by a TLS that is not outdated; and trying
// again is no use.
func TestTLS(t *testing.T) {
	for _, c := range []struct {
		name    string
		trusted bool
		host    string // in place of 127.0.0.1
		server  *tls.Config
		want    string // in the error, "" = the key is told
	}{
		{name: "trusted", trusted: true},
		{name: "TLS 1.2", trusted: true, server: &tls.Config{MaxVersion: tls.VersionTLS12}},
		{name: "signed by nobody known", want: "failed to verify certificate: x509: certificate signed by unknown " +
			"authority"},
		{name: "another's name", trusted: true, host: "localhost",
			want: "failed to verify certificate: x509: certificate is valid for example.com, *.example.com, not " +
				"localhost"},
		{name: "TLS 1.1", trusted: true, server: &tls.Config{MinVersion: tls.VersionTLS10,
			MaxVersion: tls.VersionTLS11}, want: "protocol version not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				told.Add(1)
				if r.Header.Get("Authorization") != "Klaviyo-API-Key pk_trusted" || r.TLS.Version < tls.VersionTLS12 {
					t.Errorf("%v by TLS %x", r.Header, r.TLS.Version)
				}
				_, _ = io.WriteString(w, `{"data":{"id":"Aaaaaa","attributes":{"name":"News"}}}`)
			}))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = c.server
			server.StartTLS()
			defer server.Close()
			base := server.URL
			if c.host != "" {
				base = strings.Replace(base, "127.0.0.1", c.host, 1)
			}
			client, err := New(Options{BaseURL: base, Revision: DefaultRevision, Key: "pk_trusted",
				RetryFor: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if c.trusted {
				client.http.Transport.(*http.Transport).TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			}
			_, err = client.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
			if c.want == "" {
				if err != nil || told.Load() != 1 {
					t.Errorf("error %v, %d requests", err, told.Load())
				}
				return
			}
			refused(t, err, c.want)
			if told.Load() > 0 || client.Stats().Sent != 1 {
				t.Errorf("%d requests came, %d were sent", told.Load(), client.Stats().Sent)
			}
		})
	}
}

// trusting returns a client that trusts the server, and the list that it has found there.
func trusting(t *testing.T, server *httptest.Server) (*Client, *List) {
	t.Helper()
	client, err := New(Options{BaseURL: server.URL, Revision: DefaultRevision, Key: "pk_trusted",
		RetryFor: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	client.http.Transport.(*http.Transport).TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	list, err := client.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
	if err != nil {
		t.Fatal(err)
	}
	return client, list
}

// deaf is a connection from which nothing comes.
type deaf struct{ net.Conn }

func (deaf) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

// An import whose TLS handshake fails has not arrived, however often it was tried.
func TestHandshakeCut(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s came", r.Method, r.URL)
		}
		_, _ = io.WriteString(w, `{"data":{"id":"Aaaaaa","attributes":{"name":"News"}}}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	client, list := trusting(t, server)
	defer client.Close()
	client.Close()
	transport := client.http.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return deaf{conn}, err
	}
	set := people(2)
	err := NewImport(client, list).Send(t.Context(), set)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Outage || statuses(set)["unsent"] != 2 ||
		client.Stats().Resent != 0 || client.Stats().Retried != 1 {
		t.Errorf("error %v, outcomes %v, %+v", err, statuses(set), client.Stats())
	}
}

// Whoever breaks TLS off when a request has come whole may have passed it on: its rows are unknown, and it is tried
// again.
func TestBrokenTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"data":{"id":"Aaaaaa","attributes":{"name":"News"}}}`)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn.(*tls.Conn).NetConn(), "HTTP/1.1 502 Bad Gateway\r\n\r\n")
	}))
	server.StartTLS()
	defer server.Close()
	client, list := trusting(t, server)
	defer client.Close()
	set := people(2)
	err := NewImport(client, list).Send(t.Context(), set)
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Outage || statuses(set)["unknown answer_lost"] != 2 ||
		client.Stats().Resent == 0 {
		t.Errorf("error %v, outcomes %v, %+v", err, statuses(set), client.Stats())
	}
}

// refused checks an error that ends a run at once and says what to look at.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Setup || !strings.Contains(failed.Error(), want) ||
		failed.Hint != "check --base-url, and this machine's certificates and clock" {
		t.Errorf("%+v: %v", failed, err)
	}
}

// Who does not speak TLS at all is not told the key either.
func TestNoTLS(t *testing.T) {
	for greeting, want := range map[string]string{
		"SSH-2.0-OpenSSH_9.6\r\n":          "first record does not look like a TLS handshake",
		"HTTP/1.1 400 Bad Request\r\n\r\n": "server gave HTTP response to HTTPS client",
		"\x16\x03\x02\x00\x2c\x02\x00\x00\x28\x03\x02" + strings.Repeat("\x00", 32) +
			"\x00\x00\x2f\x00\x00\x00": "unsupported protocol version",
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		said := make(chan string, 1)
		go func() { // ends when the client has hung up, and is received from below
			conn, err := listener.Accept()
			if err != nil {
				said <- err.Error()
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, greeting)
			text, _ := io.ReadAll(conn)
			said <- string(text)
		}()
		client, err := New(Options{BaseURL: "https://" + listener.Addr().String(), Revision: DefaultRevision,
			Key: "pk_trusted", RetryFor: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
		refused(t, err, want)
		client.Close()
		if text := <-said; strings.Contains(text, "pk_trusted") {
			t.Errorf("the key was told: %q", text)
		}
		_ = listener.Close()
	}
}
