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

// cloneShows is how long a clone is looked for after its answer was lost.
const cloneShows = 30 * time.Second

// Taken is the error of a name that campaigns have already.
type Taken struct {
	Name      string
	Campaigns []*Campaign // without messages
}

func (t *Taken) Error() string {
	var all []string
	for _, c := range t.Campaigns {
		all = append(all, c.ID+" ("+c.Status+")")
	}
	return cut(fmt.Sprintf("a campaign has the name %q already: %s", foreign(t.Name), strings.Join(all, ", ")))
}

// CloneCampaign clones a campaign under a new name and returns the clone's id. If a campaign has the name already, the
// error is a *Taken and nothing is cloned. A request whose answer is lost is never sent again: then the one draft that
// has the name is the clone.
func (c *Client) CloneCampaign(ctx context.Context, source, name string) (id string, err error) {
	found, err := c.campaignsNamed(ctx, name)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return "", &Taken{name, found}
	}
	started, pause := time.Now(), newPause()
	for {
		id, err := c.clone(ctx, source, name)
		var failed *Error
		switch {
		case err == nil:
			return id, nil
		case !errors.As(err, &failed) || failed.Kind != Outage:
			return "", err
		case failed.lost:
			return c.lostClone(ctx, name, failed)
		case time.Since(started) > c.options.RetryFor:
			return "", err
		}
		c.notice(fmt.Sprintf("%v; retrying", err))
		_ = sleep(ctx, max(failed.closed, pause.NextBackOff()), nil) // when ctx has ended, clone returns the error
	}
}

// clone sends one request that clones a campaign.
func (c *Client) clone(ctx context.Context, source, name string) (id string, err error) {
	var doc struct {
		Data campaignResource `json:"data"`
	}
	b, _ := json.Append([]byte(`{"data":{"type":"campaign","id":`), source, 0) // never fails for a string
	b, _ = json.Append(append(b, `,"attributes":{"new_name":`...), name, 0)
	doing := fmt.Sprintf("clone campaign %q", foreign(source))
	a, err := c.campaignCall(ctx, &request{
		doing: doing, method: http.MethodPost, path: "/api/campaign-clone", prefix: string(append(b, "}}}"...)),
		endpoint: c.endpoints.clone, brief: true,
		accept: func(a *answer) error { return c.decodeID(a, &doc, &doc.Data.ID) },
	})
	if err == nil && a.status >= 300 {
		err = a.refused(doing)
	}
	return doc.Data.ID, err
}

// lostClone looks for the clone of a request whose answer was lost.
func (c *Client) lostClone(ctx context.Context, name string, lost *Error) (id string, err error) {
	for pace, until := newPace(), time.Now().Add(cloneShows); ; {
		found, err := c.campaignsNamed(ctx, name)
		switch {
		case err != nil:
			return "", err
		case len(found) == 1 && found[0].Status == Draft:
			return found[0].ID, nil
		case len(found) > 0:
			return "", &Taken{name, found}
		case time.Now().After(until):
			lost.Hint = "look in Klaviyo for a draft of that name before you run it again"
			return "", lost
		}
		pace.wait(ctx)
	}
}

// campaignsNamed returns the email campaigns that have a name, of all pages. Klaviyo only finds a part of a name.
func (c *Client) campaignsNamed(ctx context.Context, name string) (found []*Campaign, err error) {
	r := &request{
		doing: fmt.Sprintf("look up campaign %q", c.hidden(foreign(name))), endpoint: c.endpoints.campaigns,
		revision: campaignRevision,
	}
	next := "/api/campaigns?" + url.Values{
		"filter": {`equals(messages.channel,"email"),contains(name,` + quote(name) + ")"},
	}.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == maxPages {
			return nil, setupError("choose a longer name", "%s: too many campaigns have a name like it", r.doing)
		}
		var page struct {
			Data  []campaignResource `json:"data"`
			Links links              `json:"links"`
		}
		r.path = next
		if err := c.page(ctx, r, &page, func() bool { return page.Data != nil }); err != nil {
			return nil, err
		}
		for i := range page.Data {
			if string(page.Data[i].Attributes.Name) == name && c.usable(page.Data[i].ID) == nil {
				found = append(found, c.campaign(&page.Data[i]))
			}
		}
		if next, err = page.Links.next(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Retarget makes a list all that a campaign includes. What it excludes stays.
func (c *Client) Retarget(ctx context.Context, id, list string) error {
	var doc struct {
		Data campaignResource `json:"data"`
	}
	b, _ := json.Append([]byte(`{"data":{"type":"campaign","id":`), id, 0) // never fails for a string
	b, _ = json.Append(append(b, `,"attributes":{"audiences":{"included":[`...), list, 0)
	doing := fmt.Sprintf("change the audience of campaign %q", foreign(id))
	a, err := c.campaignCall(ctx, &request{
		doing: doing, method: http.MethodPatch, path: "/api/campaigns/" + url.PathEscape(id),
		prefix: string(append(b, "]}}}}"...)), endpoint: c.endpoints.retarget,
		accept: func(a *answer) error { return c.aboutCampaign(a, &doc, &doc.Data.ID, id) },
	})
	if err == nil && a.status >= 300 {
		err = a.refused(doing)
	}
	return err
}
