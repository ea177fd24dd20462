package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Where and how Klaviyo is spoken to (klaviyo-api.md §1).
const (
	DefaultBaseURL  = "https://a.klaviyo.com"
	DefaultRevision = "2026-07-15"
	mediaType       = "application/vnd.api+json"
)

const (
	requestTime  = 2 * time.Minute  // for the answer, from when the last of the request left: a slow line may take longer for 5 MB
	throttledFor = 10 * time.Minute // of nothing but 429s
	pingAfter    = 30 * time.Second // of silence on a connection of HTTP/2, which else would take requests though it is dead
	pingTime     = 75 * time.Second // for the ping's answer, behind what a slow line has still to carry
	silentTime   = 15 * time.Second // without an answer, until people are told
	maxAnswer    = 16 << 20         // bytes; a page of 100 import errors with their profiles is under 11 MB
	shortestKey  = 6                // what is shorter is no key, and stands in answers by chance
	noticeEvery  = 10 * time.Second
)

// Options make a Client.
type Options struct {
	BaseURL       string // https, or http to a loopback address
	AllowInsecure bool   // http to other addresses too, but for Klaviyo's own
	Revision      string // a date, such as DefaultRevision
	Key           string // private API key
	UserAgent     string
	Concurrency   int           // requests at once that connections are kept for
	RateShare     int           // percent of Klaviyo's rates to use, 0 = no pacing: only what Klaviyo says is heeded
	RetryFor      time.Duration // how long failures are retried while nothing gets through
	Alone         bool          // no other process makes lists in the account at the same time
	Notice        func(string)  // told, now and then, what is being retried; may be called at once
}

// Client speaks to Klaviyo for one account. Its methods may be called at once.
type Client struct {
	options  Options
	http     http.Client
	counters counters
	began    time.Time    // the two below count from it, by the monotonic clock, which nobody sets
	progress atomic.Int64 // nanoseconds until the last good answer
	noticed  atomic.Int64 // nanoseconds until the last notice, 0 = there was none
	underWay underWay
	rates    struct{ list, lists, create, imports, removals, job, jobs, errors, accounts *endpoint }
}

// New returns a client; it contacts nobody. Its errors are for people.
func New(o Options) (*Client, error) {
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if !revision.MatchString(o.Revision) {
		return nil, fmt.Errorf("the API revision %q is not a date such as %s", o.Revision, DefaultRevision)
	}
	unencrypted, err := checkBase(o.BaseURL, o.AllowInsecure)
	if err != nil {
		return nil, err
	}
	c := &Client{options: o, began: time.Now()}
	if unencrypted {
		c.tell("the key and all rows go unencrypted to another machine, as --allow-insecure says")
	}
	c.http = http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			HTTP2:               &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTime},
			TLSHandshakeTimeout: 15 * time.Second,
			MaxIdleConnsPerHost: o.Concurrency + 1,
			IdleConnTimeout:     90 * time.Second,
			WriteBufferSize:     64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.rates.list = newEndpoint(rateL, o.RateShare)
	c.rates.lists = newEndpoint(rateL, o.RateShare)
	c.rates.create = newEndpoint(rateCreate, o.RateShare)
	c.rates.imports = newEndpoint(rateM, o.RateShare)
	c.rates.removals = newEndpoint(rateM, o.RateShare)
	c.rates.job = newEndpoint(rateM, o.RateShare)
	c.rates.jobs = newEndpoint(rateM, o.RateShare)
	c.rates.errors = newEndpoint(rateM, o.RateShare)
	c.rates.accounts = newEndpoint(rateXS, o.RateShare)
	return c, nil
}

var revision = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(\.[a-z0-9]+)*$`)

// Close gives the connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Abort ends the requests that are under way, and all later ones, without their answers.
func (c *Client) Abort() { c.underWay.abort() }

// underWay holds the requests that are not answered, for Abort.
type underWay struct {
	mu      sync.Mutex
	aborted bool
	cancels map[*context.CancelFunc]bool
}

// enter returns the context of a request and what ends it. A request that changes nothing ends with ctx, others go on
// without it.
func (u *underWay) enter(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	if method != http.MethodGet {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.cancels == nil {
		u.cancels = map[*context.CancelFunc]bool{}
	}
	u.cancels[&cancel] = true
	if u.aborted {
		cancel()
	}
	return ctx, func() {
		u.mu.Lock()
		delete(u.cancels, &cancel)
		u.mu.Unlock()
		cancel()
	}
}

func (u *underWay) abort() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.aborted = true
	for cancel := range u.cancels {
		(*cancel)()
	}
}

// checkBase reports whether what is sent to base goes unencrypted to another machine. Its errors don't quote base, which may hold a
// password or even the key.
func checkBase(base string, insecure bool) (unencrypted bool, err error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false, errors.New("the base URL is not of the form https://HOST")
	}
	switch {
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return false, nil
	case u.Scheme == "http" && insecure && !IsKlaviyo(base):
		return true, nil
	}
	return false, errors.New("the base URL would send the key unencrypted: without --allow-insecure only https, or http to a loopback address, is taken, and for klaviyo.com only https")
}

// IsKlaviyo reports whether a base URL is Klaviyo's own.
func IsKlaviyo(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return host == "klaviyo.com" || strings.HasSuffix(host, ".klaviyo.com")
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// request is one call of the API. set is nil for one without profiles.
type request struct {
	doing          string // for errors: "look up list …"
	method, path   string // the path with its query
	prefix, suffix string // the body, around the profiles
	set            []*Profile
	endpoint       *endpoint
	once           bool                // must not be sent again once it may have arrived
	brief          bool                // is not tried again: the next poll will
	accept         func(*answer) error // nil, or refuses a 2xx that cannot be one
}

type answer struct {
	status int
	header http.Header
	body   []byte
	errors []apiError // of a 4xx or 5xx, without the key; nil when it is not Klaviyo's
	lost   bool       // an earlier try may have arrived as well
}

// trouble is a failed try. lost means that Klaviyo may have acted on it all the same.
type trouble struct {
	lost  bool
	final bool          // another try would fail alike
	after time.Duration // how long a 429 closes the endpoint
	pause time.Duration // how long a 503 asks to wait
	err   error
}

// call sends r until it is answered for good: 2xx that r.accept takes, or a 4xx that speaks of the request's content.
// Errors are *Error.
func (c *Client) call(ctx context.Context, r *request) (*answer, error) {
	var started time.Duration // when the first try was begun
	lost, pause := false, newPause()
	for try := 0; ; try++ {
		if err := r.endpoint.take(ctx); err != nil {
			return nil, &Error{Kind: Stopped, lost: lost, err: fmt.Errorf("%s: %w", r.doing, context.Cause(ctx))}
		}
		if try > 0 {
			c.counters.retried.Add(1)
		}
		if lost {
			c.counters.resent.Add(1)
		}
		begun := time.Since(c.began)
		if try == 0 {
			started = begun
		}
		a, failed := c.try(ctx, r)
		r.endpoint.done()
		if failed == nil {
			c.progress.Store(int64(time.Since(c.began)))
			a.lost = lost
			if fatal := c.fatal(r, a); fatal != nil {
				return nil, fatal
			}
			return a, nil
		}
		if failed.final {
			fatal := setupError("check --base-url, and this machine's certificates and clock", "%s: %w", r.doing, failed.err)
			fatal.lost = lost
			return nil, fatal
		}
		lost = lost || failed.lost
		if r.once && failed.after > longestThrottle {
			return nil, &Error{
				Kind: Outage, Hint: "give a list that is there, or run it again then",
				err: fmt.Errorf("%s: Klaviyo's limit of 150 new lists a day is used up; it asks to wait %v", r.doing, failed.after),
			}
		}
		if failed.after > 0 {
			c.counters.waited.Add(int64(r.endpoint.throttle(failed.after)))
		}
		if c.hopeless(started, begun, failed) || r.once && lost || r.brief {
			return nil, &Error{Kind: Outage, lost: lost, err: fmt.Errorf("%s: %w", r.doing, failed.err)}
		}
		c.notice(fmt.Sprintf("%s: %v; trying again", r.doing, failed.err))
		if failed.after > 0 {
			continue // take waits
		}
		_ = sleep(ctx, max(pause.NextBackOff(), failed.pause), nil) // take sees to it when ctx has ended
	}
}

// hopeless reports whether nothing had got through for so long, when the try that failed was begun, that trying again is over: a machine
// that was suspended meanwhile, or a process that was stopped, has another try. A 429 says that Klaviyo is there: --retry-for does not
// count for it, but there is an end to it too. A 503 that asks to wait for longer is not waited for.
func (c *Client) hopeless(started, begun time.Duration, failed *trouble) bool {
	limit := c.options.RetryFor
	if failed.after > 0 {
		limit = max(limit, throttledFor)
	}
	quiet := max(started, time.Duration(c.progress.Load())) // since then nothing has got through
	return limit == 0 || begun-quiet >= limit || failed.pause > 0 && time.Since(c.began)+failed.pause-quiet > limit
}

// newPause is the wait between tries: TD's published one second, doubling to 32, each by half up or down.
func newPause() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier, b.MaxInterval = time.Second, 2, 32*time.Second
	return b
}

// try sends r once. What is not a failure may still be a 4xx.
func (c *Client) try(ctx context.Context, r *request) (*answer, *trouble) {
	ctx, leave := c.underWay.enter(ctx, r.method)
	defer leave()
	var connected atomic.Bool // before that, TLS included, nothing of the request is sent
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	ctx, giveUp := context.WithCancelCause(ctx)
	limit := time.AfterFunc(requestTime, func() { giveUp(errNoAnswer) })
	defer limit.Stop()
	silent := time.AfterFunc(silentTime, func() { c.notice(fmt.Sprintf("%s: no answer for %v", r.doing, silentTime)) })
	defer silent.Stop()
	req, err := c.newRequest(ctx, r, func() {
		limit.Reset(requestTime)
		silent.Reset(silentTime)
	})
	if err != nil {
		return nil, &trouble{final: true, err: err}
	}
	c.counters.sent.Add(1)
	c.counters.bytes.Add(max(req.ContentLength, 0))
	res, err := c.http.Do(req)
	if b, ok := req.Body.(*body); ok {
		// The transport may still read the profiles after it has answered; they are the caller's again when this returns.
		defer func() { leave(); <-b.closed }()
	}
	if err != nil {
		return nil, &trouble{lost: connected.Load(), final: !connected.Load() && untrusted(err), err: c.plain(ctx, err)}
	}
	defer res.Body.Close()
	a := &answer{status: res.StatusCode, header: res.Header}
	if a.status < 200 {
		return nil, &trouble{lost: true, err: fmt.Errorf("HTTP %d is no answer", a.status)} // its body is the connection, which no time limit ends
	}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, &trouble{lost: true, err: fmt.Errorf("read the answer: %w", c.plain(ctx, err))}
	}
	if a.status >= 400 {
		a.errors = c.apiErrors(a.body)
	}
	r.endpoint.heed(res.Header)
	return a, c.judge(r, a)
}

// insteadOfKey stands where an answer held the key.
const insteadOfKey = "[API key]"

// hide takes the key out of what came from outside.
func (c *Client) hide(text string) string {
	if len(c.options.Key) < shortestKey {
		return text
	}
	return strings.ReplaceAll(text, c.options.Key, insteadOfKey)
}

// newRequest makes the request of one try. moved is called when some more of its body leaves.
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
	req.Header.Set("Revision", c.options.Revision)
	req.Header.Set("User-Agent", c.options.UserAgent)
	return req, nil
}

// judge returns what is wrong with an answer that another try can mend.
func (c *Client) judge(r *request, a *answer) *trouble {
	switch {
	case len(a.body) > maxAnswer:
		return &trouble{lost: true, err: fmt.Errorf("the answer is longer than %d bytes", maxAnswer)}
	case a.status == http.StatusTooManyRequests:
		c.counters.throttled.Add(1)
		return &trouble{after: max(retryAfter(a.header), time.Second), err: errors.New("throttled by Klaviyo (HTTP 429)")}
	case a.status == http.StatusRequestTimeout || a.status >= 500:
		return &trouble{lost: true, pause: min(retryAfter(a.header), longestThrottle), err: errors.New(explain(a.status, a.errors))}
	case a.status == http.StatusForbidden && !isObject(a.body):
		return &trouble{err: errors.New("HTTP 403 with a page instead of Klaviyo's answer: a challenge on the way")}
	case a.status < 300 && r.accept != nil:
		if err := r.accept(a); err != nil {
			return &trouble{lost: true, err: fmt.Errorf("HTTP %d: %w", a.status, err)}
		}
	}
	return nil
}

// fatal returns the error of an answer that no row and no later try can change.
func (c *Client) fatal(r *request, a *answer) *Error {
	said := explain(a.status, a.errors)
	var fatal *Error
	switch {
	case a.status == http.StatusUnauthorized:
		fatal = setupError("create a private API key in Klaviyo under Settings > API keys, and give it by KLAVIYO_API_KEY or --api-key-file",
			"%s: Klaviyo does not know the API key: %s", r.doing, said)
	case a.status == http.StatusForbidden:
		fatal = setupError("give the key the scopes lists:read, lists:write, profiles:read and profiles:write, and accounts:read for doctor",
			"%s: the API key may not do this: %s", r.doing, said)
	case a.status == http.StatusGone:
		fatal = setupError("give a newer one with --revision, or update klaviyo-export",
			"%s: Klaviyo has retired API revision %s: %s", r.doing, c.options.Revision, said)
	case a.status >= 300 && a.status < 400:
		fatal = setupError("check --base-url", "%s: redirected, which is not followed: HTTP %d", r.doing, a.status)
	default:
		return nil
	}
	fatal.lost, fatal.status = a.lost, a.status
	return fatal
}

// notice tells people what is being retried, unless it has told them something just before.
func (c *Client) notice(text string) {
	now, last := int64(time.Since(c.began)), c.noticed.Load()
	if (last == 0 || now-last > int64(noticeEvery)) && c.noticed.CompareAndSwap(last, now) {
		c.tell(text)
	}
}

// tell tells people something.
func (c *Client) tell(text string) {
	if c.options.Notice != nil {
		c.options.Notice(text)
	}
}

// untrusted reports whether the other side could not prove by its certificate who it is, or does not speak TLS, or only an old one.
func untrusted(err error) bool {
	var wrong *tls.CertificateVerificationError
	var strange tls.RecordHeaderError
	return errors.As(err, &wrong) || errors.As(err, &strange) || errors.Is(err, http.ErrSchemeMismatch) ||
		strings.Contains(err.Error(), "protocol version") // an error without a type, here as there
}

var errNoAnswer = fmt.Errorf("no answer within %v", requestTime)

// plain takes the method, the URL and the key off an error of the http package, which quotes answers that are none. ctx is the request's.
func (c *Client) plain(ctx context.Context, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch text := err.Error(); {
	case context.Cause(ctx) == errNoAnswer:
		return errNoAnswer
	case ctx.Err() != nil:
		return errors.New("given up before the answer")
	case c.hide(text) != text:
		return errors.New(c.hide(text))
	}
	return err
}
