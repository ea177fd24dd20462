package sink

import (
	"context"
	"fmt"
	"time"
)

// JobCreated returns when Klaviyo created an import job, in whole seconds. The error is an *Error.
func (c *Client) JobCreated(ctx context.Context, id string) (time.Time, error) {
	doing := fmt.Sprintf("look up import job %s", foreign(id))
	job, a, err := c.job(ctx, id, doing, false)
	switch {
	case err != nil:
		return time.Time{}, notLost(err)
	case a.missing():
		return time.Time{}, setupError("", "%s: Klaviyo does not know it any more", doing)
	case a.status >= 300:
		return time.Time{}, a.refused(doing)
	}
	created, err := time.Parse(time.RFC3339, job.Attributes.CreatedAt)
	if err != nil {
		return time.Time{}, setupError("", "%s: expected created_at to be a time", doing)
	}
	return created.UTC().Truncate(time.Second), nil
}
