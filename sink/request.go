package sink

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// answerTime is the time for an answer after the last byte of the request: a slow line may need longer for 5 MB.
	answerTime = 2 * time.Minute
	// silenceTime is the time without an answer after which a notice says so.
	silenceTime = 15 * time.Second
)

// request is one call of the API. set is nil for one without profiles.
type request struct {
	doing          string // for errors: "look up list …"
	method, path   string // the path with its query
	prefix, suffix string // the body, around the profiles
	set            []*Profile
	endpoint       *endpoint
	revision       string              // "" = that of the options
	once           bool                // is not sent again before its caller has looked what has changed
	careful        bool                // is not sent again once it may have arrived
	brief          bool                // is not retried: the next poll repeats it, or the run does without it
	optional       bool                // the run does without it: nothing waits while Klaviyo closes its endpoint
	before         func() error        // nil, or is called before each try, which its error prevents
	accept         func(*answer) error // nil, or returns why a 2xx is not a usable answer
	refused        func(*answer)       // nil, or takes what the final answer says that refuses the request's content

	date time.Time     // set by each try: Klaviyo's time of the answer, zero when it does not say
	took time.Duration // set by each try: until that answer came
}

// try sends r once. An answer without a failure may still be a 4xx. A long one is read in its own turn.
func (c *Client) try(ctx context.Context, r *request, own *turn) (*answer, *failure) {
	ctx, leave := c.inFlight.enter(ctx, r.method)
	defer leave()
	var connected atomic.Bool // before it is set, TLS handshake included, no byte of the request is sent
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	ctx, timers := c.newTimers(ctx, r.doing)
	defer timers.stop()
	req, err := c.newRequest(ctx, r, timers.restart)
	if err != nil {
		return nil, &failure{final: true, err: err}
	}
	began := time.Now()
	c.first.CompareAndSwap(0, int64(c.elapsed()))
	c.counters.sent.Add(1)
	c.counters.bytes.Add(max(req.ContentLength, 0))
	res, err := c.http.Do(req)
	if b, ok := req.Body.(*body); ok {
		// The transport may read the profiles even after the answer. When try returns they are the caller's again.
		defer func() { leave(); <-b.closed }()
	}
	if err != nil {
		return nil, &failure{
			lost: connected.Load(), final: !connected.Load() && hopeless(err), err: c.plain(ctx, err),
		}
	}
	defer res.Body.Close()
	a, failed := c.read(ctx, res, timers, own)
	if failed != nil {
		return nil, failed
	}
	r.endpoint.learn(res.Header)
	r.date, _ = http.ParseTime(res.Header.Get("Date"))
	r.took = time.Since(began)
	c.note(r.date)
	return a, c.check(r, a)
}

// newRequest makes the request of one try. moved is called whenever more of its body leaves.
func (c *Client) newRequest(ctx context.Context, r *request, moved func()) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.options.BaseURL+r.path, nil)
	if err != nil {
		return nil, err
	}
	if r.prefix != "" {
		b := newBody(r.prefix, r.suffix, r.set)
		b.moved = moved
		req.Body, req.ContentLength = b, b.size()
		req.Header.Set("Content-Type", mediaType)
	}
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Authorization", "Klaviyo-API-Key "+c.options.Key)
	req.Header.Set("Revision", cmp.Or(r.revision, c.options.Revision))
	req.Header.Set("User-Agent", c.options.UserAgent)
	return req, nil
}

// timers watch one try: answer cancels it, silence gives a notice before that.
type timers struct{ answer, silence *time.Timer }

// newTimers starts the timers of a try and returns its context, whose cause is errNoAnswer when the time is over.
func (c *Client) newTimers(ctx context.Context, doing string) (context.Context, timers) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, timers{
		answer: time.AfterFunc(answerTime, func() { cancel(errNoAnswer) }),
		silence: time.AfterFunc(silenceTime, func() {
			c.notice(fmt.Sprintf("%s: no answer for %v, still waiting", doing, silenceTime))
		}),
	}
}

// restart gives both timers their whole time again.
func (t timers) restart() {
	t.answer.Reset(answerTime)
	t.silence.Reset(silenceTime)
}

func (t timers) stop() {
	t.answer.Stop()
	t.silence.Stop()
}
