package sink

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestProxy: a proxy that asks for a login ends the run at once, and people are told which variable names it and what
// to do. Any other refusal of a proxy may pass. No message shows the proxy's password, and Klaviyo's key never leaves.
func TestProxy(t *testing.T) {
	const (
		write = "write them into HTTPS_PROXY as http://USER:PASSWORD@HOST:PORT, or name Klaviyo's host in NO_PROXY"
		right = "correct them in HTTPS_PROXY; write special characters in percent form, @ as %40"
	)
	for _, c := range []struct {
		name, base, proxy string
		environment       string // the variable that is set
		answer            string
		kind              Kind
		text, hint        string
		requests          int64
	}{
		{
			"asks for a login", "https://a.klaviyo.example", "http://proxy.example:3128", "HTTPS_PROXY",
			"HTTP/1.1 407 Please log in\r\nProxy-Authenticate: Basic\r\n\r\n", Setup,
			"the proxy proxy.example:3128 asks for a user name and password: HTTP 407", write, 1,
		},
		{
			"in small letters", "https://a.klaviyo.example", "http://proxy.example:3128", "https_proxy",
			"HTTP/1.1 407 Please log in\r\n\r\n", Setup,
			"the proxy proxy.example:3128 asks for a user name and password: HTTP 407",
			strings.Replace(write, "HTTPS_PROXY", "https_proxy", 1), 1,
		},
		{
			"refuses the login", "https://a.klaviyo.example", "http://me:secret@proxy.example:3128", "HTTPS_PROXY",
			"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Setup,
			"the proxy proxy.example:3128 refuses the user name and password in HTTPS_PROXY: HTTP 407", right, 1,
		},
		{
			"without TLS", "http://klaviyo.example", "http://proxy.example:3128", "HTTP_PROXY",
			head(407, "Proxy-Authenticate: Basic") + "<html>", Setup,
			"the proxy proxy.example:3128 asks for a user name and password: HTTP 407",
			strings.Replace(write, "HTTPS_PROXY", "HTTP_PROXY", 1), 1,
		},
		{
			"407 without a proxy", "http://klaviyo.example", "", "", head(407), Setup,
			"the proxy before Klaviyo asks for a user name and password: HTTP 407",
			strings.Replace(write, "HTTPS_PROXY", "HTTP_PROXY", 1), 1,
		},
		{
			"does not reach Klaviyo", "https://a.klaviyo.example", "http://proxy.example:3128", "HTTPS_PROXY",
			"HTTP/1.1 503 Later\r\n\r\n", Outage,
			"the proxy proxy.example:3128 (HTTPS_PROXY) does not connect: HTTP 503", "", 3,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
				t.Setenv(name, "")
			}
			if c.environment != "" {
				t.Setenv(c.environment, c.proxy)
			}
			seen := ""
			answer := func(conn net.Conn, r *http.Request, _ []byte) {
				seen += r.Method + " " + r.Header.Get("Authorization")
				_, _ = io.WriteString(conn, c.answer)
			}
			wire(t, Options{RetryFor: 2 * time.Second}, answer, func(t *testing.T, client *Client) {
				client.options.BaseURL = c.base
				transport := client.http.Transport.(*http.Transport)
				transport.Proxy = func(*http.Request) (*url.URL, error) {
					if c.proxy == "" {
						return nil, nil
					}
					return url.Parse(c.proxy)
				}
				failed := look(t, client)
				want := `look up list "Aaaaaa": ` + c.text
				if failed.Kind != c.kind || failed.Error() != want || failed.Hint != c.hint {
					t.Errorf("kind %v, hint %q\ngot  %v\nwant %s", failed.Kind, failed.Hint, failed, want)
				}
				if n := client.Stats().Sent; n < c.requests || c.kind == Setup && n > 1 {
					t.Errorf("%d requests", n)
				}
				if strings.HasPrefix(c.base, "https") && strings.Contains(seen, "pk_bubble") {
					t.Errorf("the proxy saw %s", seen)
				}
			})
		})
	}
}

// TestProxyInDoctor: a proxy that asks for a login is a finding about the network, not about the key.
func TestProxyInDoctor(t *testing.T) {
	wire(t, Options{}, spoken(head(407)), func(t *testing.T, c *Client) {
		for f := range c.Examine(t.Context(), ListRef{}) {
			if f.Check != "network" || f.OK || !strings.Contains(f.Hint, "HTTP_PROXY") {
				t.Errorf("finding %+v", f)
			}
		}
	})
}
