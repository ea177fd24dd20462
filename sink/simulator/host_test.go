package simulator

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A web page whose name resolves to this machine gets nothing: the server answers only for loopback names and
// addresses.
func TestHosts(t *testing.T) {
	s := New(Options{})
	s.AddList("Newsletter", "single_opt_in")
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	address := strings.TrimPrefix(url, "http://")
	const ours, theirs = http.StatusOK, http.StatusMisdirectedRequest
	for _, test := range []struct {
		host   string
		status int
	}{
		{address, ours}, {"localhost", ours}, {"LOCALHOST:1", ours}, {"localhost.", ours}, {"127.0.0.1", ours},
		{"127.9.8.7:65535", ours}, {"[::1]", ours}, {"[::1]:8025", ours}, {"localhost:", ours},
		{"example.com", theirs}, {"example.com:8025", theirs}, {"localhost.example.com", theirs},
		{"127.0.0.1.example.com", theirs}, {"a.localhost:1", theirs}, {"128.0.0.1", theirs}, {"0.0.0.0", theirs},
		{"[::]", theirs}, {"[::2]:8025", theirs}, {"127.1", theirs}, {"2130706433", theirs}, {"", theirs},
		{"a.klaviyo.com", theirs},
	} {
		for _, path := range []string{"/simulator/lists", "/api/lists"} {
			status, kind, body := askAs(t, address, test.host, path)
			if status != test.status {
				t.Errorf("Host %q, %s: status %d, want %d", test.host, path, status, test.status)
			}
			if test.status == ours {
				continue
			}
			want := fmt.Sprintf("the simulator answers for localhost, 127.0.0.0/8 and [::1] only, got Host %q\n", test.host)
			if body != want || kind != "text/plain; charset=utf-8" {
				t.Errorf("Host %q, %s: %s %q, want %q", test.host, path, kind, body, want)
			}
		}
	}
	if want := map[string]int{"GET /api/lists 200": 9}; fmt.Sprint(s.Requests()) != fmt.Sprint(want) {
		t.Errorf("requests %v, want %v", s.Requests(), want)
	}
}

// askAs sends one GET request with a Host header to an address.
func askAs(t *testing.T, address, host, path string) (status int, kind, body string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Klaviyo-API-Key key\r\nrevision: 2026-07-15\r\n"+
		"Connection: close\r\n\r\n", path, host)
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Content-Type"), string(text)
}
