package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAnswer bounds an answer in bytes. A page of 100 import errors with their profiles is under 11 MB.
	maxAnswer = 16 << 20
	// longAnswer is the size from which an answer waits for its turn. A usual page of 100 import errors is shorter.
	longAnswer = 128 << 10
)

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
	errors []apiError // of a 4xx or 5xx, without the key; nil when the body has none
	id     string     // Klaviyo's id of the request, "" when it sent none
	lost   bool       // an earlier try may have arrived too
}

// said is what an answer says, as one line for people.
func (a *answer) said() string { return explain(a.status, a.errors) }

// traced is said with the request id, for messages that go to Klaviyo's support or to this project.
func (a *answer) traced() string { return a.said() + trace(a.id) }

// trace is the end of a message that names a request id.
func trace(id string) string {
	if id == "" {
		return ""
	}
	return ", request id " + id
}

// missing reports whether Klaviyo itself says that it does not know what the request is about. A 404 of another form
// comes from a proxy, or from a wrong base URL.
func (a *answer) missing() bool {
	return a.status == http.StatusNotFound &&
		slices.ContainsFunc(a.errors, func(e apiError) bool { return e.Code != "" })
}

// read reads the answer of one try.
func (c *Client) read(ctx context.Context, res *http.Response, limits timers, own *turn) (*answer, *failure) {
	a := &answer{status: res.StatusCode, header: res.Header}
	if a.status < 200 {
		// The body of a 101 is the connection itself, which no time limit ends.
		return nil, &failure{lost: true, err: fmt.Errorf("expected a final answer, got HTTP %d", a.status)}
	}
	var err error
	if a.body, err = c.body(ctx, res.Body, limits, own); err != nil {
		return nil, &failure{lost: true, err: fmt.Errorf("read the answer: %w", c.plain(ctx, err))}
	}
	if a.status >= 400 {
		a.errors = c.apiErrors(a.body)
	}
	a.id = c.requestID(a)
	return a, nil
}

// turn is the turn of one try to read a long answer.
type turn struct{ taken chan struct{} }

func (t *turn) end() {
	if t.taken != nil {
		<-t.taken
	}
}

// body reads the body of an answer. Long ones are read one at a time, until their try ends: each takes several times
// its size. The time limits of the try do not run while it waits for its turn.
func (c *Client) body(ctx context.Context, from io.Reader, limits timers, own *turn) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(from, longAnswer))
	if err != nil || len(head) < longAnswer {
		return head, err
	}
	limits.stop()
	select {
	case c.long <- struct{}{}:
		own.taken = c.long
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	limits.restart()
	return io.ReadAll(io.MultiReader(bytes.NewReader(head), io.LimitReader(from, maxAnswer+1-longAnswer)))
}

// requestID reads the id that Klaviyo's support asks for from the header, or else from the errors (klaviyo-more.md
// §9).
func (c *Client) requestID(a *answer) string {
	id := foreign(a.header.Get("X-Klaviyo-Req-Id"))
	if id == "" && len(a.errors) > 0 {
		id = a.errors[0].ID
	}
	return c.short(id)
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
			err: errors.New(a.said()), brief: fmt.Sprintf("HTTP %d", a.status),
		}
	case a.status == http.StatusForbidden && !isObject(a.body):
		return &failure{
			brief: "HTTP 403",
			err:   errors.New("HTTP 403 with a page that is not Klaviyo's: a firewall stopped the request"),
		}
	case a.status < 300 && r.accept != nil:
		if err := r.accept(a); err != nil {
			return &failure{lost: true, err: fmt.Errorf("HTTP %d: %w", a.status, err)}
		}
	}
	return nil
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
