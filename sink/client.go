package sink

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The address, revision and media type of Klaviyo's API (klaviyo-api.md §1).
const (
	DefaultBaseURL  = "https://a.klaviyo.com"
	DefaultRevision = "2026-07-15"
	mediaType       = "application/vnd.api+json"
)

const (
	shortestKey = 6                // shorter text is not replaced: it may occur in an answer by chance
	noticeEvery = 10 * time.Second // at most one notice about retries in this time
)

// Options configure a Client.
type Options struct {
	BaseURL       string // https, or http to a loopback address
	AllowInsecure bool   // permits http to other addresses too, except to Klaviyo's own
	Revision      string // an API revision: a date such as DefaultRevision
	Key           string // private API key
	UserAgent     string
	Concurrency   int           // requests in flight at a time; one idle connection is kept for each
	RateShare     int           // percent of Klaviyo's rates to use; 0 = no pacing, but Klaviyo's waits are obeyed
	RetryFor      time.Duration // how long failures are retried while no request succeeds
	Alone         bool          // no other process creates lists in the account at the same time
	Print         io.Writer     // gets the bodies of requests that change something; they are not sent
	Notice        func(string)  // receives warnings and what is being retried; called concurrently
}

// Client sends requests to Klaviyo for one account. Its methods may be called concurrently.
type Client struct {
	options   Options
	http      http.Client
	endpoints endpoints
	counters  counters
	retries   retries
	inFlight  inFlight
	texts     atomic.Int64  // bytes of Klaviyo's reasons against rows that wait to be written
	printing  sync.Mutex    // guards options.Print
	long      chan struct{} // holds one element while a long answer is read
	started   time.Time     // noticed and endpoint.progress count from it by the monotonic clock, which no one can set
	noticed   atomic.Int64  // nanoseconds until the last notice, 0 = there was none
	first     atomic.Int64  // nanoseconds until the first request, 0 = there was none
	began     atomic.Int64  // Klaviyo's time of the first answer in Unix seconds, 0 = there was none
	asked     atomic.Int64  // Klaviyo's time of the first request, likewise
}

var revision = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(\.[a-z0-9]+)*$`)

// New returns a client. It sends no request. Its errors name the flag that is wrong.
func New(o Options) (*Client, error) {
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if !revision.MatchString(o.Revision) {
		return nil, fmt.Errorf("--revision: expected a date such as %s, got %q", DefaultRevision, o.Revision)
	}
	base, unencrypted, err := checkBase(o.BaseURL, o.AllowInsecure)
	if err != nil {
		return nil, err
	}
	o.BaseURL = base
	c := &Client{
		options: o, started: time.Now(), endpoints: newEndpoints(o.RateShare), long: make(chan struct{}, 1),
	}
	c.http = http.Client{
		Transport:     newTransport(o.Concurrency),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if unencrypted {
		c.tell("--allow-insecure: the API key and all rows go unencrypted to another machine")
	}
	return c, nil
}

// Began returns when the first request was answered, by Klaviyo's clock, in whole seconds: what Klaviyo dates before it
// did not happen because of this client. It is the zero time before the first answer.
func (c *Client) Began() time.Time {
	if s := c.began.Load(); s != 0 {
		return time.Unix(s, 0)
	}
	return time.Time{}
}

// Asked is Began for the first request instead of its answer: the answers to the first ones may be lost. It may be two
// seconds too early.
func (c *Client) Asked() time.Time {
	if s := c.asked.Load(); s != 0 {
		return time.Unix(s, 0)
	}
	return time.Time{}
}

// note stores the time of the first answer that has one.
func (c *Client) note(at time.Time) {
	if !at.IsZero() {
		c.began.CompareAndSwap(0, at.Unix())
		c.asked.CompareAndSwap(0, at.Add(time.Duration(c.first.Load())-c.elapsed()).Unix())
	}
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Abort ends the requests in flight, and all later ones, without their answers.
func (c *Client) Abort() { c.inFlight.abort() }

// elapsed is the age of the client.
func (c *Client) elapsed() time.Duration { return time.Since(c.started) }

// keyPlaceholder replaces the key in texts of an answer.
const keyPlaceholder = "[API key]"

// hide replaces the key in a text from outside.
func (c *Client) hide(text string) string {
	if len(c.options.Key) < shortestKey {
		return text
	}
	return strings.ReplaceAll(text, c.options.Key, keyPlaceholder)
}

// notice passes a text on retries to Options.Notice, unless the last one is less than noticeEvery ago.
func (c *Client) notice(text string) {
	now, last := int64(c.elapsed()), c.noticed.Load()
	if (last == 0 || now-last > int64(noticeEvery)) && c.noticed.CompareAndSwap(last, now) {
		c.tell(text)
	}
}

// tell passes a text to Options.Notice.
func (c *Client) tell(text string) {
	if c.options.Notice != nil {
		c.options.Notice(text)
	}
}
