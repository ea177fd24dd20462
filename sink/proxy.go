package sink

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// proxy is the proxy of a request, as far as people must know it. Its zero value is an unknown one.
type proxy struct {
	host     string // with its port
	variable string // the environment variable that names it
	known    bool   // the variable has a user name
}

func newProxy(scheme string, u *url.URL) proxy {
	p := proxy{variable: strings.ToUpper(scheme) + "_PROXY"}
	if lower := strings.ToLower(p.variable); os.Getenv(p.variable) == "" && os.Getenv(lower) != "" {
		p.variable = lower // net/http prefers the name in capitals
	}
	if u != nil {
		p.host, p.known = u.Host, u.User != nil
	}
	return p
}

// proxyInUse is the proxy between this machine and the base URL.
func (c *Client) proxyInUse() proxy {
	base, err := url.Parse(c.options.BaseURL)
	if err != nil {
		return proxy{}
	}
	var u *url.URL
	if t, ok := c.http.Transport.(*http.Transport); ok && t.Proxy != nil {
		u, _ = t.Proxy(&http.Request{URL: base})
	}
	return newProxy(base.Scheme, u)
}

// setup is the error of a proxy that asks for a login.
func (p proxy) setup(doing string) *Error {
	text := "asks for a user name and password"
	hint := fmt.Sprintf("write them into %s as http://USER:PASSWORD@HOST:PORT, or name Klaviyo's host in NO_PROXY",
		p.variable)
	if p.known {
		text = fmt.Sprintf("refuses the user name and password in %s", p.variable)
		hint = fmt.Sprintf("correct them in %s; write special characters in percent form, @ as %%40", p.variable)
	}
	err := setupError(hint, "%s: the proxy %s %s: HTTP %d", doing, cmp.Or(p.host, "before Klaviyo"), text,
		http.StatusProxyAuthRequired)
	err.status = http.StatusProxyAuthRequired
	return err
}

// proxyError is a proxy's refusal to connect to Klaviyo.
type proxyError struct {
	proxy
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy %s (%s) does not connect: HTTP %d", e.host, e.variable, e.status)
}

// checkConnect checks a proxy's answer to CONNECT. Without it net/http keeps the proxy's words alone.
func checkConnect(_ context.Context, u *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{newProxy("https", u), res.StatusCode}
}

// asksLogin reports whether a proxy asks for a login, which no other try changes.
func (e *proxyError) asksLogin() bool { return e.status == http.StatusProxyAuthRequired }
