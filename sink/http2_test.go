package sink

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"klaviyo-export/sink/simulator/contract"
)

// mute is a connection on which nothing more passes, either way, once it is dead.
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

// A connection of HTTP/2 that is dead without a word is left, and the request sent again on another.
func TestHalfOpenHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, certificate := contract.NewPipes(), selfSigned(t)
		server := &http.Server{
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.ProtoMajor != 2 {
					t.Errorf("asked by %s", r.Proto)
				}
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusAccepted)
				}
				_, _ = io.WriteString(w, `{"data":{"id":"Aaaaaa","attributes":{"name":"News"}}}`)
			}),
		}
		served := make(chan struct{})
		go func() { // ends with the server, which is closed and waited for below
			defer close(served)
			_ = server.ServeTLS(network, "", "")
		}()
		client, err := New(Options{BaseURL: "https://127.0.0.1", Revision: DefaultRevision, Key: "pk_bubble",
			RetryFor: 10 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		transport := client.http.Transport.(*http.Transport)
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AddCert(certificate.Leaf)
		var dead atomic.Bool
		dials := 0
		transport.DialContext = func(ctx context.Context, on, addr string) (net.Conn, error) {
			conn, err := network.Dial(ctx, on, addr)
			if dials++; dials == 1 && err == nil {
				conn = &mute{Conn: conn, dead: &dead, gone: make(chan struct{})}
			}
			return conn, err
		}
		list, err := client.FindList(t.Context(), ListRef{ID: "Aaaaaa"})
		if err != nil {
			t.Fatal(err)
		}
		dead.Store(true)
		set := people(2)
		if err := NewImport(client, list).Send(t.Context(), set); err != nil || statuses(set)["accepted"] != 2 ||
			dials != 2 || client.Stats().Resent != 1 {
			t.Errorf("%v, %v by %d connections, %+v", err, statuses(set), dials, client.Stats())
		}
		client.Close()
		_ = network.Close()
		_ = server.Close()
		<-served
	})
}

// selfSigned is a certificate of 127.0.0.1, which is valid now.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Klaviyo"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true,
		BasicConstraintsValid: true,
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
