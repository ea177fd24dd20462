package sink

import (
	"context"
	"time"
)

// JobCreated returns when Klaviyo created an import job, by its clock and in whole seconds. The error is an *Error,
// also when Klaviyo does not know the job any more. ctx ends the reading.
func (c *Client) JobCreated(ctx context.Context, id string) (time.Time, error) {
	doing := "read import job " + foreign(id).String()
	job, err := c.job(ctx, id, &request{doing: doing})
	if err != nil {
		return time.Time{}, notLost(err)
	}
	if job == nil {
		return time.Time{}, notFound("", "%s: Klaviyo no longer knows it, or the API key belongs to another account", doing)
	}
	created, err := time.Parse(time.RFC3339, job.Attributes.CreatedAt)
	if err != nil {
		return time.Time{}, setupError("", "%s: expected created_at", doing)
	}
	return created.UTC().Truncate(time.Second), nil
}
