package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
)

// pace is the wait before the next poll: a quarter of a second at first, ten seconds at last.
type pace struct{ next time.Duration }

func newPace() *pace { return &pace{250 * time.Millisecond} }

// wait waits, or returns when ctx ends.
func (p *pace) wait(ctx context.Context) {
	_ = sleep(ctx, p.next, nil) // the next request returns the error
	p.next = min(p.next*3/2, lastPoll)
}

// SendCampaign asks Klaviyo to send a campaign, by one request that is never repeated, whatever comes back. Lost says
// of its error whether the campaign may be on its way all the same.
func (c *Client) SendCampaign(ctx context.Context, id string) error {
	doing := fmt.Sprintf("send campaign %q", foreign(id))
	var doc campaignJob
	a, err := c.campaignCall(ctx, &request{
		doing: doing, method: http.MethodPost, path: "/api/campaign-send-jobs", prefix: nameCampaign("campaign-send-job", id),
		endpoint: c.endpoints.sendJobs, brief: true,
		accept: func(a *answer) error { return c.aboutCampaign(a, &doc, &doc.Data.ID, id) },
	})
	if err == nil && a.status >= 300 {
		err = a.refused(doing)
	}
	return err
}

// Lost reports whether the request of an error may have had its effect.
func Lost(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.lost
}

// Refused reports whether an error is Klaviyo's 4xx, whatever its reason.
func Refused(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && 400 <= failed.status && failed.status < 500
}

// nameCampaign writes a request that names a campaign alone.
func nameCampaign(kind, id string) string {
	b, _ := json.Append([]byte(`{"data":{"type":"`+kind+`","id":`), id, 0) // never fails for a string
	return string(append(b, "}}"...))
}

// campaignJob is a job of a campaign in an answer. Its id is the campaign's.
type campaignJob struct {
	Data struct {
		ID         string `json:"id"`
		Attributes struct {
			Status string `json:"status"`
		} `json:"attributes"`
	} `json:"data"`
}

// SendJob returns the status of a campaign's send job, "" when it has none.
func (c *Client) SendJob(ctx context.Context, id string) (status string, err error) {
	return c.sendJob(ctx, id, &request{doing: fmt.Sprintf("look up the send job of campaign %q", foreign(id))})
}

// sendJob reads a send job by a request that has its options set.
func (c *Client) sendJob(ctx context.Context, id string, r *request) (status string, err error) {
	r.endpoint = c.endpoints.sendJob
	return c.campaignJob(ctx, id, "/api/campaign-send-jobs/", r)
}

// campaignJob reads a job of a campaign by a request that has its options set.
func (c *Client) campaignJob(ctx context.Context, id, path string, r *request) (status string, err error) {
	var doc campaignJob
	r.method, r.path = http.MethodGet, path+url.PathEscape(id)
	r.accept = func(a *answer) error { return c.aboutCampaign(a, &doc, &doc.Data.ID, id) }
	a, err := c.campaignCall(ctx, r)
	switch {
	case err != nil:
		return "", err
	case a.missing():
		return "", nil
	case a.status >= 300:
		return "", a.refused(r.doing)
	}
	return c.short(foreign(doc.Data.Attributes.Status)), nil
}

// Started asks what has become of a campaign after the answer to its send job was lost. It reports whether the campaign
// is on its way: there is a send job, or the campaign is no draft any more. It goes on asking for some time after the
// first answer, because Klaviyo may need a moment. False proves nothing.
func (c *Client) Started(ctx context.Context, id string, goOn time.Duration) (bool, error) {
	var until time.Time
	for pace := newPace(); ; pace.wait(ctx) {
		job, err := c.SendJob(ctx, id)
		if err != nil || job != "" {
			return err == nil, err
		}
		campaign, err := c.Campaign(ctx, id)
		if err != nil || campaign.Status != Draft {
			return err == nil, err
		}
		switch now := time.Now(); {
		case until.IsZero():
			until = now.Add(goOn)
		case now.After(until):
			return false, nil
		}
	}
}

// WatchCampaign polls a campaign that is being sent until its status says how that goes, or ctx ends. It returns the
// campaign as Klaviyo showed it last, nil when it never did, and whether it is decided. Its error is of the kind Setup.
func (c *Client) WatchCampaign(ctx context.Context, of *Campaign) (last *Campaign, ended bool, err error) {
	for pace := newPace(); ; pace.wait(ctx) {
		doing := fmt.Sprintf("watch campaign %q", foreign(of.ID))
		job, _ := c.sendJob(ctx, of.ID, &request{doing: doing, brief: true}) // before the campaign: that says the rest
		campaign, err := c.readCampaign(ctx, of.ID, &request{doing: doing, brief: true})
		switch {
		case setupOnly(err) != nil:
			return last, false, err
		case err == nil:
			last = campaign
			if last.Going() || strings.HasPrefix(last.Status, "Cancelled") || job == "cancelled" {
				return last, true, nil
			}
		}
		if ctx.Err() != nil {
			return last, false, nil
		}
	}
}

// Going reports whether a campaign is sent, is being sent, or waits for its time (klaviyo-more.md §5.2).
func (c *Campaign) Going() bool {
	switch c.Status {
	case "Sending", "Sending Segments", "Sent", "Variations Sent", "Scheduled":
		return true
	case "Queued without Recipients": // a usual state of a campaign that waits for its time
		return c.Method != "immediate"
	}
	return false
}
