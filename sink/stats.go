package sink

import (
	"sync/atomic"
	"time"
)

// Stats are a client's totals.
type Stats struct {
	Sent      int64         // requests
	Retried   int64         // requests that repeat a failed one
	Resent    int64         // the retried requests that repeat one that may have arrived
	Throttled int64         // answers with status 429
	Bytes     int64         // of request bodies
	Jobs      int64         // import jobs that Klaviyo accepted
	Waited    time.Duration // for which Klaviyo had closed an endpoint
	Closed    time.Duration // for which it keeps one that takes rows closed from now on
	Failing   string        // the last failure of the requests that are retried now, "" when none is
	GiveUpIn  time.Duration // until the first of them is given up unless a request succeeds
}

type counters struct {
	sent, retried, resent, throttled, bytes, jobs, waited atomic.Int64
}

// Stats returns the totals so far. It may be called at any time.
func (c *Client) Stats() Stats {
	n := &c.counters
	failing, giveUpIn := c.failing()
	return Stats{
		Sent: n.sent.Load(), Retried: n.retried.Load(), Resent: n.resent.Load(), Throttled: n.throttled.Load(),
		Bytes: n.bytes.Load(), Jobs: n.jobs.Load(), Waited: time.Duration(n.waited.Load()),
		Closed:  c.endpoints.closed(),
		Failing: failing, GiveUpIn: giveUpIn,
	}
}
