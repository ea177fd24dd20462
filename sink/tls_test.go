package sink

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"klaviyo-export/sink/simulator/contract"
)

// secured is a TLS server in a bubble, with a client that trusts its certificate.
type secured struct {
	*testing.T
	client    *Client
	transport *http.Transport
}

// secure runs f in a bubble with a server of the configuration, which gets a certificate of 127.0.0.1 and
// example.com.
func secure(
	t *testing.T, base string, config *tls.Config, retryFor time.Duration, handler http.HandlerFunc,
	f func(s *secured),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, certificate := contract.NewPipes(), selfSigned(t)
		config.Certificates = []tls.Certificate{certificate}
		server := &http.Server{TLSConfig: config, Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
		if len(config.NextProtos) == 0 { // then without HTTP/2
			server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
		}
		served := make(chan struct{})
		go func() { // ends with the server; the function below waits for it
			defer close(served)
			_ = server.ServeTLS(network, "", "")
		}()
		client, err := New(Options{BaseURL: base, Revision: DefaultRevision, Key: "pk_trusted", RetryFor: retryFor})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			client.Close()
			_ = network.Close()
			_ = server.Close()
			<-served
			time.Sleep(time.Second) // on the bubble's clock: connections may take a moment to end
		}()
		transport := client.http.Transport.(*http.Transport)
		transport.DialContext = func(ctx context.Context, on, addr string) (net.Conn, error) {
			conn, err := network.Dial(ctx, on, addr)
			if err != nil {
				return nil, err
			}
			return newQueued(conn), nil
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AddCert(certificate.Leaf)
		f(&secured{T: t, client: client, transport: transport})
	})
}

// queued is a connection whose writes do not wait for the reader, as with TCP: in a failing handshake both sides
// write.
type queued struct {
	net.Conn
	out  chan []byte
	done chan struct{}
	once sync.Once
}

func newQueued(conn net.Conn) *queued {
	q := &queued{Conn: conn, out: make(chan []byte, 16), done: make(chan struct{})}
	go func() { // ends with Close; the bubble waits for it
		for {
			select {
			case p := <-q.out:
				_, _ = conn.Write(p)
			case <-q.done:
				return
			}
		}
	}()
	return q
}

func (q *queued) Write(p []byte) (int, error) {
	select {
	case q.out <- bytes.Clone(p):
		return len(p), nil
	case <-q.done:
		return 0, net.ErrClosed
	}
}

func (q *queued) Close() error {
	q.once.Do(func() { close(q.done) })
	return q.Conn.Close()
}

// list finds the list that sendList answers with.
func (s *secured) list() *List {
	s.Helper()
	list, err := s.client.FindList(s.Context(), ListRef{ID: "Aaaaaa"})
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// sendList answers with a list.
func sendList(w http.ResponseWriter) {
	_, _ = io.WriteString(w, `{"data":{"id":"Aaaaaa","attributes":{"name":"News"}}}`)
}

// selfSigned is a certificate of 127.0.0.1 and example.com that is valid now.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "Klaviyo"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:     []string{"example.com"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// TestTLS: the key goes only to a server that proves by TLS 1.2 or later to be the base URL's host. Any other server
// ends the run at once, without a retry.
func TestTLS(t *testing.T) {
	const failed = "failed to verify certificate: x509: "
	for _, c := range []struct {
		name     string
		stranger bool   // its certificate is not trusted
		host     string // of the base URL
		server   *tls.Config
		want     string // in the error, "" = the key is sent
	}{
		{name: "trusted", host: "127.0.0.1", server: &tls.Config{}},
		{name: "TLS 1.2", host: "127.0.0.1", server: &tls.Config{MaxVersion: tls.VersionTLS12}},
		{
			name: "unknown authority", stranger: true, host: "127.0.0.1", server: &tls.Config{},
			want: failed + "certificate signed by unknown authority",
		},
		{
			name: "another host's certificate", host: "localhost", server: &tls.Config{},
			want: failed + "certificate is valid for example.com, not localhost",
		},
		{
			name: "TLS 1.1", host: "127.0.0.1",
			server: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
			want:   "protocol version not supported",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			requests := 0
			handler := func(w http.ResponseWriter, r *http.Request) {
				requests++
				if r.Header.Get("Authorization") != "Klaviyo-API-Key pk_trusted" || r.TLS.Version < tls.VersionTLS12 {
					t.Errorf("%v by TLS %x", r.Header, r.TLS.Version)
				}
				sendList(w)
			}
			secure(t, "https://"+c.host, c.server, time.Hour, handler, func(s *secured) {
				if c.stranger {
					s.transport.TLSClientConfig.RootCAs = x509.NewCertPool()
				}
				_, err := s.client.FindList(s.Context(), ListRef{ID: "Aaaaaa"})
				if c.want == "" {
					if err != nil || requests != 1 {
						t.Errorf("error %v, %d requests", err, requests)
					}
					return
				}
				untrustedError(t, err, c.want)
				if n := s.client.Stats().Sent; requests > 0 || n != 1 {
					t.Errorf("%d requests arrived, %d were sent", requests, n)
				}
			})
		})
	}
}

// untrustedError checks an error that ends a run at once and says what to check.
func untrustedError(t *testing.T, err error, want string) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != Setup || !strings.Contains(failed.Error(), want) ||
		failed.Hint != "check --base-url and this machine's certificates and clock" {
		t.Errorf("error %+v, want %s", failed, want)
	}
}

// deaf is a connection that receives nothing.
type deaf struct{ net.Conn }

func (deaf) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

// TestHandshakeCut: an import whose TLS handshakes fail has not arrived, however often it was tried: its rows are
// unsent.
func TestHandshakeCut(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s arrived", r.Method, r.URL)
		}
		sendList(w)
	}
	secure(t, "https://127.0.0.1", &tls.Config{}, 100*time.Millisecond, handler, func(s *secured) {
		list := s.list()
		s.client.Close()
		dial := s.transport.DialContext
		s.transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return deaf{conn}, err
		}
		set := people(2)
		err := NewImport(s.client, list).Send(s.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Outage || statuses(set)["unsent"] != 2 {
			t.Errorf("error %v, %v", err, statuses(set))
		}
		if stats := s.client.Stats(); stats.Resent != 0 || stats.Retried != 1 {
			t.Errorf("%+v", stats)
		}
	})
}

// TestBrokenTLS: a server that breaks TLS off after it has the whole request may have passed it on: the request is
// resent, and its rows are unknown.
func TestBrokenTLS(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			sendList(w)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn.(*tls.Conn).NetConn(), "HTTP/1.1 502 Bad Gateway\r\n\r\n")
	}
	secure(t, "https://127.0.0.1", &tls.Config{}, 100*time.Millisecond, handler, func(s *secured) {
		set := people(2)
		err := NewImport(s.client, s.list()).Send(s.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Outage || statuses(set)["unknown answer_lost"] != 2 ||
			s.client.Stats().Resent == 0 {
			t.Errorf("error %v, %v, %+v", err, statuses(set), s.client.Stats())
		}
	})
}

// TestNoTLS: a server that does not speak TLS, or only an old version, does not receive the key.
func TestNoTLS(t *testing.T) {
	oldHello := "\x16\x03\x02\x00\x2c\x02\x00\x00\x28\x03\x02" + strings.Repeat("\x00", 32) +
		"\x00\x00\x2f\x00\x00\x00"
	for _, c := range []struct{ name, greeting, want string }{
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", "first record does not look like a TLS handshake"},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "server gave HTTP response to HTTPS client"},
		{"TLS 1.1", oldHello, "unsupported protocol version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := contract.NewPipes()
				var serving sync.WaitGroup
				got := ""
				serving.Go(func() {
					conn, err := network.Accept()
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					serving.Go(func() { _, _ = io.WriteString(conn, c.greeting) })
					text, _ := io.ReadAll(conn)
					got = string(text)
				})
				client, err := New(Options{
					BaseURL: "https://127.0.0.1", Revision: DefaultRevision, Key: "pk_trusted", RetryFor: time.Hour,
				})
				if err != nil {
					t.Fatal(err)
				}
				client.http.Transport.(*http.Transport).DialContext = network.Dial
				_, err = client.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
				untrustedError(t, err, c.want)
				client.Close()
				_ = network.Close()
				serving.Wait()
				if strings.Contains(got, "pk_trusted") {
					t.Errorf("the server received the key: %q", got)
				}
			})
		})
	}
}
