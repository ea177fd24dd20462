package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// ErrNoEstimate says that Klaviyo gave no estimate in time.
var ErrNoEstimate = errors.New("no estimate of the recipients from Klaviyo")

var errNoEstimate = errors.New("expected estimated_recipient_count")

// EstimateRecipients returns how many people Klaviyo would send a campaign to. It begins a new estimation and waits for
// its end. When ctx ends before, the error is ErrNoEstimate.
func (c *Client) EstimateRecipients(ctx context.Context, id string) (int64, error) {
	begun := false
	for pace := newPace(); ; pace.wait(ctx) {
		if !begun {
			if err := c.beginEstimation(ctx, id); err != nil {
				return 0, estimateError(ctx, err)
			}
			begun = true
		}
		status, err := c.estimation(ctx, id)
		if err == nil && status == "complete" {
			n, known, err := c.estimate(ctx, id)
			if err == nil && known {
				return n, nil
			}
			if setupOnly(err) != nil {
				return 0, err
			}
		}
		begun = status != "cancelled"
		if setupOnly(err) != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return 0, ErrNoEstimate
		}
	}
}

// estimateError is the error of an estimation that could not begin.
func estimateError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrNoEstimate
	}
	return err
}

// beginEstimation asks for a new estimation. To ask twice does no harm.
func (c *Client) beginEstimation(ctx context.Context, id string) error {
	var doc campaignJob
	doing := fmt.Sprintf("estimate the recipients of campaign %q", foreign(id))
	a, err := c.campaignCall(ctx, &request{
		doing: doing, method: http.MethodPost, path: "/api/campaign-recipient-estimation-jobs",
		prefix: nameCampaign("campaign-recipient-estimation-job", id), endpoint: c.endpoints.estimations,
		accept: func(a *answer) error { return c.aboutCampaign(a, &doc, &doc.Data.ID, id) },
	})
	if err == nil && a.status >= 300 {
		err = a.refused(doing)
	}
	return err
}

// estimation returns the status of an estimation, "" while Klaviyo does not show it: a 404 means "not yet" then
// (klaviyo-more.md §5.1).
func (c *Client) estimation(ctx context.Context, id string) (status string, err error) {
	return c.campaignJob(ctx, id, "/api/campaign-recipient-estimation-jobs/", &request{
		doing:    fmt.Sprintf("watch the estimation of campaign %q", foreign(id)),
		endpoint: c.endpoints.estimation, brief: true,
	})
}

// estimate reads what an estimation that has ended found. It is not known while Klaviyo answers 404.
func (c *Client) estimate(ctx context.Context, id string) (n int64, known bool, err error) {
	var doc struct {
		Data struct {
			ID         string `json:"id"`
			Attributes struct {
				Count *int64 `json:"estimated_recipient_count"`
			} `json:"attributes"`
		} `json:"data"`
	}
	doing := fmt.Sprintf("read the estimate of campaign %q", foreign(id))
	a, err := c.campaignCall(ctx, &request{
		doing: doing, method: http.MethodGet, path: "/api/campaign-recipient-estimations/" + url.PathEscape(id),
		endpoint: c.endpoints.estimate, brief: true,
		accept: func(a *answer) error {
			err := c.aboutCampaign(a, &doc, &doc.Data.ID, id)
			if err == nil && (doc.Data.Attributes.Count == nil || *doc.Data.Attributes.Count < 0) {
				return errNoEstimate
			}
			return err
		},
	})
	switch {
	case err != nil:
		return 0, false, err
	case a.missing():
		return 0, false, nil
	case a.status >= 300:
		return 0, false, a.refused(doing)
	}
	return *doc.Data.Attributes.Count, true, nil
}
