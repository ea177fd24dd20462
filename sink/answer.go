package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds an answer in bytes. A page of 100 import errors with their profiles is under 11 MB.
const maxAnswer = 16 << 20

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
	errors []apiError // of a 4xx or 5xx, without the key; nil when the body is not Klaviyo's
	lost   bool       // an earlier try may have arrived too
}

// read reads the answer of one try.
func (c *Client) read(ctx context.Context, res *http.Response) (*answer, *failure) {
	a := &answer{status: res.StatusCode, header: res.Header}
	if a.status < 200 {
		// The body of a 101 is the connection itself, which no time limit ends.
		return nil, &failure{lost: true, err: fmt.Errorf("expected a final answer, got HTTP %d", a.status)}
	}
	var err error
	if a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1)); err != nil {
		return nil, &failure{lost: true, err: fmt.Errorf("read the answer: %w", c.plain(ctx, err))}
	}
	if a.status >= 400 {
		a.errors = c.apiErrors(a.body)
	}
	return a, nil
}

// check returns the failure of an answer that another try can fix, or nil.
func (c *Client) check(r *request, a *answer) *failure {
	switch {
	case len(a.body) > maxAnswer:
		return &failure{lost: true, err: fmt.Errorf("the answer is longer than %d bytes", maxAnswer)}
	case a.status == http.StatusTooManyRequests:
		c.counters.throttled.Add(1)
		return &failure{
			after: max(retryAfter(a.header), time.Second),
			err:   errors.New("throttled by Klaviyo (HTTP 429)"),
		}
	case a.status == http.StatusRequestTimeout || a.status >= 500:
		return &failure{
			lost: true, pause: min(retryAfter(a.header), longestThrottle),
			err: errors.New(explain(a.status, a.errors)),
		}
	case a.status == http.StatusForbidden && !isObject(a.body):
		return &failure{err: errors.New("HTTP 403 with a page that is not Klaviyo's: a firewall stopped the request")}
	case a.status < 300 && r.accept != nil:
		if err := r.accept(a); err != nil {
			return &failure{lost: true, err: fmt.Errorf("HTTP %d: %w", a.status, err)}
		}
	}
	return nil
}

// fatal returns the error of an answer that ends the run: neither another try nor fewer rows would change it.
func (c *Client) fatal(r *request, a *answer) *Error {
	said := explain(a.status, a.errors)
	var fatal *Error
	switch {
	case a.status == http.StatusUnauthorized:
		fatal = setupError("create a private API key in Klaviyo under Settings > API keys, then set KLAVIYO_API_KEY "+
			"or pass --api-key-file FILE", "%s: Klaviyo does not know the API key: %s", r.doing, said)
	case a.status == http.StatusForbidden:
		fatal = setupError("give the key the scopes lists:read, lists:write, profiles:read and profiles:write, "+
			"and accounts:read for doctor", "%s: the API key has no permission for this: %s", r.doing, said)
	case a.status == http.StatusGone:
		fatal = setupError("pass a newer date to --revision, or update klaviyo-export",
			"%s: Klaviyo has retired API revision %s: %s", r.doing, c.options.Revision, said)
	case a.status >= 300 && a.status < 400:
		fatal = setupError("check --base-url", "%s: redirects are not followed: HTTP %d", r.doing, a.status)
	default:
		return nil
	}
	fatal.lost, fatal.status = a.lost, a.status
	return fatal
}

// retryAfter reads the header's seconds or date. It returns 0 when there is none.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
