package sink

import (
	"context"
	"errors"
	"time"
)

// optionalTime is the most time that an answer may take without which a run goes on.
const optionalTime = 10 * time.Second

// optional sends a request without which a run goes on, and once more after a failure that may pass. It takes at most
// optionalTime, and does not wait for the endpoint's quota.
func (c *Client) optional(ctx context.Context, e *endpoint, send func(context.Context, *request) error) error {
	ctx, cancel := context.WithTimeout(ctx, optionalTime)
	defer cancel()
	err := send(ctx, &request{brief: true, optional: true, endpoint: e})
	var failed *Error
	again := errors.As(err, &failed) && failed.Kind == Outage && e.closed() < optionalTime/2
	if again && sleep(ctx, time.Second, nil) == nil {
		c.counters.retried.Add(1)
		err = send(ctx, &request{brief: true, optional: true, endpoint: e})
	}
	return err
}
