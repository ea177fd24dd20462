package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// pingAfter is the silence after which an HTTP/2 connection is tested. A dead one would keep taking requests.
	pingAfter = 30 * time.Second
	// pingTime is the time for the ping's answer. On a slow line it waits behind a request's body.
	pingTime = 75 * time.Second
)

// newTransport returns the HTTP transport of a client with so many requests in flight at a time.
func newTransport(concurrency int) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: checkConnect,
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTime},
		TLSHandshakeTimeout:    15 * time.Second,
		MaxIdleConnsPerHost:    concurrency + lookupsAtOnce + 1,
		IdleConnTimeout:        90 * time.Second,
		WriteBufferSize:        64 << 10,
	}
}

var errNoAnswer = fmt.Errorf("no answer within %v", answerTime)

// plain removes the method, the URL and the key from an error of net/http, which may quote a malformed answer of any
// length, a proxy's words or a certificate. ctx is the request's.
func (c *Client) plain(ctx context.Context, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch text := err.Error(); {
	case context.Cause(ctx) == errNoAnswer:
		return errNoAnswer
	case ctx.Err() != nil:
		return errors.New("aborted before the answer came")
	case c.text(foreign(text)) != text:
		return errors.New(c.text(foreign(text)))
	}
	return err
}

// hopeless reports whether an error without a connection would come again at every try.
func hopeless(err error) bool {
	var refused *proxyError
	return untrusted(err) || errors.As(err, &refused) && refused.asksLogin()
}

// untrusted reports whether the other side failed to prove by its certificate who it is, or speaks no TLS or only an
// old version of it.
func untrusted(err error) bool {
	var wrong *tls.CertificateVerificationError
	var strange tls.RecordHeaderError
	return errors.As(err, &wrong) || errors.As(err, &strange) || errors.Is(err, http.ErrSchemeMismatch) ||
		strings.Contains(err.Error(), "protocol version") // crypto/tls has no type for it, on either side
}
